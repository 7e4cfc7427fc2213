"""A row of panels as a figure for print: PNG at 300 dots an inch, or SVG whose words stay words."""

import io
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from core.reports.figures.painting import Layer, colour_scale, painted
from core.reports.figures.planes import Plane, PlaneName, plane_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

#: Two columns of a journal, millimetres, and dots an inch that journals ask for.
WIDTH_MM, DOTS_AN_INCH = 180.0, 300
_MM = 1 / 25.4
#: Most panels beside each other, most height of one, and what lies between and around them, millimetres.
_MOST_IN_ROW, _MOST_HEIGHT, _GAP, _EDGE = 4, 110.0, 4.0, 2.0
_TITLE, _LEGEND, _LINE, _BAND = 5.0, 12.5, 3.6, 6.0
#: A scale bar is at most this share of a panel's width.
_BAR_SHARE = 0.3
#: Dots of a panel's picture at least across: samples are repeated, so that no reader blurs them.
_LEAST_DOTS = 600
_INK, _QUIET, _ALARM = "#16191d", "#4d555e", "#b3261e"
_FONT = "DejaVu Sans"
# settings of matplotlib are one for the whole process
_DRAWING = threading.Lock()


@dataclass(frozen=True, eq=False)
class Panel:
    """One picture of a figure.

    Parameters
    ----------
    title : str
        Above it.
    layers : sequence of Layer
        From bottom to top; the first gives the plane that is cut.
    note : str
        Sentence over it ("The map is zero everywhere.").
    struck : str
        Sentence over it where it is no result: it is crossed out.
    """

    title: str
    layers: Sequence[Layer]
    note: str = ""
    struck: str = ""


@dataclass(frozen=True, eq=False)
class Figure:
    """What is drawn.

    Parameters
    ----------
    panels : sequence of Panel
        At least one.
    plane : {"axial", "coronal", "sagittal"}
        Which plane of volumes.
    place : sequence of int, optional
        Index into the first panel's first layer through which planes are cut; by default the middle.
    caption : sequence of str
        Paragraphs below.
    caution : str
        What must be known before it is believed: across the top, and on every panel with a map.
    """

    panels: Sequence[Panel]
    plane: PlaneName = "axial"
    place: Sequence[int] | None = None
    caption: Sequence[str] = field(default=())
    caution: str = ""


def figure_png(figure: Figure) -> bytes:
    """The figure as PNG, `WIDTH_MM` wide at `DOTS_AN_INCH`; caption and caution are in its text fields, too."""
    told = {"Description": "\n".join(figure.caption), "Caution": figure.caution}
    return _written(figure, "png", {name: _plain(words) for name, words in told.items() if words})


def figure_svg(figure: Figure) -> bytes:
    """The figure as SVG: words are text, pictures lie in it, nothing is fetched from elsewhere."""
    told = _plain(" ".join([figure.caution, *figure.caption]).strip())
    return _written(figure, "svg", {"Date": None, "Creator": "Lightbox", **({"Description": told} if told else {})})


def scale_bar(width: float, in_millimetres: bool) -> tuple[float, str]:
    """How long a scale bar is, in the units of `width`, and what it is called: 1, 2 or 5 times a power of ten."""
    longest = width * _BAR_SHARE
    power = 10.0 ** np.floor(np.log10(longest))
    length = float(max(step * power for step in (1, 2, 5) if step * power <= longest * (1 + 1e-9)))
    if not in_millimetres:
        return length, f"{length:g} px"
    return length, f"{length / 10:g} cm" if length >= 100 else f"{length:g} mm"


def _written(figure: Figure, form: Literal["png", "svg"], metadata: dict[str, Any]) -> bytes:
    from matplotlib import rc_context

    content = io.BytesIO()
    settings: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "lightbox", "font.family": _FONT}
    with _DRAWING, rc_context(settings):
        _drawn(figure).savefig(content, format=form, dpi=DOTS_AN_INCH, metadata=metadata)
    return content.getvalue()


