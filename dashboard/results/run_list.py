"""A list of runs: what each was, where it stands, its live progress, cancel, pin, delete, and the way back into it."""

import logging
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from core.cohorts.library import cohort_cards
from core.cohorts.selection import as_names
from core.errors import LightboxError
from core.runs import Run, Status
from core.wording import without_shared_lead
from dashboard.callbacks import whole
from dashboard.desk import owner, shelf
from dashboard.frame import opening
from dashboard.intake import catalogue
from dashboard.look import text
from dashboard.look.text import Markup
from dashboard.results import actions, answer
from dashboard.results.watch import watch, while_any_goes

_LOG = logging.getLogger(__name__)
_ROW = Markup("<div class='run-row'><span><span class='status {}'></span>{}</span><small>{}</small></div>")
#: Runs on one page of the list.
_PAGE = 25


def show_runs(limit: int) -> None:
    """The latest runs, drawn again by themselves as long as one of them is going on."""
    watch(lambda: shelf().runs(limit), _list, while_any_goes)


def _list(found: Sequence[Run]) -> None:
    opening.turn_page()
    if not found:
        text.show(
            text.empty("Nothing ran yet", "What you explain is listed here, and can be opened again at any time.")
        )
        return
    pages = -(-len(found) // _PAGE)
    page = st.pagination(pages, key="runs page") if pages > 1 else 1
    with st.container(gap="xsmall"):
        for run in found[(page - 1) * _PAGE : page * _PAGE]:
            _row(run)


def _row(run: Run) -> None:
    """One run: what, where it stands, what can be done with it."""
    with st.container(border=True, key=f"run-{run.id}"):
        columns = st.columns([3.2, 2.6, 0.9, 1.7], vertical_alignment="center", wrap=False)
        with columns[0]:
            text.show(_readable(run))
        with columns[1]:
            _standing(run)
        with columns[2]:
            text.show(text.quiet_word(ago(run.created)))
        with columns[3], st.container(horizontal=True, horizontal_alignment="right", wrap=False):
            _actions(run)


def _readable(run: Run) -> Markup:
    """What it was, as far as that can be read: one damaged run must not take the list of all others away."""
    try:
        return _what(run)
    except (AttributeError, KeyError, TypeError, ValueError, LightboxError):
        _LOG.warning("the run %s cannot be described", run.id, exc_info=True)
        return _ROW.format(run.status, run.title or "A run", "what was asked cannot be read")


def _what(run: Run) -> Markup:
    request = run.request
    if run.kind == "study":
        title, detail = _study_words(request)
    elif run.kind != "explanation":
        title, detail = run.title, run.kind
    else:
        card = catalogue.cards().get(request["model"])
        target = request.get("target") or (card.target if card else None)
        title = catalogue.explainer_title(request["explainer"]) + (f" · {target}" if target else "")
        detail = f"{card.title if card else Path(request['model']).name} · {_scan_label(request['scan'])}"
    return _ROW.format(run.status, title, detail)


def _study_words(request: Mapping[str, Any]) -> tuple[str, str]:
    """Study and cohort; the networks."""
    known, cohort = catalogue.cards(), request.get("cohort")
    card = cohort_cards().get(cohort or "")
    names = [request["model"], *as_names(request["parameters"].get("others") or ())]
    titles = [known[name].title if name in known else Path(name).name for name in names]
    pieces = [f"Study {request['study']}", *([card.title if card else Path(cohort).name] if cohort else [])]
    return " · ".join(pieces), " · ".join(without_shared_lead(titles))


def _scan_label(scan: str) -> str:
    try:
        return str(shelf().scan_meta(scan)["label"])
    except LightboxError:
        return "scan no longer in the store"


def _standing(run: Run) -> None:
    if not run.status.final:
        live = shelf().progress(run.id)
        st.progress(live.fraction, text=answer.progress_text(run, live))
        return
    words = {Status.DONE: "Done", Status.FAILED: "Failed", Status.CANCELLED: "Cancelled", Status.INTERRUPTED: "Cut off"}
    took = f" in {text.duration(run.seconds)}" if run.seconds and run.status is Status.DONE else ""
    row = Markup("<div class='run-row'><span>{}{}{}</span><small>{}</small></div>")
    text.show(row.format(words[run.status], took, _scores(run), run.message))


def _scores(run: Run) -> str:
    if run.status is not Status.DONE or run.kind != "explanation":
        return ""
    try:
        return _score_words(run.id, owner())
    except LightboxError:
        return ""


@lru_cache(maxsize=512)
def _score_words(run_id: str, whose: str) -> str:
    """Probability before and after of a finished run: it never changes, and its record may be a megabyte."""
    found = shelf(whose).explanation(run_id)
    before, after = (found.scores or {}).get("before") or {}, (found.scores or {}).get("after") or {}
    if found.target not in before:
        return ""
    end = f" → {text.probability(after[found.target])}" if found.target in after else ""
    return f" · P({found.target}) {text.probability(before[found.target])}{end}"


def _actions(run: Run) -> None:
    if not run.status.final:
        st.button(
            "Cancel",
            icon=":material/stop_circle:",
            key=f"cancel {run.id}",
            disabled=run.cancelling,
            on_click=whole(actions.cancel),
            args=(run.id,),
        )
    _open_button(run)
    if run.status.final:
        st.button(
            "",
            icon=":material/keep_off:" if run.pinned else ":material/keep:",
            key=f"pin {run.id}",
            help="Unpin: it may go when the store is full" if run.pinned else "Pin: keep it when the store is full",
            on_click=whole(_pin),
            args=(run.id, not run.pinned),
        )
        with st.popover("", icon=":material/delete:", help="Delete this run"):
            st.markdown("Delete this run and its maps? This cannot be undone.")
            st.button("Delete", type="primary", key=f"delete {run.id}", on_click=whole(_delete), args=(run.id,))


def _open_button(run: Run) -> None:
    if opening.page_of(run) is not None:
        st.button("Open", key=f"open {run.id}", on_click=whole(_open), args=(run.id,))


def _open(run_id: str) -> None:
    try:
        opening.go_to(opening.open_run(run_id).name)
    except LightboxError as problem:
        st.toast(text.as_markdown(str(problem)))


def _pin(run_id: str, pinned: bool) -> None:
    try:
        shelf().pin(run_id, pinned)
    except LightboxError as problem:
        st.toast(text.as_markdown(str(problem)))


def _delete(run_id: str) -> None:
    try:
        shelf().delete(run_id)
    except LightboxError as problem:
        st.toast(text.as_markdown(str(problem)))
    opening.forget(run_id)


def ago(moment: float, now: float | None = None) -> str:
    """How long ago, in words."""
    seconds = max(0.0, (now if now is not None else time.time()) - moment)
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{int(seconds // 60)} min ago"
    if seconds < 86400:
        return f"{int(seconds // 3600)} h ago"
    return time.strftime("%d %b %Y", time.localtime(moment))
