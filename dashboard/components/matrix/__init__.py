"""A matrix whose cells are buttons: a confusion matrix, or values by row and column.

The app must serve `dashboard.frame.server.volume_routes`.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Literal

import numpy as np
import streamlit as st

from dashboard.callbacks import whole
from dashboard.components import registering as components
from dashboard.look import theme

__all__ = ["Cell", "grid", "matrix"]

#: With more columns than this there is room for the main figure alone; what stands beside it is in the tooltips.
_ROOMY = 12
_RECALL = ("found", "Share of the class that was recognised")


@dataclass(frozen=True)
class Cell:
    """One cell. Its words are shown as they are: nothing in them is read as markup.

    Parameters
    ----------
    main, beside : str
        The figure, and what stands small below it where there is room.
    label, title : str
        What it is for those who hear it, and its tooltip.
    share : float
        0..1, how strongly it is tinted.
    hue : {"right", "wrong", "none"}
        Accent colour, its opposite, or the ground.
    """

    main: str
    beside: str = ""
    label: str = ""
    title: str = ""
    share: float = 0.0
    hue: Literal["right", "wrong", "none"] = "right"


def grid(
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Sequence[Sequence[Cell]],
    key: str,
    *,
    label: str,
    corner: tuple[str, str] = ("", ""),
    ends: tuple[tuple[str, str], Sequence[str]] | None = None,
    selected: tuple[str, str] | None = None,
    on_click: Callable[[str, str], None],
) -> None:
    """Show a matrix; each cell is reached by mouse, or by Tab and the arrow keys.

    Parameters
    ----------
    rows, columns : sequence of str
        Their names, each once. They are shown as they are.
    cells : sequence of sequence of Cell
        One a column in each row.
    key : str
        Streamlit key of the component.
    label : str
        What a screen reader calls it.
    corner : tuple of str
        What the rows and the columns are.
    ends : tuple, optional
        A column of words behind the cells: its head and tooltip, and one entry a row.
    selected : tuple of str, optional
        Row and column of the cell that is open.
    on_click : callable
        Called with row and column of a cell that was clicked, before the rerun that this causes.
    """
    if len(set(rows)) < len(rows) or len(set(columns)) < len(columns):
        raise ValueError("rows and columns of a matrix need different names")
    if len(cells) != len(rows) or any(len(row) != len(columns) for row in cells):
        raise ValueError(f"a matrix of {len(rows)} rows and {len(columns)} columns needs as many cells")
    data = {
        **components.address("matrix"),
        "rows": list(rows),
        "columns": list(columns),
        "cells": [[asdict(cell) for cell in row] for row in cells],
        "corner": list(corner),
        "ends": {"head": ends[0][0], "title": ends[0][1], "values": list(ends[1])} if ends is not None else None,
        "label": label,
        "selected": list(selected) if selected is not None else None,
        "roomy": len(columns) <= _ROOMY,
        "hues": {"right": theme.CHART, "wrong": theme.COLORWAY[1]},
    }
    notice = whole(partial(_notify, key, frozenset(rows), frozenset(columns), on_click))
    components.register("matrix", "matrix")(key=key, data=data, on_cell_change=notice)


def matrix(
    classes: Sequence[str],
    counts: np.ndarray,
    key: str,
    *,
    label: str,
    selected: tuple[str, str] | None = None,
    on_click: Callable[[str, str], None],
) -> None:
    """Show a confusion matrix.

    Parameters
    ----------
    classes : sequence of str
        Names of rows and columns.
    counts : numpy.ndarray of int, shape (classes, classes)
        Films by truth (rows) and prediction (columns).
    key, label, selected, on_click
        As in `grid`: truth and prediction of a cell.
    """
    if counts.shape != (len(classes), len(classes)) or len(set(classes)) < len(classes):
        raise ValueError(f"counts of shape {counts.shape} for {len(classes)} classes")
    recalls = [_share_words(counts[row, row], counts[row].sum()) for row in range(len(classes))]
    grid(
        classes,
        classes,
        cells(classes, counts),
        key,
        label=label,
        corner=("truth ↓", "predicted →"),
        ends=(_RECALL, recalls),
        selected=selected,
        on_click=on_click,
    )


def cells(classes: Sequence[str], counts: np.ndarray) -> list[list[Cell]]:
    """What each cell of a confusion matrix shows and says: count, share of its row, and a sentence."""
    totals = counts.sum(axis=1).tolist()
    return [
        [_cell(truth, predicted, count, total) for predicted, count in zip(classes, row, strict=True)]
        for truth, row, total in zip(classes, counts.tolist(), totals, strict=True)
    ]


def _cell(truth: str, predicted: str, count: int, total: int) -> Cell:
    label, words = cell_label(truth, predicted, count), _share_words(count, total)
    if not count:
        return Cell("·", label=label, title=label, hue="none")
    hue: Literal["right", "wrong"] = "right" if truth == predicted else "wrong"
    return Cell(str(count), words, label, f"{label}, {words} of the class", count / total, hue)


def cell_label(truth: str, predicted: str, count: int) -> str:
    """``"truth hand, predicted foot: 3 films"``."""
    return f"truth {truth}, predicted {predicted}: {count or 'no'} film{'' if count == 1 else 's'}"


def _share_words(count: int, total: int) -> str:
    return f"{count / total:.0%}" if total else "–"


def _notify(key: str, rows: Collection[str], columns: Collection[str], on_click: Callable[[str, str], None]) -> None:
    """Hand on what a browser sent, if it names a cell: nothing else is taken from it."""
    chosen = (st.session_state.get(key) or {}).get("cell")
    if not isinstance(chosen, list) or len(chosen) != 2 or not all(isinstance(name, str) for name in chosen):
        return
    if chosen[0] in rows and chosen[1] in columns:
        on_click(chosen[0], chosen[1])
