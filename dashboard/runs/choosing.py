"""Ticking runs, and what can be done with several at once: compare, export, star, tag, delete and its undo."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from core.runs import RunRow, Status
from dashboard.callbacks import whole
from dashboard.desk import shelf
from dashboard.frame import opening
from dashboard.look import text
from dashboard.results.listed import exporting
from dashboard.results.run_list import told

_TICKED, _THROWN = "ticked runs", "thrown away runs"
#: How many runs can be put side by side.
_FEWEST, _MOST = 2, 9


def ticked() -> list[str]:
    """Ids of the runs that are ticked, in the order in which they were; those of other pages too."""
    found: list[str] = st.session_state.setdefault(_TICKED, [])
    return found


def tick(run_id: str, name: str) -> None:
    """The box at the start of a row."""
    st.session_state[f"tick {run_id}"] = run_id in ticked()
    st.checkbox(
        f"Choose run of {text.as_markdown(name)}",
        key=f"tick {run_id}",
        label_visibility="collapsed",
        on_change=whole(_toggle),
        args=(run_id,),
    )


def tick_all(run_ids: Sequence[str]) -> None:
    """The box at the head of the table, for the rows of the page."""
    st.session_state["tick all"] = bool(run_ids) and set(run_ids) <= set(ticked())
    st.checkbox(
        "Choose all runs of this page",
        key="tick all",
        label_visibility="collapsed",
        on_change=whole(_toggle_all),
        args=(tuple(run_ids),),
    )


def _toggle(run_id: str) -> None:
    wanted = st.session_state[f"tick {run_id}"]
    st.session_state[_TICKED] = [*(one for one in ticked() if one != run_id), *([run_id] if wanted else [])]


def _toggle_all(run_ids: tuple[str, ...]) -> None:
    others = [one for one in ticked() if one not in run_ids]
    st.session_state[_TICKED] = [*others, *(run_ids if st.session_state["tick all"] else ())]


def show() -> None:
    """The bar above the table: it has its place before anything is ticked, so that no row moves."""
    rows = shelf().table.rows(ticked())
    if len(rows) != len(ticked()):  # some were deleted elsewhere
        st.session_state[_TICKED] = [row.run.id for row in rows]
    ids, nothing = tuple(row.run.id for row in rows), not rows
    with st.container(horizontal=True, vertical_alignment="center", key="runs-chosen"):
        text.show(text.quiet_word(f"{len(ids)} chosen" if ids else "Choose runs by their boxes"), width=165)
        refusal = why_not_compared(rows)
        st.button(
            "Compare",
            icon=":material/view_column:",
            key="compare runs",
            disabled=refusal is not None,
            help=refusal or "Side by side: maps, figures, settings.",
            on_click=whole(_compare),
            args=(ids,),
        )
        too_much = exporting.why_not(rows)
        st.download_button(
            "Export",
            partial(exporting.zip_of_runs, ids),
            file_name=exporting.file_name("runs", "zip"),
            mime="application/zip",
            icon=":material/download:",
            key="export runs",
            disabled=too_much is not None,
            help=too_much or "One ZIP: maps, records and the table of these runs.",
            on_click="ignore",
        )
        starred = bool(rows) and all(row.run.pinned for row in rows)
        st.button(
            "Unstar" if starred else "Star",
            icon=":material/star:",
            key="star runs",
            disabled=nothing,
            on_click=whole(_star),
            args=(ids, not starred),
        )
        _tag_menu(ids)
        st.button(
            "Delete",
            icon=":material/delete:",
            key="delete runs",
            disabled=nothing,
            on_click=whole(throw_away),
            args=(ids,),
        )
        if not nothing:
            st.button("Clear choice", key="untick runs", type="tertiary", on_click=whole(_untick))
    show_undo()


def why_not_compared(rows: Sequence[RunRow]) -> str | None:
    """Why these runs cannot be put side by side, as a sentence; None where they can."""
    if not _FEWEST <= len(rows) <= _MOST:
        return f"Choose {_FEWEST} to {_MOST} runs to see them side by side."
    if any(row.run.kind != "explanation" or row.run.status is not Status.DONE for row in rows):
        return "Only explanations that are done can be put side by side: take the others out."
    return None


def _compare(ids: tuple[str, ...]) -> None:
    opening.go_to("compare", {"runs": ",".join(ids)})


def _star(ids: tuple[str, ...], starred: bool) -> None:
    with told():
        shelf().table.star(ids, starred)


def _tag_menu(ids: tuple[str, ...]) -> None:
    with st.popover("Tag", icon=":material/sell:", disabled=not ids, key="tag runs", on_change="rerun") as menu:
        if not menu.open:
            return
        st.multiselect(
            "Tags to add",
            list(shelf().table.choices()["tag"]),
            accept_new_options=True,
            key="tags to add",
            placeholder="Choose, or write a new one",
        )
        st.button(
            "Add tags",
            type="primary",
            key="add tags",
            disabled=not st.session_state.get("tags to add"),
            on_click=whole(_tag),
            args=(ids,),
        )


def _tag(ids: tuple[str, ...]) -> None:
    with told():
        shelf().table.tag(ids, st.session_state["tags to add"])
        st.session_state["tags to add"] = []


def throw_away(ids: Sequence[str]) -> None:
    """Delete runs, and offer to take that back."""
    with told():
        gone = shelf().table.throw_away(ids)
        st.session_state[_THROWN] = gone
        for run_id in ids:
            opening.forget(run_id)
        st.session_state[_TICKED] = [one for one in ticked() if one not in set(ids)]
        if ids and not gone:
            st.toast("Deleted for good: the disk is full, and there was no room to keep them for Undo.")


def show_undo() -> None:
    """What was deleted last, and how to take it back."""
    gone: list[str] = st.session_state.get(_THROWN) or []
    if not gone:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="runs-undo"):
        text.show(
            text.quiet_word(f"{_runs(len(gone))} deleted. It can be undone for a day, as long as there is room."),
            width="content",
        )
        st.button("Undo", icon=":material/undo:", key="undo delete", on_click=whole(_take_back))
        st.button("Dismiss", key="dismiss undo", type="tertiary", on_click=whole(_dismiss))


def _take_back() -> None:
    with told():
        gone = st.session_state.pop(_THROWN, [])
        back = shelf().table.take_back(gone)
        if len(back) < len(gone):
            st.toast(f"{_runs(len(gone) - len(back))} could not be brought back: the store needed the room.")


def _dismiss() -> None:
    st.session_state.pop(_THROWN, None)


def _untick() -> None:
    st.session_state[_TICKED] = []


def _runs(count: int) -> str:
    return f"{count:,} run{'' if count == 1 else 's'}"
