"""Plotly figures in the dashboard's own look. Pages hand over plain numbers and get a figure."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import escape

from core.explainers import Curve, Parts
from core.models.called import exclude_each_other
from core.wording import percent
from dashboard.look import theme

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

#: Most rows of classes.
_MOST_CLASSES = 5
#: Letters of a class's name in one line.
_LINE = 16
#: Height of one curve.
_ROW_PIXELS = 52
#: Config for `st.plotly_chart`: nothing floats over the chart.
CONFIG: dict[str, Any] = {"displayModeBar": False, "scrollZoom": False}
_FONT = {"family": "Source Sans, sans-serif", "size": 13, "color": theme.TEXT}


def blank_figure(height: int, **layout: Any) -> "Figure":
    """An empty figure in the dashboard's own look; `layout` is plotly's."""
    from plotly import graph_objects as go  # half a second that only a page with a figure pays

    figure = go.Figure()
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font=_FONT,
        colorway=list(theme.COLORWAY),
        hoverlabel={"bgcolor": theme.SURFACE_RAISED, "bordercolor": theme.BORDER, "font": _FONT},
        showlegend=False,
        **layout,
    )
    axes = {"gridcolor": theme.BORDER, "zerolinecolor": theme.BORDER, "linecolor": theme.BORDER, "automargin": True}
    figure.update_xaxes(**axes, tickfont={"color": theme.TEXT_MUTED})
    figure.update_yaxes(**axes, tickfont={"color": theme.TEXT_MUTED})
    return figure


def probability_bars(
    before: Mapping[str, float] | None,
    after: Mapping[str, float] | None = None,
    target: str | None = None,
    titles: Mapping[str, str] | None = None,
) -> "Figure":
    """One row a class: its probability before, and after what the map marks was replaced.

    Of many classes the likeliest are shown, and the others together in one row.

    Parameters
    ----------
    before, after : mapping of str to float
        Class → probability, 0..1.
    target : str, optional
        A class that is shown in any case.
    titles : mapping of str to str, optional
        What classes are called; others by their names.
    """
    before, after = _likeliest(before or {}, after, target)
    names = list(before)[::-1]
    thickness = 26 if len(names) < _MOST_CLASSES else 18
    height = thickness * len(names) * (2 if after else 1) + 40
    figure = blank_figure(height, barmode="group", bargap=0.3, bargroupgap=0.1)
    rows = [("after", after, theme.AFTER), ("before", before, theme.BEFORE)]
    for label, values, colour in rows:
        if values is None:
            continue
        shares = [values.get(name, 0.0) for name in names]
        figure.add_bar(
            x=shares,
            y=[_in_lines(titles[name]) if titles and name in titles else as_words(name) for name in names],
            orientation="h",
            name=label,
            marker={"color": colour, "line": {"width": 0}},
            text=[f"{label} {percent(share)}" if after else percent(share) for share in shares],
            textposition="outside",
            textfont={"size": 13 if thickness > 20 else 12},
            constraintext="none",
            cliponaxis=False,
            hovertemplate="%{y} " + label + " %{x:.4f}<extra></extra>",
        )
    figure.update_xaxes(range=[0, 1.75], tickvals=[0, 0.5, 1], tickformat=".0%", showgrid=False, zeroline=False)
    figure.update_yaxes(tickfont={"color": theme.TEXT, "size": 14}, showgrid=False)
    return figure


def _in_lines(name: str) -> str:
    """A long title in lines of a few words, so that bars keep their room."""
    return "<br>".join(as_words(line) for line in textwrap.wrap(name, _LINE) or [name])


def as_words(name: str) -> str:
    """A name from outside for a figure: plotly reads tags, and turns back what is escaped."""
    return str(escape(name))


def _likeliest(
    before: Mapping[str, float], after: Mapping[str, float] | None, target: str | None
) -> tuple[Mapping[str, float], Mapping[str, float] | None]:
    """All classes as they are while they are few; else the likeliest before, and the rest of both in one row."""
    if len(before) <= _MOST_CLASSES:
        return before, after
    ranked = sorted(before, key=lambda name: (name != target, -before[name]))[: _MOST_CLASSES - 1]
    ranked.sort(key=lambda name: -before[name])
    rest = [name for name in before if name not in ranked]
    exclusive = exclude_each_other(before)

    def shortened(values: Mapping[str, float]) -> dict[str, float]:
        shares = [values.get(name, 0.0) for name in rest]
        # of classes that may hold together, adding up would be a probability of nothing
        others = {f"{len(rest)} others": sum(shares)} if exclusive else {f"highest of {len(rest)} others": max(shares)}
        return {**{name: values.get(name, 0.0) for name in ranked}, **others}

    return shortened(before), None if after is None else shortened(after)


def score_bars(parts: Parts, colour: str) -> "Figure":
    """One thin bar a part, in the order of its score.

    Parameters
    ----------
    parts : Parts
        What a map was made of; those without a score have no bar.
    colour : str
        Colour of the explainer.
    """
    figure = blank_figure(150, bargap=0.25)
    scored = [part for part in parts.members if part.score is not None]
    figure.add_bar(
        x=[as_words(part.title) for part in scored], y=[part.score for part in scored],
        marker={"color": colour, "line": {"width": 0}}, hovertemplate="%{x}: score %{y:.4g}<extra></extra>",
    )  # fmt: skip
    names = f"{as_words(parts.plural)}, strongest first"
    figure.update_xaxes(title={"text": names, "font": {"size": 12}}, showticklabels=False)
    figure.update_yaxes(title={"text": "score", "font": {"size": 12}}, nticks=4)
    return figure


def region_bars(regions: Sequence[Mapping[str, Any]], colour: str, limit: int = 8) -> "Figure":
    """Regions ranked by the share of the map they hold.

    Parameters
    ----------
    regions : sequence of mapping
        ``name`` and ``share`` (0..1), largest first; ``density`` where it is known.
    colour : str
        Of all bars.
    limit : int
        Most rows shown.
    """
    shown = [region for region in regions if region["share"] > 0][:limit][::-1]
    figure = blank_figure(25 * len(shown) + 30, bargap=0.35)
    figure.add_bar(
        x=[region["share"] for region in shown],
        y=[as_words(region["name"]) for region in shown],
        orientation="h",
        marker={"color": colour, "line": {"width": 0}},
        text=[f"{region['share']:.1%}" for region in shown],
        textposition="outside",
        cliponaxis=False,
        customdata=[f", mean {region['density']:.3g} inside" if "density" in region else "" for region in shown],
        hovertemplate="%{y}: %{x:.1%} of the map%{customdata}<extra></extra>",
    )
    top = max((region["share"] for region in shown), default=1.0)
    figure.update_xaxes(range=[0, top * 1.35], visible=False)
    figure.update_yaxes(tickfont={"color": theme.TEXT}, showgrid=False)
    return figure


def history_curves(history: Mapping[str, Sequence[float]], curves: Mapping[str, Curve], colour: str) -> "Figure":
    """Curves over the iterations, each in a row of its own: their units differ, so no axis is shared but time.

    Parameters
    ----------
    history : mapping of str to sequence of float
        Column → values; ``iteration`` is the x-axis where there is one. NaN leaves a gap.
    curves : mapping of str to Curve
        How columns are drawn, in order; those that are not in it come last, quiet.
    colour : str
        Colour of the explainer, for what is optimised.
    """
    known = [name for name in history if name != "iteration"]
    columns = [name for name in curves if name in known] + [name for name in known if name not in curves]
    count = max((len(history[name]) for name in columns), default=0)
    steps = list(history.get("iteration") or range(count))
    figure = blank_figure(_ROW_PIXELS * len(columns) + 44, hovermode="x unified")
    share = 1 / max(len(columns), 1)
    colours = {"answer": theme.TEXT, "goal": colour, "term": theme.TEXT_MUTED}
    for row, name in enumerate(columns):
        number = "" if row == 0 else str(row + 1)
        curve = curves.get(name) or Curve(name.replace("_", " "))
        figure.add_scatter(
            x=steps, y=list(history[name]), name=as_words(curve.label), mode="lines", yaxis=f"y{number}",
            line={"color": colours[curve.role], "width": 1.8}, hovertemplate="%{y:.4g}",
        )  # fmt: skip
        top = 1 - row * share
        figure.update_layout({f"yaxis{number}": _row_axis(curve, history[name], top - share * 0.86, top)})
        figure.add_annotation(
            text=as_words(curve.label), x=0, y=top - share * 0.43, xref="paper", yref="paper", xanchor="left",
            yanchor="middle", showarrow=False, font={"size": 12, "color": theme.TEXT_MUTED},
        )  # fmt: skip
    last = "" if len(columns) < 2 else str(len(columns))
    # names stand in the left quarter, the ends of each row's axis in the right margin
    figure.update_xaxes(
        domain=[0.25, 1], title={"text": "iteration", "font": {"size": 12}}, showgrid=False, anchor=f"y{last}"
    )
    figure.update_layout(margin={"l": 0, "r": 44, "t": 8, "b": 8})
    return figure


def _row_axis(curve: Curve, values: Sequence[float], bottom: float, top: float) -> dict[str, Any]:
    """Axis of one row: its ends and nothing between. A log axis is given in powers of ten, as plotly wants it."""
    log = curve.scale == "log"
    axis: dict[str, Any] = {
        "type": curve.scale,
        "domain": [max(bottom, 0.0), top],
        "gridcolor": theme.BORDER,
        "zeroline": False,
        "side": "right",
    }
    known = [value for value in values if value == value and (value > 0 or not log)]
    low = min(known, default=0.0) if curve.low is None else curve.low
    high = max(known, default=1.0) if curve.high is None else curve.high
    if high > low > 0 or (high > low and not log):
        ends = [math.log10(low), math.log10(high)] if log else [low, high]
        margin = 0.04 * (ends[1] - ends[0])
        axis |= {
            "range": [ends[0] - margin, ends[1] + margin],
            "tickvals": [low, high],
            "ticktext": [_briefly(low), _briefly(high)],
        }
    return axis | {"tickfont": {"size": 12, "color": theme.TEXT_MUTED}}


def leak_curve(distances: Sequence[float], shares: Sequence[float], unit: str, chosen: float, colour: str) -> "Figure":
    """Share of a map's mass farther from the selection than each distance.

    Parameters
    ----------
    distances, shares : sequence of float
        Distance in `unit`, and the share (0..1) beyond it.
    unit : str
        mm or pixels.
    chosen : float
        Distance that is marked.
    colour : str
        Colour of the explainer.
    """
    figure = blank_figure(150)
    figure.add_scatter(
        x=list(distances), y=list(shares), mode="lines", line={"color": colour, "width": 1.8}, fill="tozeroy",
        fillcolor="rgba(143,169,191,.15)", hovertemplate=f"%{{y:.1%}} beyond %{{x:.4g}} {unit}<extra></extra>",
    )  # fmt: skip
    figure.add_vline(x=chosen, line={"color": theme.TEXT_MUTED, "width": 1, "dash": "dot"})
    figure.update_xaxes(title={"text": f"distance from the selection ({unit})", "font": {"size": 12}}, showgrid=False)
    figure.update_yaxes(range=[0, 1.02], tickvals=[0, 0.5, 1], tickformat=".0%")
    return figure


def _briefly(value: float) -> str:
    """Three digits; whole thousands without powers of ten."""
    return f"{value:.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"
