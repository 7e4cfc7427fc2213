"""Layers painted over each other, as the viewer paints them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.reports.figures.planes import Plane, Samples

#: Matplotlib's names of the colours that have another on screen.
_TABLES = {"diverging": "coolwarm"}


@dataclass(frozen=True, eq=False)
class Layer:
    """One volume or image of a panel.

    Parameters
    ----------
    samples : Samples
        Its values.
    role : {"image", "map", "mask", "outline"}
        Grey; colours with a legend; a tint of what is above 0; a line around that.
    low, high : float
        Values at the ends of the colours.
    name, unit : str
        For the legend.
    colours : str
        Of a map: magma, viridis, gray, diverging or berlin.
    signed : bool
        `threshold` is of magnitude.
    threshold : float, optional
        A map is not painted up to here.
    fade : float
        Share of the range over which a map fades in.
    opacity : float
        Of a map or mask, 0..1.
    colour : str
        Of a mask or outline, ``#rrggbb``.
    extent : (float, float), optional
        Smallest and largest value there is, for what lies beyond the colours.
    """

    samples: Samples
    role: Literal["image", "map", "mask", "outline"]
    low: float = 0.0
    high: float = 1.0
    name: str = ""
    unit: str = ""
    colours: str = "magma"
    signed: bool = False
    threshold: float | None = None
    fade: float = 0.04
    opacity: float = 1.0
    colour: str = "#ffffff"
    extent: tuple[float, float] | None = None


def painted(layers: Iterable[Layer], plane: Plane) -> np.ndarray:
    """A plane in colour, uint8 (rows, columns, 3); outlines, which are lines, are not in it."""
    columns, rows = plane.grid.shape[plane.across], plane.grid.shape[plane.down]
    below = np.zeros((rows, columns, 3))
    for layer in layers:
        if layer.role == "outline":
            continue
        values = plane.cut(layer.samples)
        seen = np.isfinite(values)
        colours, cover = _colours(layer, np.where(seen, values, layer.low))
        cover = np.where(seen, cover, 0.0)[..., None]
        below = below * (1 - cover) + colours * cover
    picture: np.ndarray = np.rint(below * 255).astype(np.uint8)
    return picture


def colour_scale(layer: Layer, steps: int = 256) -> np.ndarray:
    """The colours of a legend from its lowest to its highest value, uint8 (1, steps, 3)."""
    values = np.linspace(layer.low, layer.high, steps)[None]
    scale: np.ndarray = np.rint(_table(layer)(_share(layer, values))[..., :3] * 255).astype(np.uint8)
    return scale


def _colours(layer: Layer, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Red, green and blue 0..1, and how much of what is below each sample covers."""
    if layer.role == "mask":
        tint = np.array([int(layer.colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
        return np.broadcast_to(tint, (*values.shape, 3)), layer.opacity * (values > 0)
    colours = _table(layer)(_share(layer, values))[..., :3]
    if layer.role == "image":
        return colours, np.ones(values.shape)
    least = layer.threshold if layer.threshold is not None else 0.0 if layer.signed else layer.low
    above = (np.abs(values) if layer.signed else values) - least
    ramp = max(layer.fade * (layer.high - layer.low), np.finfo(float).tiny)
    return colours, layer.opacity * np.clip(above / ramp, 0, 1)


def _share(layer: Layer, values: np.ndarray) -> np.ndarray:
    return np.clip((values - layer.low) / ((layer.high - layer.low) or 1.0), 0, 1)


def _table(layer: Layer):  # type: ignore[no-untyped-def]
    from matplotlib import colormaps

    return colormaps["gray" if layer.role == "image" else _TABLES.get(layer.colours, layer.colours)]