def _drawn(figure: Figure) -> "Canvas":
    from matplotlib.figure import Figure as Canvas

    columns = min(len(figure.panels), _MOST_IN_ROW)
    room = (WIDTH_MM - 2 * _EDGE - (columns - 1) * _GAP) / columns
    planes = [_plane(figure, panel) for panel in figure.panels]
    rows = [range(start, min(start + columns, len(planes))) for start in range(0, len(planes), columns)]
    heights = [max(min(room * planes[at].size[1] / planes[at].size[0], _MOST_HEIGHT) for at in row) for row in rows]
    lines = [line for words in figure.caption for line in _wrapped(_plain(words), 7, WIDTH_MM - 2 * _EDGE)]
    band = _BAND if figure.caution else 0.0
    total = 2 * _EDGE + band + sum(height + _TITLE + _LEGEND for height in heights) + _LINE * len(lines) + 1
    canvas = Canvas(figsize=(WIDTH_MM * _MM, total * _MM), facecolor="white")
    top = total - _EDGE
    if figure.caution:
        _text(canvas, total, _EDGE, top - 1, figure.caution, 9, _ALARM, weight="bold")
        top -= band
    for row, height in zip(rows, heights, strict=True):
        for column, at in enumerate(row):
            frame = _EDGE + column * (room + _GAP), top - _TITLE - height, room, height
            _panel(canvas, total, frame, figure.panels[at], planes[at], figure.caution)
        top -= height + _TITLE + _LEGEND
    for line in lines:
        _text(canvas, total, _EDGE, top, line, 7, _INK)
        top -= _LINE
    return canvas


def _plane(figure: Figure, panel: Panel) -> Plane:
    """The plane of a panel through the same point of space as that of the first one."""
    grid, first = panel.layers[0].samples.grid, figure.panels[0].layers[0].samples.grid
    middle = plane_of(grid, figure.plane)
    if figure.place is None or len(grid.shape) == 2:
        return middle
    point = first.affine @ [*figure.place, 1]
    index = np.rint(np.linalg.inv(grid.affine) @ point)
    return plane_of(grid, figure.plane, int(index[middle.through]))


