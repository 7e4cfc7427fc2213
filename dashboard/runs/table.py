"""The table of runs: what each shows, and what can be done with it."""

import time
from collections.abc import Mapping, Sequence

import streamlit as st

from core.runs import Run, RunQuery, RunRow, Status
from dashboard.callbacks import whole
from dashboard.desk import shelf
from dashboard.intake import catalogue
from dashboard.look import text
from dashboard.look.text import Markup
from dashboard.results.listed import thumbnails
from dashboard.results.listed.described import Described, described
from dashboard.results.run_list import ago, open_button, told
from dashboard.runs import choosing, editing
from dashboard.runs.asking import STATUS_WORDS, verdict_word

#: Seconds that pictures may take before the rows are shown; the others follow.
_PATIENCE = 0.25
_COLUMNS = [0.32, 11.2, 1.75]
_HEADS = ("", "Run", "Scan", "Changed settings", "Before → after", "Verdict", "When")
_LINE = Markup("<div class='run-line'>{}</div>")
_CELL = Markup("<div class='{}'>{}</div>")
#: Settings that a row shows; the others are in its tooltip.
_MOST_CHIPS = 3


def show(rows: Sequence[RunRow], query: RunQuery, groups: Mapping[str, int]) -> None:
    """Draw the rows of a page, with a heading where a group begins."""
    pictures = Pictures()
    with st.container(gap=None, key="table-of-runs"):
        _head(rows)
        group = None
        for row in rows:
            if query.group and row.group != group:
                group = row.group
                count = groups.get(group, 0)
                name = group_word(query, group)
                text.show(Markup("<div class='run-group'>{} <small>{}</small></div>").format(name, count))
            _row(row, pictures)


class Pictures:
    """Pictures of the rows of one drawing, as long as making them does not keep the person waiting."""

    def __init__(self) -> None:
        self._left = _PATIENCE

    def of(self, run: Run) -> bytes | None:
        """The picture of a run; None where there is none, or not yet."""
        if self._left <= 0 and not thumbnails.is_made(run):
            return None
        begun = time.monotonic()
        found = thumbnails.of_run(run)
        self._left -= time.monotonic() - begun
        return found


def waiting(rows: Sequence[RunRow]) -> bool:
    """Whether pictures of these rows still have to be made."""
    return any(not thumbnails.is_made(row.run) for row in rows)


def group_word(query: RunQuery, group: str) -> str:
    """What a group is called."""
    if query.group == "method":
        return catalogue.explainer_title(group) if group else "Other runs"
    if query.group == "scan":
        return group or "No scan, or one that is no longer in the store"
    return day_word(group)


def day_word(day: str, now: float | None = None) -> str:
    """A day (``2026-11-30``) in words."""
    moment = time.time() if now is None else now
    for word, before in (("Today", 0), ("Yesterday", 86400)):
        if day == time.strftime("%Y-%m-%d", time.localtime(moment - before)):
            return word
    return time.strftime("%A, %d %B %Y", time.strptime(day, "%Y-%m-%d"))


def _head(rows: Sequence[RunRow]) -> None:
    tick, line, _ = st.columns(_COLUMNS, vertical_alignment="center", wrap=False)
    ids = [row.run.id for row in rows]
    with tick:
        choosing.tick_all(ids)
    with line:
        cells = text.joined(_CELL.format("head", word) for word in _HEADS)
        text.show(Markup("<div class='run-line run-head'>{}</div>").format(cells))


def _row(row: RunRow, pictures: Pictures) -> None:
    run, words = row.run, described(row.run, row.target)
    name = row.name or words.title
    with st.container(gap=None, key=f"run-{run.id}"):
        tick, line, buttons = st.columns(_COLUMNS, vertical_alignment="center", wrap=False)
        with tick:
            choosing.tick(run.id, name)
        with line:
            text.show(line_of(row, words, pictures.of(run)))
        with buttons, st.container(horizontal=True, horizontal_alignment="right", gap="xxsmall", wrap=False):
            _star(run, name)
            open_button(run, name)
            editing.button(run.id, name)
        if editing.is_open(run.id):
            editing.show(row)


