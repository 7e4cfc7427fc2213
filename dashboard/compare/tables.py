"""Tables of the Compare page as HTML: right-aligned figures, quiet heads, colours by value."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dashboard.look.text import Markup, joined

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


def table(heads: Sequence[str], rows: Iterable[Sequence[str | Figure]], label: str) -> Markup:
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
    top = joined(Markup("<th scope='col'>{}</th>").format(head) for head in heads)
    body = joined(Markup("<tr>{}{}</tr>").format(_first(row[0]), joined(map(_cell, row[1:]))) for row in rows)
    return Markup(
        "<div class='table-frame'><table class='figures' aria-label='{}'>"
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
    ).format(label, top, body)


def _first(cell: str | Figure) -> Markup:
    words = cell.main if isinstance(cell, Figure) else cell
    return Markup("<th scope='row'>{}</th>").format(words)


def _cell(cell: str | Figure) -> Markup:
    if not isinstance(cell, Figure):
        return Markup("<td class='words'>{}</td>").format(cell)
    beside = Markup("<small>{}</small>").format(cell.beside) if cell.beside else ""
    if cell.heat is None:
        return Markup("<td>{}{}</td>").format(cell.main, beside)
    opacity = min(max(cell.heat, 0.0), 1.0) * 0.6
    tint = f"background: rgba({_HEAT}, {opacity:.3f})"
    return Markup("<td style='{}'>{}{}</td>").format(tint, cell.main, beside)
