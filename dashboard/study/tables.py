"""Tables of a study: sorted by a click on a head, opened by a click on a cell, kept as CSV."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.studies.reading import StoredStudy
from core.studies.record import Cell, Column, Matrix, Table
from core.studies.writing import table_rows
from core.tables import csv_bytes
from core.wording import percent
from dashboard.callbacks import whole
from dashboard.intake import catalogue
from dashboard.look import text
from dashboard.study.desk import Place, StudyDesk

if TYPE_CHECKING:
    import pandas as pd

#: Most rows before a table scrolls, and its height then, pixels.
_MOST, _HEIGHT = 12, 420
#: Kinds whose numbers a browser writes, and how.
_FORMATS = {"count": "localized", "number": "%.3g", "share": "%.1f%%", "probability": "%.1f%%"}
#: Shares this near to their ends, and not at them, are written as this: nothing is sure that is merely close.
_NEAR = 0.0005


def show_tables(laid: StudyDesk, study: StoredStudy) -> Table | None:
    """The table that is chosen, all of it or the rows of the cell that is open; returns it."""
    tables = {table.name: table for table in study.parts.tables}
    if not tables:
        return None
    if laid.table not in tables:
        laid.table = next(iter(tables))
    if len(tables) > 1:
        key = f"study table:{laid.shown}:{laid.table}"
        st.segmented_control(
            "Table", list(tables), default=laid.table, required=True,
            format_func=lambda name: text.as_markdown(tables[name].title),
            key=key, on_change=whole(_table_chosen), args=(laid, key), label_visibility="collapsed",
        )  # fmt: skip
    table = tables[laid.table or ""]
    rows = rows_of(table, study, laid.cell)
    _head(laid, table, study, rows)
    if not rows:
        text.show(text.quiet("No row: nothing was counted here."))
    else:
        _draw(laid, table, rows)
    if table.note:
        text.show(text.quiet(table.note))
    return table


def _table_chosen(laid: StudyDesk, key: str) -> None:
    laid.table = st.session_state[key]
    laid.open_rows(None, None)


def matrix_of(study: StoredStudy, cell: Place | None) -> Matrix | None:
    """The matrix that a cell belongs to."""
    matrices = (figure for figure in study.parts.figures if isinstance(figure, Matrix))
    return next((figure for figure in matrices if cell is not None and figure.name == cell.part), None)


def rows_of(table: Table, study: StoredStudy, cell: Place | None) -> list[int]:
    """Numbers of the rows that are shown: all, or those that the open cell of a matrix stands for."""
    matrix = matrix_of(study, cell)
    everything = list(range(len(table.rows)))
    if matrix is None or cell is None or matrix.opens is None or matrix.opens.table != table.name:
        return everything
    opens = matrix.opens
    wanted = {**opens.where, opens.row: cell.row, opens.column: cell.column}
    names = [column.name for column in table.columns]
    if not set(wanted) <= set(names):
        return everything
    places = {names.index(name): value for name, value in wanted.items()}
    return [row for row in everything if all(str(table.rows[row][at]) == value for at, value in places.items())]


def _head(laid: StudyDesk, table: Table, study: StoredStudy, rows: Sequence[int]) -> None:
    """What the rows are, and the button that shows all of them again."""
    matrix = matrix_of(study, laid.cell)
    open_here = matrix is not None and matrix.opens is not None and matrix.opens.table == table.name
    with st.container(horizontal=True, vertical_alignment="center", wrap=False, key="study-table-head"):
        if open_here and matrix is not None and laid.cell is not None:
            text.show(text.facts([text.bold(cell_words(matrix, laid.cell, len(rows)))]), width="content")
            st.button("Show all rows", key="study all rows", on_click=whole(laid.open_rows), args=(None, None))
        else:
            count = f"{len(table.rows):,} row{'' if len(table.rows) == 1 else 's'}"
            hint = " · click a cell to open what it is about" if table.links else ""
            text.show(text.quiet(count + hint), width="content")
        st.download_button(
            "CSV",
            partial(csv_of, table),
            file_name=f"lightbox-{laid.shown}-{table.name}.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            key=f"study csv {table.name}",
        )


def cell_words(matrix: Matrix, cell: Place, count: int) -> str:
    """What the rows of a cell have in common: ``"The film shows hand · The network says foot: 3 rows"``."""
    row = f"{matrix.y.title} {cell.row}".strip()
    column = f"{matrix.x.title} {cell.column}".strip()
    return f"{row} · {column}: {count} row{'' if count == 1 else 's'}"


def _draw(laid: StudyDesk, table: Table, rows: Sequence[int]) -> None:
    where = laid.cell.row + laid.cell.column if laid.cell is not None else ""
    key = f"study rows:{laid.shown}:{table.name}:{where}"
    options: dict[str, Any] = {}
    if table.links:
        clicked = partial(_clicked, laid, table, tuple(rows), key)
        options = {"on_select": whole(clicked), "selection_mode": "single-cell"}
        selected = _selected(laid.opened, table, rows)
        if selected is not None:
            options["selection_default"] = {"selection": {"rows": [], "columns": [], "cells": [selected]}}
    st.dataframe(
        frame(table, rows),
        hide_index=True,
        height="content" if len(rows) <= _MOST else _HEIGHT,
        column_config={column.name: _config(column, place) for place, column in enumerate(table.columns)},
        key=key,
        alt=f"{table.title}, {len(rows)} rows",
        **options,
    )


def _selected(opened: Place | None, table: Table, rows: Sequence[int]) -> tuple[int, str] | None:
    """Row and column of the open cell, as the table on screen counts them."""
    row = opened_row(opened, table)
    return (rows.index(row), opened.column) if opened is not None and row is not None and row in rows else None


def opened_row(opened: Place | None, table: Table | None) -> int | None:
    """Number of the row that is open; None when none of this table is."""
    if opened is None or table is None or opened.part != table.name or not opened.row.isdecimal():
        return None
    known = opened.column in (column.name for column in table.columns)
    return int(opened.row) if known and int(opened.row) < len(table.rows) else None


def _clicked(laid: StudyDesk, table: Table, rows: Sequence[int], key: str) -> None:
    """Open what the chosen cell is about, if it opens anything: nothing else is taken from what a browser sent."""
    cells = ((st.session_state.get(key) or {}).get("selection") or {}).get("cells") or []
    chosen = tuple(cells[0]) if cells else ()
    laid.opened = None
    if len(chosen) != 2 or not isinstance(chosen[0], int) or not 0 <= chosen[0] < len(rows):
        return
    place = Place(table.name, str(rows[chosen[0]]), str(chosen[1]))
    row = opened_row(place, table)
    if row is not None and table.opening(row, place.column) is not None:
        laid.opened = place


def frame(table: Table, rows: Sequence[int]) -> "pd.DataFrame":
    """Rows of a table as Streamlit draws them: numbers stay numbers, so that they sort as numbers."""
    import pandas as pd  # only pages with a table pay for it

    titles = {name: card.title for name, card in catalogue.cards().items()}
    columns = {
        column.name: _values(column, [table.rows[row][place] for row in rows], titles)
        for place, column in enumerate(table.columns)
    }
    return pd.DataFrame(columns)


def _values(column: Column, values: Sequence[Cell], titles: Mapping[str, str]) -> list[Any]:
    if column.kind in _FORMATS:
        numbers = [value if isinstance(value, int | float) else None for value in values]
        if column.kind in ("share", "probability"):
            return [_percent(value, sure=column.kind == "share") for value in numbers]
        return numbers
    return [_words(column, value, titles) for value in values]


def _percent(share: float | None, sure: bool) -> float | None:
    """A share in percent, as a column of numbers can show it (see `core.wording.percent`); `sure`: it may be 0 or 1."""
    if share is None or not 0 <= share <= 1 or (sure and share in (0, 1)):
        return None if share is None else 100 * share
    return 100 * min(max(share, _NEAR), 1 - 2 * _NEAR)


def _words(column: Column, value: Cell, titles: Mapping[str, str]) -> str | None:
    if value is None:
        return None
    if isinstance(value, tuple):
        write = _counted if column.kind == "share_interval" else "{:.3g}".format
        return " to ".join("?" if end is None else write(end) for end in value)
    return titles.get(str(value), str(value)) if column.kind == "model" else str(value)


def _counted(share: float) -> str:
    """A share that was counted: it may be all or nothing."""
    return f"{share:.0%}" if share in (0, 1) else percent(share)


def _config(column: Column, place: int) -> Any:
    pinned = place == 0
    if column.kind in _FORMATS:
        return st.column_config.NumberColumn(
            column.head, help=column.note or None, format=_FORMATS[column.kind], pinned=pinned
        )
    return st.column_config.TextColumn(column.head, help=column.note or None, pinned=pinned)


def csv_of(table: Table) -> bytes:
    """All rows as CSV for a spreadsheet; text that it would take for a formula gets an apostrophe before it."""
    return csv_bytes(table_rows(table), [column.name for column in table.columns])
