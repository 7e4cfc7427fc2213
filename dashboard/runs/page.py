"""Runs: a table of everything that ran, and above it what is going on."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from core.runs import RunQuery, RunRow
from dashboard.desk import shelf
from dashboard.frame import opening
from dashboard.frame.shell import STATIC
from dashboard.look import text
from dashboard.results.listed import exporting
from dashboard.results.run_list import show_going
from dashboard.results.watch import watch
from dashboard.runs import asking, choosing, table

#: Rows on one page.
ROWS = 25
#: Seconds until the pictures that were not yet made are looked for again.
_SOON = 0.5


def show() -> None:
    """Draw the page."""
    text.show_style(STATIC / "runs.css")
    everything = shelf().table.count(RunQuery(finished=True))
    head = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
    with head:
        st.markdown("## Runs", width="content")
    show_going()
    if not everything:
        choosing.show_undo()
        text.show(
            text.empty("Nothing ran yet", "What you explain is listed here, and can be opened again at any time.")
        )
        return
    query = asking.ask()
    found = shelf().table.count(query) if asking.narrowed(query) else everything
    with head:
        _whole_table(query, everything, found)
    pages = table.page_count(found, ROWS)
    watch(lambda: _page(query, pages), partial(_draw, query), _pace, draw_first=True)
    if pages > 1:
        with st.container(horizontal=True, horizontal_alignment="center"):
            st.pagination(pages, key=_PAGER)


def _pace(rows: Sequence[RunRow]) -> float | None:
    return _SOON if table.waiting(rows) else None


_PAGER = "runs page"


def _page(query: RunQuery, pages: int) -> list[RunRow]:
    page = min(int(st.session_state.get(_PAGER) or 1), pages)
    return shelf().table.page(query, (page - 1) * ROWS, ROWS)


def _draw(query: RunQuery, rows: Sequence[RunRow]) -> None:
    opening.turn_page()
    choosing.show()
    if not rows:
        text.show(asking.describe_nothing())
        return
    table.show(rows, query, shelf().table.groups(query))


def _whole_table(query: RunQuery, everything: int, found: int) -> None:
    """How many there are, and the table as a file."""
    number = f"{everything:,} run{'' if everything == 1 else 's'}"
    with st.container(horizontal=True, vertical_alignment="center", width="content"):
        text.show(text.quiet_word(number if found == everything else f"{found:,} of {number}"), width="content")
        st.download_button(
            "CSV of the table",
            partial(_csv, query),
            file_name=exporting.file_name("runs", "csv"),
            mime="text/csv",
            icon=":material/table:",
            type="tertiary",
            key="runs csv",
            help="All rows that the search and the filters find, not only this page.",
            on_click="ignore",
        )


def _csv(query: RunQuery) -> bytes:
    return exporting.table_csv(shelf().table.page(query, rows=-1))
