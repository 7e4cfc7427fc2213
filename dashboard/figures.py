"""Plotly figures in the dashboard's own look. Pages hand over plain numbers and get a figure."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dashboard import theme

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

#: Names of history columns in words; any other column is shown under its own name.
CURVE_TITLES = {
    "loss": "loss",
    "probability": "probability",
    "f": "model term",
    "size": "size term",
    "smoothness": "smoothness term",
}
#: Config for `st.plotly_chart`: nothing floats over the chart.
CONFIG: dict[str, Any] = {"displayModeBar": False, "scrollZoom": False}
_FONT = {"family": "Source Sans, sans-serif", "size": 13, "color": theme.TEXT}


def _figure(height: int, **layout: Any) -> "Figure":
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


def probability_bars(before: Mapping[str, float], after: Mapping[str, float] | None = None) -> "Figure":
    """One row a class: its probability before, and after what the map marks was replaced.

    Parameters
    ----------
    before, after : mapping of str to float
        Class → probability, 0..1.
    """
    names = list(before)[::-1]
    figure = _figure(34 * len(names) * (2 if after else 1) + 44, barmode="group", bargap=0.25, bargroupgap=0.12)
    rows = [("after", after, theme.AFTER), ("before", before, theme.BEFORE)]
    for label, values, colour in rows:
        if values is None:
            continue
        shares = [values.get(name, 0.0) for name in names]
        figure.add_bar(
            x=shares,
            y=names,
            orientation="h",
            name=label,
            marker={"color": colour, "line": {"width": 0}},
            text=[f"{label} {share:.3f}" if after else f"{share:.3f}" for share in shares],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y} " + label + " %{x:.4f}<extra></extra>",
        )
    figure.update_xaxes(range=[0, 1.28], tickvals=[0, 0.5, 1], title=None)
    figure.update_yaxes(tickfont={"color": theme.TEXT, "size": 14}, showgrid=False)
    return figure


def region_bars(regions: Sequence[Mapping[str, Any]], colour: str, limit: int = 8) -> "Figure":
    """Regions ranked by the share of the map they hold.

    Parameters
    ----------
    regions : sequence of mapping
        ``name`` and ``share`` (0..1), largest first.
    colour : str
        Colour of the explainer.
    limit : int
        Most rows shown.
    """
    shown = [region for region in regions if region["share"] > 0][:limit][::-1]
    figure = _figure(25 * len(shown) + 30, bargap=0.35)
    figure.add_bar(
        x=[region["share"] for region in shown],
        y=[region["name"] for region in shown],
        orientation="h",
        marker={"color": colour, "line": {"width": 0}},
        text=[f"{region['share']:.1%}" for region in shown],
        textposition="outside",
        cliponaxis=False,
        customdata=[region.get("density", 0.0) for region in shown],
        hovertemplate="%{y}: %{x:.1%} of the map, mean %{customdata:.3g} inside<extra></extra>",
    )
    top = max((region["share"] for region in shown), default=1.0)
    figure.update_xaxes(range=[0, top * 1.2], visible=False)
    figure.update_yaxes(tickfont={"color": theme.TEXT}, showgrid=False)
    return figure


def history_curves(history: Mapping[str, Sequence[float]], colour: str) -> "Figure":
    """The loss over the iterations, and the probability of the class on an axis of its own.

    Parameters
    ----------
    history : mapping of str to sequence of float
        Column → values; ``iteration`` is the x-axis where there is one. ``probability`` goes to the right axis.
    colour : str
        Colour of the explainer, for the loss.
    """
    count = max((len(values) for values in history.values()), default=0)
    steps = list(history.get("iteration") or range(1, count + 1))
    figure = _figure(230, hovermode="x unified")
    columns = [name for name in history if name != "iteration"]
    others = [name for name in columns if name not in ("loss", "probability")]
    palette = [c for c in theme.COLORWAY if c not in (colour, theme.CLASS_COLORS["AD"])]
    for place, name in enumerate(["loss", *others] if "loss" in columns else others):
        line = {"color": colour, "width": 2.5} if name == "loss" else {"color": palette[place % len(palette)], "width": 1.2}
        _curve(figure, steps, history[name], name, line)
    if "probability" in columns:
        _curve(figure, steps, history["probability"], "probability", {"color": theme.TEXT, "width": 2, "dash": "dot"}, "y2")
        figure.update_layout(
            yaxis2={"overlaying": "y", "side": "right", "range": [0, 1.02], "showgrid": False, "title": "probability"}
        )
    figure.update_layout(
        showlegend=True, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "font": {"size": 12}}
    )
    figure.update_xaxes(title="iteration", showgrid=False)
    figure.update_yaxes(title="loss", selector={"side": None})
    return figure


def _curve(
    figure: "Figure", steps: Sequence[float], values: Sequence[float], name: str, line: dict[str, Any], axis: str = "y"
) -> None:
    figure.add_scatter(
        x=steps,
        y=list(values),
        name=CURVE_TITLES.get(name, name.replace("_", " ")),
        mode="lines",
        line=line,
        yaxis=axis,
        hovertemplate="%{y:.4g}",
    )
