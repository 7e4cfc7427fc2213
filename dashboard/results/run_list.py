"""What is going on with live progress, the latest runs in short, and the way back into each."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import streamlit as st

from core.errors import LightboxError
from core.runs import Run, RunQuery, RunRow, Status
from dashboard.callbacks import whole
from dashboard.desk import shelf
from dashboard.frame import opening
from dashboard.look import text
from dashboard.look.text import Markup
from dashboard.results import actions, answer
from dashboard.results.listed import thumbnails
from dashboard.results.listed.described import described
from dashboard.results.watch import POLL, watch, while_any_goes

_ROW = Markup("<div class='run-row'><span><span class='status {}'></span>{}</span><small>{}</small></div>")
_PICTURED = Markup("<div class='run-pictured'>{}{}</div>")
#: Runs that are shown while they go on; the others only wait for their turn.
_MOST_GOING = 20
_GOING = RunQuery(status=(str(Status.RUNNING), str(Status.QUEUED)), sort="oldest")


def show_runs(limit: int) -> None:
    """The latest runs, drawn again by themselves as long as one of them is going on."""
    watch(lambda: _latest(limit), _list, lambda rows: while_any_goes(row.run for row in rows))


def show_going() -> None:
    """What runs or waits, each with its progress and a button that cancels it; nothing where nothing goes on."""
    shown = [row.run.id for row in _going()]

    def draw(rows: Sequence[RunRow]) -> None:
        if [row.run.id for row in rows] != shown:
            st.rerun()  # one has ended, or begun: it belongs into the list
        _list(rows)

    watch(_going, draw, lambda rows: POLL if rows else None)


def _latest(limit: int) -> list[RunRow]:
    return [_placed(row) for row in shelf().table.page(rows=limit)]


def _going() -> list[RunRow]:
    return [_placed(row) for row in shelf().table.page(_GOING, rows=_MOST_GOING)]


def _placed(row: RunRow) -> RunRow:
    """The row of a run that waits, with its place in the queue."""
    if row.run.status is not Status.QUEUED:
        return row
    with contextlib.suppress(LightboxError):  # deleted at this moment
        return replace(row, run=shelf().run(row.run.id))
    return row


def _list(found: Sequence[RunRow]) -> None:
    opening.turn_page()
    with st.container(gap="xsmall"):
        for row in found:
            _row(row)


def _row(row: RunRow) -> None:
    """One run: what, where it stands, what can be done with it."""
    run, words = row.run, described(row.run, row.target)
    name = row.name or words.title
    with st.container(border=True, key=f"run-{run.id}"):
        columns = st.columns([3.2, 3.2, 0.9, 1.4], vertical_alignment="center", wrap=False)
        with columns[0]:
            below = " · ".join(piece for piece in (words.model, row.scan_name) if piece)
            text.show(_PICTURED.format(_picture(run), _ROW.format(run.status, name, below)))
        with columns[1]:
            _standing(row)
        with columns[2]:
            text.show(text.quiet_word(ago(run.created)))
        with columns[3], st.container(horizontal=True, horizontal_alignment="right", wrap=False):
            if not run.status.final:
                st.button(
                    f"Cancel *run of {text.as_markdown(name)}*",
                    icon=":material/stop_circle:",
                    key=f"cancel {run.id}",
                    disabled=run.cancelling,
                    on_click=whole(actions.cancel),
                    args=(run.id,),
                )
            open_button(run, name)


def _picture(run: Run) -> Markup:
    """What it shows, small; an empty frame where there is nothing to see, so that the words stay below each other."""
    png = thumbnails.of_run(run)
    # the words beside it say what it is of
    shown = text.picture(png, "", thumbnails.shown_size(png)) if png else ""
    return Markup("<span class='run-thumbnail'>{}</span>").format(shown)


def _standing(row: RunRow) -> None:
    run = row.run
    if not run.status.final:
        live = shelf().progress(run.id)
        st.progress(live.fraction, text=answer.progress_text(run, live))
        return
    words = {Status.DONE: "Done", Status.FAILED: "Failed", Status.CANCELLED: "Cancelled", Status.INTERRUPTED: "Cut off"}
    took = f" in {text.duration(run.seconds)}" if run.seconds and run.status is Status.DONE else ""
    line = Markup("<div class='run-row'><span>{}{}{}</span><small>{}</small></div>")
    text.show(line.format(words[run.status], took, _scores(row), run.message))


def _scores(row: RunRow) -> str:
    if row.before is None:
        return ""
    end = "" if row.after is None else f" → {text.probability(row.after)}"
    return f" · P({row.target}) {text.probability(row.before)}{end}"


def open_button(run: Run, name: str) -> None:
    """Lays a run out on the page that it belongs to; nothing for a run that no page shows."""
    if opening.page_of(run) is not None:
        # what only a screen reader says, style.css hides
        st.button(
            f"Open *run of {text.as_markdown(name)}*", key=f"open {run.id}", on_click=whole(_open), args=(run.id,)
        )


def _open(run_id: str) -> None:
    with told():
        opening.go_to(opening.open_run(run_id).name)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Say what could not be done, in a corner of the page; for callbacks."""
    try:
        yield
    except LightboxError as problem:
        st.toast(text.as_markdown(str(problem)))


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
