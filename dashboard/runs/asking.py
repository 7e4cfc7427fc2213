"""The row above the table: what is looked for, which runs are wanted, and in which order."""

from collections.abc import Mapping

import streamlit as st

from core.explainers.extras import VERDICT_TITLES
from core.runs import RunQuery, Status
from core.runs.facts import REFUSED
from core.runs.store.queries import GROUPS, SORTS, Group, Sort
from dashboard.callbacks import whole
from dashboard.desk import shelf
from dashboard.intake import catalogue
from dashboard.look import text

#: What the states of a run are called.
STATUS_WORDS = {
    Status.DONE: "Done",
    Status.FAILED: "Failed",
    Status.CANCELLED: "Cancelled",
    Status.INTERRUPTED: "Cut off",
}
_KINDS = {"explanation": "Explanation", "study": "Study", "training": "Training"}
_FILTERS = {
    "status": "State",
    "kind": "Kind",
    "method": "Method",
    "model": "Model",
    "scan": "Scan",
    "tag": "Tag",
    "verdict": "Verdict",
}
_SORTS: dict[Sort, str] = {
    "newest": "Newest first",
    "oldest": "Oldest first",
    "change": "Largest change",
    "verdict": "Verdict",
    "starred": "Starred first",
    "name": "Name",
    "scan": "Scan",
    "method": "Method",
    "model": "Model",
}
_GROUPS: dict[Group, str] = {"": "Not grouped", "scan": "By scan", "method": "By method", "day": "By day"}


def verdict_word(state: str) -> str:
    """A verdict in two or three words; empty where there is none."""
    return {**VERDICT_TITLES, REFUSED: "Do not believe"}.get(state, "")


def ask() -> RunQuery:
    """Draw the controls; returns what they ask for."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="runs-asking"):
        words = st.text_input(
            "Search",
            key="runs words",
            type="search",
            live="400ms",
            placeholder="Search names, notes, tags, scans, models",
            persist_state="session",
            label_visibility="collapsed",
            icon=":material/search:",
        )
        chosen = _filters()
        starred = st.toggle("Starred", key="runs starred", persist_state="session", help="Only runs with a star.")
        sort = st.selectbox(
            "Sort",
            SORTS,
            format_func=lambda name: _SORTS[name],
            key="runs sort",
            persist_state="session",
            label_visibility="collapsed",
            width=170,
        )
        group = st.selectbox(
            "Group",
            GROUPS,
            format_func=lambda name: _GROUPS[name],
            key="runs group",
            persist_state="session",
            label_visibility="collapsed",
            width=150,
        )
    return RunQuery(
        words=words or "",
        starred=bool(starred),
        finished=True,
        sort=sort or "newest",
        group=group or "",
        called=_called(),
        **chosen,
    )


def _filters() -> dict[str, tuple[str, ...]]:
    """The menu of filters; what was chosen in each."""
    set_now = {name: tuple(st.session_state.get(_key(name)) or ()) for name in _FILTERS}
    count = sum(bool(values) for values in set_now.values())
    menu = st.popover(
        f"Filter · {count}" if count else "Filter", icon=":material/filter_list:", key="runs filters", on_change="rerun"
    )
    if not menu.open:
        return set_now
    choices = shelf().table.choices()
    titles = _titles()
    with menu:
        for name, title in _FILTERS.items():
            offered = {value: number for value, number in choices[name].items() if _is_final(name, value)}
            # what is asked for stays in the list, also when the last of it was deleted
            options = [*offered, *(value for value in set_now[name] if value not in offered)]
            called = titles.get(name, {})
            st.multiselect(
                title,
                options,
                format_func=lambda value, called=called, offered=offered: (
                    f"{called.get(value, value)} ({offered.get(value, 0)})"
                ),
                key=_key(name),
                persist_state="session",
                placeholder="Any" if options else "There is none yet",
            )
        st.button("Clear filters", key="runs clear", on_click=whole(clear), disabled=not count)
    return {name: tuple(st.session_state.get(_key(name)) or ()) for name in _FILTERS}


def clear() -> None:
    """Ask for every run again."""
    for name in _FILTERS:
        st.session_state[_key(name)] = []
    st.session_state["runs words"] = ""
    st.session_state["runs starred"] = False


def _key(name: str) -> str:
    return f"runs filter {name}"


def _is_final(name: str, value: str) -> bool:
    return name != "status" or value not in (Status.QUEUED, Status.RUNNING)


def _titles() -> Mapping[str, Mapping[str, str]]:
    """What the values of each filter are called."""
    return {
        "status": {str(state): word for state, word in STATUS_WORDS.items()},
        "kind": _KINDS,
        "method": _methods(),
        "model": _models(),
        "scan": shelf().scan_table.names(),
        "verdict": {state: verdict_word(state) for state in (REFUSED, *VERDICT_TITLES)},
    }


def _methods() -> dict[str, str]:
    return {name: entry.title for name, entry in catalogue.explainer_entries().items()}


def _models() -> dict[str, str]:
    return {name: card.title for name, card in catalogue.cards().items()}


def _called() -> dict[str, str]:
    """Titles by which methods and models are looked for."""
    return {**_methods(), **_models()}


def narrowed(query: RunQuery) -> bool:
    """Whether anything is left out."""
    return bool(query.words.split() or query.filters or query.starred)


def describe_nothing() -> text.Markup:
    """What stands where a search finds nothing."""
    return text.empty("No run fits", "Take a word out of the search, or clear the filters.")
