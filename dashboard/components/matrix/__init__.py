"""A confusion matrix whose cells are buttons.

The app must serve `dashboard.frame.server.volume_routes`.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from dashboard.components import registering as components
from dashboard.look import theme

__all__ = ["matrix"]

#: With more classes than this there is room for counts alone; shares are in the tooltips.
_ROOMY = 12


def matrix(
    classes: Sequence[str],
    counts: np.ndarray,
    key: str,
    *,
    label: str,
    selected: tuple[str, str] | None = None,
    on_click: Callable[[str, str], None],
) -> None:
    """Show a confusion matrix; each cell is reached by mouse, or by Tab and the arrow keys.

    Parameters
    ----------
    classes : sequence of str
        Names of rows and columns. They are shown as they are: nothing in them is read as markup.
    counts : numpy.ndarray of int, shape (classes, classes)
        Films by truth (rows) and prediction (columns).
    key : str
        Streamlit key of the component.
    label : str
        What a screen reader calls it.
    selected : tuple of str, optional
        Truth and prediction of the cell that is open.
    on_click : callable
        Called with truth and prediction of a cell that was clicked, before the rerun that this causes.
    """
    if counts.shape != (len(classes), len(classes)) or len(set(classes)) < len(classes):
        raise ValueError(f"counts of shape {counts.shape} for {len(classes)} classes")
    data = {
        **components.address("matrix"),
        "classes": list(classes),
        "rows": cells(classes, counts),
        "recalls": [_share_words(counts[row, row], counts[row].sum()) for row in range(len(classes))],
        "label": label,
        "selected": list(selected) if selected is not None else None,
        "roomy": len(classes) <= _ROOMY,
        "hues": {"right": theme.ACCENT, "wrong": theme.COLORWAY[1]},
    }
    notice = partial(_notify, key, frozenset(classes), on_click)
    components.register("matrix", "matrix")(key=key, data=data, on_cell_change=notice)


def cells(classes: Sequence[str], counts: np.ndarray) -> list[list[dict[str, Any]]]:
    """What each cell shows and says: count, share of its row, and a sentence for those who hear it."""
    totals = counts.sum(axis=1)
    return [
        [
            {
                "count": int(counts[row, column]),
                "share": float(counts[row, column] / totals[row]) if totals[row] else 0.0,
                "words": _share_words(counts[row, column], totals[row]),
                "label": cell_label(truth, predicted, int(counts[row, column])),
            }
            for column, predicted in enumerate(classes)
        ]
        for row, truth in enumerate(classes)
    ]


def cell_label(truth: str, predicted: str, count: int) -> str:
    """``"truth hand, predicted foot: 3 films"``."""
    return f"truth {truth}, predicted {predicted}: {count or 'no'} film{'' if count == 1 else 's'}"


def _share_words(count: int, total: int) -> str:
    return f"{count / total:.0%}" if total else "–"


def _notify(key: str, classes: frozenset[str], on_click: Callable[[str, str], None]) -> None:
    """Hand on what a browser sent, if it names a cell: nothing else is taken from it."""
    chosen = (st.session_state.get(key) or {}).get("cell")
    if isinstance(chosen, list) and len(chosen) == 2 and all(isinstance(c, str) and c in classes for c in chosen):
        on_click(chosen[0], chosen[1])