def line_of(row: RunRow, words: Described, picture: bytes | None) -> Markup:
    """What a row shows."""
    run = row.run
    cells = [
        _CELL.format("picture", _picture(picture)),
        _CELL.format("run-row", _what(row, words)),
        _CELL.format("scan", Markup("<span title='{0}'>{0}</span>").format(row.scan_name)),
        _CELL.format("chips", _chips(row, words)),
    ]
    if run.status is Status.DONE:
        cells += [_CELL.format("change", _change(row)), _CELL.format("judged", _verdict(row.verdict))]
    else:
        end = Markup("<span class='status {}'>{}</span><small>{}</small>")
        word = STATUS_WORDS.get(run.status, str(run.status))
        cells.append(_CELL.format("ending", end.format(run.status, word, run.message)))
    moment = time.strftime("%d %b %Y, %H:%M", time.localtime(run.created))
    took = f", took {text.duration(run.seconds)}" if run.seconds and run.status is Status.DONE else ""
    cells.append(Markup("<div class='when' title='{}'>{}</div>").format(f"{moment}{took}", ago(run.created)))
    return _LINE.format(text.joined(cells))


def _picture(picture: bytes | None) -> Markup:
    if picture is None:
        return Markup("<i></i>")
    return text.picture(picture, "", thumbnails.shown_size(picture))


def _what(row: RunRow, words: Described) -> Markup:
    """Its own name if it has one; what it is; the model; the note."""
    below = f"{words.title} · {words.model}" if row.name else words.model
    note = Markup("<em title='{0}'>{1}</em>").format(row.note, row.note.split("\n")[0]) if row.note else Markup()
    return Markup("<span title='{0}'>{0}</span><small title='{1}'>{1}</small>{2}").format(
        row.name or words.title, below, note
    )


def _chips(row: RunRow, words: Described) -> Markup:
    shown = [Markup("<span class='tag' title='{0}'>{0}</span>").format(one) for one in words.settings[:_MOST_CHIPS]]
    more = words.settings[_MOST_CHIPS:]
    if more:
        shown.append(Markup("<span class='tag' title='{}'>+{}</span>").format("\n".join(more), len(more)))
    shown += [Markup("<span class='tag own'>{}</span>").format(tag) for tag in row.tags]
    return text.joined(shown)


def _change(row: RunRow) -> Markup:
    """Probability before and after, as figures over a bar of 0 to 1."""
    if row.before is None:
        return Markup()
    before, after = text.probability(row.before), None if row.after is None else text.probability(row.after)
    figures = Markup("<span><u>{}</u>{}</span>").format(
        before, Markup() if after is None else Markup(" → <b>{}</b>").format(after)
    )
    end = row.before if row.after is None else row.after
    low, high = sorted((row.before, end))
    said = f"Probability of {row.target}: {before}" + (f" before, {after} after" if after is not None else "")
    bar = Markup("<i class='bar' role='img' aria-label='{}' title='{}'>{}</i>")
    parts = Markup("<i style='left:{:.1f}%;width:{:.1f}%'></i><u style='left:{:.1f}%'></u>").format(
        100 * low, 100 * (high - low), 100 * row.before
    )
    if row.after is not None:
        parts += Markup("<b style='left:{:.1f}%'></b>").format(100 * row.after)
    return figures + bar.format(said, said, parts)


def _verdict(state: str) -> Markup:
    word = verdict_word(state)
    return Markup("<span class='verdict-chip {}'>{}</span>").format(state, word) if word else Markup()


def _star(run: Run, name: str) -> None:
    do = "Take the star from" if run.pinned else "Star"
    st.button(
        f"*{do} run of {text.as_markdown(name)}*",
        icon=":material/star:" if run.pinned else ":material/star_outline:",
        key=f"star {run.id}",
        type="tertiary",
        help="Take the star away: it may go when the store is full"
        if run.pinned
        else "Star: it is kept when the store is full",
        on_click=whole(_set_star),
        args=(run.id, not run.pinned),
    )


def _set_star(run_id: str, starred: bool) -> None:
    with told():
        shelf().table.star([run_id], starred)


def page_count(count: int, rows: int) -> int:
    """How many pages there are."""
    return max(1, -(-count // rows))
