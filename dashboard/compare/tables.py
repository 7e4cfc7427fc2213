"""Tables of the Compare page as HTML: right-aligned figures, quiet heads, colours by value. Everything is escaped."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dashboard.look.text import escape

#: Colour that a full cell of a heat table has; an empty one is the table's ground.
_HEAT = "63, 184, 204"


@dataclass(frozen=True)
class Figure:
    """A cell with a figure.

    Parameters
    ----------
    main : str
        The figure.
    beside : str
        Smaller, after it: an interval, a ratio.
    heat : float, optional
        0..1, how strongly the cell is tinted.
    """

    main: str
    beside: str = ""
    heat: float | None = None


def table(heads: Sequence[str], rows: Iterable[Sequence[str | Figure]], label: str) -> str:
    """A table whose first column names the row.

    Parameters
    ----------
    heads : sequence of str
        Of every column, the first included.
    rows : iterable of sequence
        Plain words (left-aligned), or figures (right-aligned).
    label : str
        What the table is, for those who hear it.
    """
    top = "".join(f"<th scope='col'>{escape(head)}</th>" for head in heads)
    body = "".join(f"<tr>{_first(row[0])}{''.join(map(_cell, row[1:]))}</tr>" for row in rows)
    return (
        f"<div class='table-frame'><table class='figures' aria-label='{escape(label)}'>"
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _first(cell: str | Figure) -> str:
    words = cell.main if isinstance(cell, Figure) else cell
    return f"<th scope='row'>{escape(words)}</th>"


def _cell(cell: str | Figure) -> str:
    if not isinstance(cell, Figure):
        return f"<td class='words'>{escape(cell)}</td>"
    tint = "" if cell.heat is None else f" style='background: rgba({_HEAT}, {min(max(cell.heat, 0.0), 1.0) * 0.6:.3f})'"
    beside = f"<small>{escape(cell.beside)}</small>" if cell.beside else ""
    return f"<td{tint}>{escape(cell.main)}{beside}</td>"
