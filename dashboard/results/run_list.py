"""What is going on with live progress, the latest runs as cards, and the way back into each."""

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
from dashboard.results.listed.described import Described, described
from dashboard.results.watch import POLL, watch, while_any_goes

#: Room of the picture of a card, pixels.
_PICTURE = (168, 112)
_CARD = Markup(
    "<div class='run-card'><span class='run-film'>{}</span>"
    "<b title='{}'><span class='status {}'></span>{}</b><small title='{}'>{}</small></div>"
)
_ROW = Markup("<div class='run-row'><span><span class='status {}'></span>{}</span><small>{}</small></div>")
#: Runs that are shown while they go on; the others only wait for their turn.
_MOST_GOING = 20
_GOING = RunQuery(status=(str(Status.RUNNING), str(Status.QUEUED)), sort="oldest")


def show_runs(limit: int) -> None:
    """The latest runs as cards, drawn again by themselves as long as one of them is going on."""
    watch(lambda: _latest(limit), _cards, lambda rows: while_any_goes(row.run for row in rows))


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


def _cards(found: Sequence[RunRow]) -> None:
    opening.turn_page()
    with st.container(horizontal=True, gap="small", key="latest-runs"):
        for row in found:
            _card(row)


def _card(row: RunRow) -> None:
    """One run: what it shows, what it is, where it stands; a click anywhere on it opens the run."""
    run, words = row.run, described(row.run, row.target)
    name, below = row.name or words.title, _below(words, row)
    with st.container(border=True, gap="xsmall", key=f"run-{run.id}"):
        text.show(_CARD.format(_picture(run, name), name, run.status, name, below, below))
        _standing(row)
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", wrap=False):
            text.show(text.quiet_word(ago(run.created)))
            if not run.status.final:
                _cancel_button(run, name)
            open_button(run, name)


def _picture(run: Run, name: str) -> Markup:
    """What it shows; an empty film where there is nothing to see, so that the words stay at one height."""
    png = thumbnails.of_run(run)
    shown = "its map" if run.status is Status.DONE else "the scan"
    return text.picture(png, f"{name}: {shown}", thumbnails.shown_size(png, *_PICTURE)) if png else Markup()


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
            text.show(_ROW.format(run.status, name, _below(words, row)))
        with columns[1]:
            _standing(row)
        with columns[2]:
            text.show(text.quiet_word(ago(run.created)))
        with columns[3], st.container(horizontal=True, horizontal_alignment="right", wrap=False):
            if not run.status.final:
                _cancel_button(run, name)
            open_button(run, name)


def _below(words: Described, row: RunRow) -> str:
    return " · ".join(piece for piece in (words.model, row.scan_name) if piece)


def _cancel_button(run: Run, name: str) -> None:
    st.button(
        f"Cancel *run of {text.as_markdown(name)}*",
        icon=":material/stop_circle:",
        key=f"cancel {run.id}",
        disabled=run.cancelling,
        on_click=whole(actions.cancel),
        args=(run.id,),
    )


def _standing(row: RunRow) -> None:
    run = row.run
    if not run.status.final:
        live = shelf().progress(run.id)
        st.progress(live.fraction, text=answer.progress_text(run, live))
        return
    words = {Status.DONE: "Done", Status.FAILED: "Failed", Status.CANCELLED: "Cancelled", Status.INTERRUPTED: "Cut off"}
    took = f" in {text.duration(run.seconds)}" if run.seconds and run.status is Status.DONE else ""
    below = " · ".join(piece for piece in (_scores(row), run.message) if piece)
    line = Markup("<div class='run-row'><span>{}{}</span><small title='{}'>{}</small></div>")
    text.show(line.format(words[run.status], took, below, below))


def _scores(row: RunRow) -> str:
    if row.before is None:
        return ""
    end = "" if row.after is None else f" → {text.probability(row.after)}"
    return f"P({row.target}) {text.probability(row.before)}{end}"


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
