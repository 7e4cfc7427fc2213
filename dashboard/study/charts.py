"""Figures of a study as plotly charts in the dashboard's own look."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from core.studies.record import Axis, Chart, Matrix, Series
from dashboard.look import theme
from dashboard.look.figures import as_words, blank_figure

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_HEIGHT = 300
#: Boxes of more points than this show only those that lie outside.
_POINTS = 200
#: Pixels of a row of a matrix, and the most that a matrix may be high.
_ROW, _TALLEST = 30, 640
#: Letters in a line of a label.
_LINE = 18
#: Numbers stand in the cells of matrices up to this size.
_NUMBERED = 16


def chart(figure: Chart) -> "Figure":
    """Lines, ROC curves, bars, boxes or points."""
    drawn = blank_figure(_HEIGHT, barmode="group", bargap=0.3, bargroupgap=0.08, hovermode="closest")
    for number, series in enumerate(figure.series):
        colour = theme.COLORWAY[number % len(theme.COLORWAY)]
        if figure.kind == "bar":
            drawn.add_bar(**_common(series, figure), marker={"color": colour, "line": {"width": 0}}, **_error(series))
        elif figure.kind == "box":
            points = "all" if len(series.y) <= _POINTS else "outliers"
            drawn.add_box(
                y=series.y, name=_wrapped(series.name), boxpoints=points, jitter=0.4, pointpos=0, line={"width": 1.5},
                marker={"color": colour, "size": 5, "opacity": 0.7}, fillcolor="rgba(0,0,0,0)",
            )  # fmt: skip
        else:
            _add_curve(drawn, figure, series, colour)
    if figure.kind == "roc":
        drawn.add_shape(
            type="line", x0=0, y0=0, x1=1, y1=1, line={"color": theme.TEXT_MUTED, "width": 1, "dash": "dot"}
        )
    drawn.update_xaxes(**_axis(figure.x, figure))
    drawn.update_yaxes(**_axis(figure.y, figure))
    named = figure.kind != "box" and len([series for series in figure.series if series.name]) > 1
    if named:
        drawn.update_layout(showlegend=True, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0})
    return drawn


def _common(series: Series, figure: Chart) -> dict[str, Any]:
    number = ".1%" if figure.y.share else ".4g"
    unit = f" {as_words(figure.y.unit)}" if figure.y.unit else ""
    name = as_words(series.name)
    return {
        "x": [_wrapped(x) if isinstance(x, str) else x for x in series.x] or list(range(len(series.y))),
        "y": list(series.y),
        "name": name,
        "hovertemplate": f"{'%{fullData.name}<br>' if name else ''}%{{x}}: %{{y:{number}}}{unit}<extra></extra>",
    }


def _wrapped(words: str) -> str:
    """A label in lines short enough to stand level below an axis."""
    return "<br>".join(as_words(line) for line in textwrap.wrap(words, _LINE)) or as_words(words)


def _error(series: Series) -> dict[str, Any]:
    """Lines from the low to the high end of each value's interval."""
    if not series.low or not series.high:
        return {}
    above = [None if y is None or h is None else h - y for y, h in zip(series.y, series.high, strict=True)]
    below = [None if y is None or low is None else y - low for y, low in zip(series.y, series.low, strict=True)]
    error = {"type": "data", "symmetric": False, "array": above, "arrayminus": below, "color": theme.TEXT, "width": 4}
    return {"error_y": {**error, "thickness": 1.2}}


def _add_curve(drawn: "Figure", figure: Chart, series: Series, colour: str) -> None:
    common = _common(series, figure)
    if figure.kind == "points":
        drawn.add_scatter(**common, mode="markers", marker={"color": colour, "size": 7}, **_error(series))
        return
    if series.low and series.high:
        edge = {"x": common["x"], "mode": "lines", "line": {"width": 0}, "showlegend": False, "hoverinfo": "skip"}
        drawn.add_scatter(y=list(series.low), **edge)
        drawn.add_scatter(y=list(series.high), **edge, fill="tonexty", fillcolor=_faint(colour))
    drawn.add_scatter(**common, mode="lines", line={"color": colour, "width": 1.8})


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},.15)"


def _axis(axis: Axis, figure: Chart) -> dict[str, Any]:
    words = " ".join(part for part in (axis.title, f"({axis.unit})" if axis.unit else "") if part)
    found: dict[str, Any] = {"title": {"text": as_words(words), "font": {"size": 12}}, "type": None}
    if axis.scale == "log":
        found["type"] = "log"
    elif axis is figure.x and any(isinstance(x, str) for series in figure.series for x in series.x):
        found |= {"type": "category", "showgrid": False, "tickfont": {"color": theme.TEXT}}
    if axis.share or figure.kind == "roc":
        found["tickformat"] = ".0%"
    low, high = (0.0, 1.0) if figure.kind == "roc" else (axis.low, axis.high)
    if (low is not None or high is not None) and axis.scale == "linear":
        room = 0.02 * (high - low) if low is not None and high is not None else 0.0
        found["range"] = [low, high + room if high is not None else None]
    return found


def heat(figure: Matrix) -> "Figure":
    """A matrix as coloured cells, its first row on top."""
    tallest = min(max(_ROW * len(figure.rows) + 90, 180), _TALLEST)
    drawn = blank_figure(tallest)
    low, high = ends(figure)
    number = ".0%" if figure.value.share else ".3g"
    cells: dict[str, Any] = {}
    if max(len(figure.rows), len(figure.columns)) <= _NUMBERED:
        cells = {"texttemplate": f"%{{z:{number}}}", "textfont": {"size": 12}}
    drawn.add_heatmap(
        z=[list(row) for row in figure.values],
        x=[as_words(name) for name in figure.columns],
        y=[as_words(name) for name in figure.rows],
        zmin=low,
        zmax=high,
        colorscale="RdBu_r" if figure.centre is not None else "Magma",
        xgap=2,
        ygap=2,
        colorbar={"thickness": 10, "outlinewidth": 0, "tickformat": number, "title": {"text": _title(figure.value)}},
        hovertemplate=f"%{{y}}, %{{x}}: %{{z:{number}}}<extra></extra>",
        **cells,
    )
    drawn.update_xaxes(type="category", showgrid=False, title={"text": _title(figure.x), "font": {"size": 12}})
    drawn.update_yaxes(
        type="category", showgrid=False, autorange="reversed", title={"text": _title(figure.y), "font": {"size": 12}}
    )
    return drawn


def _title(axis: Axis) -> str:
    return as_words(" ".join(part for part in (axis.title, f"({axis.unit})" if axis.unit else "") if part))


def ends(figure: Matrix) -> tuple[float, float]:
    """Values at the ends of a matrix's colours: as declared, else those it has; the same distance from a centre."""
    known = _known(figure.values)
    low = figure.value.low if figure.value.low is not None else min(known, default=0.0)
    high = figure.value.high if figure.value.high is not None else max(known, default=1.0)
    if figure.centre is not None:
        reach = max(abs(high - figure.centre), abs(figure.centre - low))
        low, high = figure.centre - reach, figure.centre + reach
    return low, high if high > low else low + 1.0


def _known(values: Sequence[Sequence[float | None]]) -> list[float]:
    return [value for row in values for value in row if value is not None]
