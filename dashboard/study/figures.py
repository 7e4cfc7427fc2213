"""Figures of a study on its page: charts, and matrices whose cells show the rows behind them."""

from functools import partial

import streamlit as st

from core.studies.reading import StoredStudy
from core.studies.record import Chart, Matrix
from dashboard.callbacks import whole
from dashboard.components.matrix import Cell, grid
from dashboard.look import figures, text
from dashboard.study import charts
from dashboard.study.desk import Place, StudyDesk


def show_figures(laid: StudyDesk, study: StoredStudy) -> None:
    """All of them, two beside each other."""
    shown = [figure for figure in study.parts.figures if _has_values(figure)]
    for start in range(0, len(shown), 2):
        places = st.columns(2, gap="large")
        for place, figure in zip(places, shown[start : start + 2], strict=False):
            with place:
                _show(laid, study, figure)


def _has_values(figure: Chart | Matrix) -> bool:
    if isinstance(figure, Matrix):
        return bool(figure.rows and figure.columns)
    return any(series.y for series in figure.series)


def _show(laid: StudyDesk, study: StoredStudy, figure: Chart | Matrix) -> None:
    text.show(text.heading(figure.title))
    if isinstance(figure, Chart):
        _plot(laid, figure.name, figure.title, charts.chart(figure))
    elif figure.opens is not None and study.parts.table(figure.opens.table) is not None and _named_once(figure):
        _buttons(laid, figure, figure.opens.table)
    else:
        _plot(laid, figure.name, figure.title, charts.heat(figure))
    if figure.note:
        text.show(text.quiet(figure.note))


def _plot(laid: StudyDesk, name: str, title: str, drawn: "charts.Figure") -> None:
    st.plotly_chart(drawn, theme=None, config=figures.CONFIG, key=f"study figure:{laid.shown}:{name}", alt=title)


def _named_once(figure: Matrix) -> bool:
    return len(set(figure.rows)) == len(figure.rows) and len(set(figure.columns)) == len(figure.columns)


def _buttons(laid: StudyDesk, figure: Matrix, table: str) -> None:
    """A matrix whose cells show rows of a table."""
    here = laid.cell if laid.cell is not None and laid.cell.part == figure.name else None
    grid(
        figure.rows,
        figure.columns,
        cells(figure),
        key=f"study matrix:{laid.shown}:{figure.name}",
        label=figure.title,
        corner=(f"{figure.y.title} ↓" if figure.y.title else "", f"{figure.x.title} →" if figure.x.title else ""),
        selected=(here.row, here.column) if here is not None else None,
        on_click=whole(partial(_open_rows, laid, figure.name, table)),
    )


def _open_rows(laid: StudyDesk, name: str, table: str, row: str, column: str) -> None:
    laid.open_rows(Place(name, row, column), table)


def cells(figure: Matrix) -> list[list[Cell]]:
    """What the cells of a matrix show.

    Where rows and columns are the same the diagonal has one colour and all else the other, stronger the more of its row
    a cell holds. Where colours diverge, values below the centre have the other one.
    """
    return [
        [_cell(figure, row, column, value) for column, value in enumerate(values)]
        for row, values in enumerate(figure.values)
    ]


def _cell(figure: Matrix, row: int, column: int, value: float | None) -> Cell:
    label = f"{figure.rows[row]}, {figure.columns[column]}: {words(figure, value)}"
    if value is None or (value == 0 and figure.centre is None):
        return Cell("·", label=label, title=label, hue="none")
    low, high = charts.ends(figure)
    right = True
    if figure.centre is not None:
        share, right = abs(value - figure.centre) / (high - figure.centre), value >= figure.centre
    elif figure.rows == figure.columns:
        total = sum(known or 0.0 for known in figure.values[row])
        share, right = value / total if total > 0 else 0.0, row == column
    else:
        share = (value - low) / (high - low)
    return Cell(words(figure, value), "", label, label, min(max(share, 0.0), 1.0), "right" if right else "wrong")


def words(figure: Matrix, value: float | None) -> str:
    """A value as its cell shows it."""
    if value is None:
        return "nothing"
    if figure.value.share:
        return f"{value:.0%}"
    unit = f" {figure.value.unit}" if figure.value.unit else ""
    return (f"{value:,.0f}" if float(value).is_integer() else f"{value:.2f}") + unit