def _panel(
    canvas: "Canvas", total: float, frame: tuple[float, float, float, float], panel: Panel, plane: Plane, caution: str
) -> None:
    left, bottom, room, height = frame
    wide, high = plane.size
    scale = min(room / wide, height / high)
    at = left + (room - wide * scale) / 2, bottom + (height - high * scale), wide * scale, high * scale
    axes = _axes(canvas, total, at)
    axes.set(xlim=(0, wide), ylim=(high, 0))
    picture = painted(panel.layers, plane)
    repeat = [max(1, -(-_LEAST_DOTS // size)) for size in picture.shape[:2]]
    axes.imshow(
        picture.repeat(repeat[0], axis=0).repeat(repeat[1], axis=1),
        extent=(0, wide, high, 0), aspect="auto", interpolation="none",
    )  # fmt: skip
    _outlines(axes, panel.layers, plane)
    _letters(axes, plane)
    _bar(axes, plane)
    _text(canvas, total, left, bottom + height + _TITLE - 1, panel.title, 8, _INK, weight="bold", most=room)
    maps = [layer for layer in panel.layers if layer.role == "map"]
    _words_over(axes, panel, caution if maps else "", at[2])
    _legend(canvas, total, (left, bottom, room), maps[-1] if maps else panel.layers[0])


def _axes(canvas: "Canvas", total: float, at: tuple[float, float, float, float]) -> "Axes":
    left, bottom, width, height = at
    axes = canvas.add_axes((left / WIDTH_MM, bottom / total, width / WIDTH_MM, height / total))
    axes.set_axis_off()
    return axes


def _outlines(axes: "Axes", layers: Sequence[Layer], plane: Plane) -> None:
    wide, high = plane.size
    for layer in layers:
        if layer.role != "outline":
            continue
        inside = np.pad(np.nan_to_num(plane.cut(layer.samples)) > 0, 1).astype(float)
        if inside.any():
            rows, columns = inside.shape[0] - 2, inside.shape[1] - 2
            x = (np.arange(-1, columns + 1) + 0.5) * wide / columns
            y = (np.arange(-1, rows + 1) + 0.5) * high / rows
            axes.contour(x, y, inside, levels=[0.5], colors=[layer.colour], linewidths=0.8)


_ON_PICTURE: dict[str, Any] = {
    "color": "white",
    "bbox": {"facecolor": "black", "alpha": 0.55, "edgecolor": "none", "pad": 0.8},
    "parse_math": False,
}


def _letters(axes: "Axes", plane: Plane) -> None:
    places = (
        (0.02, 0.5, "left", "center"),
        (0.98, 0.5, "right", "center"),
        (0.5, 0.98, "center", "top"),
        (0.5, 0.02, "center", "bottom"),
    )
    for letter, (x, y, across, down) in zip(plane.letters, places, strict=True):
        if letter:
            axes.text(
                x, y, letter, fontsize=8, ha=across, va=down, transform=axes.transAxes, weight="bold", **_ON_PICTURE
            )
    if plane.title:
        axes.text(
            0.96, 0.04, plane.title, fontsize=6.5, ha="right", va="bottom", transform=axes.transAxes, **_ON_PICTURE
        )


def _bar(axes: "Axes", plane: Plane) -> None:
    from matplotlib.patches import Rectangle

    wide, high = plane.size
    length, words = scale_bar(wide, plane.grid.in_millimetres)
    at, thick = wide * 0.04, high * 0.012
    axes.add_patch(
        Rectangle((at, high * 0.95), length, thick, facecolor="white", edgecolor="none", gid="scale-bar", zorder=4)
    )
    axes.text(at, high * 0.935, words, fontsize=6.5, ha="left", va="bottom", **_ON_PICTURE)


def _words_over(axes: "Axes", panel: Panel, caution: str, room: float) -> None:
    """What stands on the picture itself: who cuts one panel out of the figure takes it along."""
    if panel.struck:
        for ends in ((0, 1), (1, 0)):
            axes.plot((0, 1), ends, transform=axes.transAxes, color=_ALARM, linewidth=1.5, scalex=False, scaley=False)
    said = panel.struck or panel.note
    if said:
        lines = "\n".join(_wrapped(_plain(said), 7, room * 0.85))
        axes.text(0.5, 0.3, lines, fontsize=7, ha="center", va="center", transform=axes.transAxes, **_ON_PICTURE)
    if caution:
        lines = "\n".join(_wrapped(_plain(caution), 6.5, room * 0.9))
        red = {**_ON_PICTURE, "bbox": {"facecolor": _ALARM, "edgecolor": "none", "pad": 1.5}}
        axes.text(0.5, 0.9, lines, fontsize=6.5, ha="center", va="top", transform=axes.transAxes, weight="bold", **red)


def _legend(canvas: "Canvas", total: float, at: tuple[float, float, float], layer: Layer) -> None:
    """The colours with the values at their ends, and from where on they are painted."""
    left, bottom, room = at
    axes = _axes(canvas, total, (left, bottom - 3.2, room, 1.8))
    axes.imshow(colour_scale(layer), extent=(0, 1, 0, 1), aspect="auto", interpolation="none")
    low, high, unit, drawn = legend_words(layer)
    _text(canvas, total, left, bottom - 3.8, low, 6.5, _QUIET)
    _text(canvas, total, left + room, bottom - 3.8, high, 6.5, _QUIET, ha="right")
    _text(canvas, total, left + room / 2, bottom - 3.8, unit, 6.5, _QUIET, ha="center", most=room * 0.55)
    _text(canvas, total, left + room / 2, bottom - 6.8, drawn, 6.5, _QUIET, ha="center")


def legend_words(layer: Layer) -> tuple[str, str, str, str]:
    """What stands under a legend: its lowest and highest value, the unit, and from where on a map is painted.

    Where values lie beyond the colours, the end says so: ``≤`` or ``≥``.
    """
    smallest, largest = layer.extent or (layer.low, layer.high)
    slack = 1e-6 * max(abs(layer.high - layer.low), 1e-30)
    low = f"{'≤ ' if smallest < layer.low - slack else ''}{_number(layer.low)}"
    high = f"{'≥ ' if largest > layer.high + slack else ''}{_number(layer.high)}"
    drawn = ""
    if layer.role == "map" and layer.threshold is not None and layer.threshold > 0:
        drawn = f"shown {'beyond ±' if layer.signed else 'above '}{_number(layer.threshold)}"
    return low, high, layer.unit, drawn


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−").replace("e−0", "e−").replace("e+0", "e")


def _text(
    canvas: "Canvas", total: float, x: float, y: float, words: str, size: float, colour: str, **more: Any
) -> None:
    """Words at millimetres from the lower left; shortened where they have no more than `most`."""
    most, shown = more.pop("most", None), _plain(words)
    if most is not None:
        lines = _wrapped(shown, size, most) or [""]
        shown = lines[0] if len(lines) == 1 else f"{lines[0].rstrip(',;: ')}…"
    canvas.text(x / WIDTH_MM, y / total, shown, fontsize=size, color=colour, va="top", parse_math=False, **more)


def _wrapped(words: str, size: float, room: float) -> list[str]:
    """`words` in lines of at most `room` millimetres."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=_FONT, size=size)

    def width(line: str) -> float:
        points: float = text_to_path.get_text_width_height_descent(line, font, False)[0]
        return points / 72 / _MM

    lines: list[str] = []
    for word in words.split():
        if lines and width(f"{lines[-1]} {word}") <= room:
            lines[-1] += f" {word}"
            continue
        while width(word) > room and len(word) > 1:  # one word that is too long for any line
            fits = next(n for n in range(len(word) - 1, 0, -1) if n == 1 or width(word[:n]) <= room)
            lines.append(word[:fits])
            word = word[fits:]
        lines.append(word)
    return lines


def _plain(words: str) -> str:
    """Words without what neither XML nor a font can hold: control characters."""
    return "".join(letter if letter.isprintable() else " " for letter in words)
