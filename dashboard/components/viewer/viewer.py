"""Python side of the viewer: what to show goes in, the painted region and the crosshair come out."""

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import streamlit as st

from core.errors import BadInput
from core.scans.grid import Grid
from core.scans.windows import CT_WINDOWS, HOUNSFIELD
from dashboard.callbacks import whole
from dashboard.components import registering as components
from dashboard.components.viewer.region import decode_region, encode_region
from dashboard.components.viewer.volumes import VolumeRef, as_data
from dashboard.look import theme

Role = Literal["image", "map", "mask", "outline"]
Tool = Literal["navigate", "pixel", "brush", "lasso", "erase"]
Plane = Literal["axial", "coronal", "sagittal"]

ALL_TOOLS: tuple[Tool, ...] = ("navigate", "pixel", "brush", "lasso", "erase")
COLORMAPS = ("magma", "viridis", "diverging", "berlin", "gray")
#: Panels of one viewer: so many maps and what is said of all of them.
MOST_PANELS = 12
#: Session key of what viewers were given, and of how many that is remembered.
_HUNG, _MOST_HUNG = "hung in viewers", 8


@dataclass(frozen=True)
class Layer:
    """One volume in a panel.

    Parameters
    ----------
    volume : VolumeRef
        From `dashboard.components.viewer.publish`. Layers of one panel may have different grids: their affines put
        them together.
    role : {"image", "map", "mask", "outline"}
        ``image``: grey, windowed by dragging. ``map``: coloured overlay with legend, opacity and threshold. ``mask``:
        every sample above 0 tinted in `color`. ``outline``: a thin line of `color` around them, equally thin at any
        zoom; on the grid of the panel's first layer.
    name : str
        What the readout calls it ("scan", "mask").
    unit : str
        Unit of its values, for readout and legend.
    colormap : {"magma", "viridis", "diverging", "berlin"}
        Colours of a map. ``berlin``: diverging through black, for a signed map without an image below.
    centre_zero : bool
        Range symmetric about zero and a threshold of magnitude: for signed maps, with ``diverging``.
    range : tuple of float, optional
        Values at the ends of the map's legend; by default the volume's own smallest and largest.
    window : tuple of float, optional
        First window of an image, lowest and highest value; by default the volume's: 1st to 99.5th percentile, or what
        a CT is looked at in. Images in HU are offered the windows that have a name.
    opacity : float
        Of a map or mask, 0..1. The person may change it.
    threshold : float
        Samples of a map whose value (with `centre_zero`: magnitude) is not above it are not drawn. To be changed, too.
    fade : float
        Share of a map's range, above its threshold, over which it gets from transparent to `opacity`. Little keeps
        edges from flickering; much lets an image be seen through all but the strongest of a map.
    color : str
        Of a mask or outline, ``#rrggbb``.
    group : str, optional
        Images of one group share the window that is dragged; by default those of one unit.
    lock : str, optional
        Maps of one lock share the threshold and opacity that are set in any of them.
    visible : bool
        Whether it is drawn at first; the list of layers shows and hides it.
    """

    volume: VolumeRef
    role: Role = "image"
    name: str = ""
    unit: str = ""
    colormap: str = "magma"
    centre_zero: bool = False
    range: tuple[float, float] | None = None
    window: tuple[float, float] | None = None
    opacity: float = 0.6
    threshold: float | None = None
    fade: float = 0.04
    color: str = theme.WARNING
    group: str | None = None
    lock: str | None = None
    visible: bool = True


@dataclass(frozen=True)
class Panel:
    """One viewer among the linked ones.

    Parameters
    ----------
    key : str
        Stays the same as long as it is the same panel: what the person set there (opacity, threshold) belongs to it.
    title : str
        Shown above it.
    layers : sequence of Layer
        From bottom to top; the first gives the planes that are cut.
    empty : str
        Sentence over the panel when there is nothing but the image to see ("Nothing had to be hidden.").
    struck : str
        Sentence over a panel whose picture is not to be taken for a result: the panel is crossed out.
    surface : str, optional
        What a region painted in this panel lies on ("input", "output"). Panels of one surface share the region;
        painting on another surface starts a new one, and the panels beside show it faintly. None: no painting here.
    insets : bool
        Magnified insets at the region, when it lies on another panel's surface: the map of this panel alone, and the
        region where it was painted.
    dimmed : bool
        Drawn faintly: something older that stays beside until what is new stands.
    """

    key: str
    title: str
    layers: Sequence[Layer]
    empty: str = ""
    struck: str = ""
    surface: str | None = ""
    insets: bool = False
    dimmed: bool = False


@dataclass(frozen=True, eq=False)
class ViewerEvent:
    """What the person did.

    Parameters
    ----------
    region : numpy.ndarray, bool, optional
        Marked samples, of the first layer's shape; None where nothing is marked.
    crosshair : tuple of int, optional
        Where the crosshair stands, as index into the first layer; None until it was moved (and unless asked for).
    problem : str, optional
        Why a region that arrived was refused, one sentence.
    surface : str, optional
        Surface of the panel that the region was painted in; None where nothing is marked.
    """

    region: np.ndarray | None
    crosshair: tuple[int, ...] | None
    problem: str | None = None
    surface: str | None = None


@dataclass(frozen=True, eq=False)
class Hung:
    """What a viewer was last given, for what leaves the page as it is on screen.

    Parameters
    ----------
    panels : sequence of Panel
        In their order.
    plane : {"axial", "coronal", "sagittal"}
        The large one.
    crosshair : tuple of int, optional
        Index into the first layer.
    """

    panels: Sequence[Panel]
    plane: Plane
    crosshair: tuple[int, ...] | None


def hung() -> dict[str, Hung]:
    """What each viewer of this session was last given, by its key; the latest is the last."""
    found: dict[str, Hung] = st.session_state.setdefault(_HUNG, {})
    return found


def viewer(
    panels: Sequence[Panel],
    key: str,
    *,
    height: int | None = None,
    narrowest: int | None = None,
    tools: Sequence[Tool] = ("navigate",),
    region: np.ndarray | None = None,
    surface: str = "",
    revision: int = 0,
    crosshair: Sequence[int] | None = None,
    plane: Plane = "axial",
    tool: Tool = "navigate",
    brush: int = 8,
    report_crosshair: bool = False,
    one_scale: bool = False,
    on_change: Callable[[], None] | None = None,
) -> ViewerEvent:
    """Show linked panels and return what the person marked in them.

    Crosshair, zoom, window and planes are kept in the browser, over reruns and page changes. Replacing a layer's volume
    (a preview that forms) keeps the old picture until the new one has arrived.

    Parameters
    ----------
    panels : sequence of Panel
        One to twelve, all 3D or all 2D.
    key : str
        Streamlit key of the component.
    height : int, optional
        Height of the pictures in pixels; by default 55 % of the window, and 320 at least.
    narrowest : int, optional
        Pixels: where panels of one row would be narrower, they stand in several rows of about equally many. By default
        they stand in one.
    tools : sequence of str
        What is offered of ``navigate, pixel, brush, lasso, erase``; more than ``navigate`` makes regions possible.
    region : numpy.ndarray, bool, optional
        Region to start from, of the first layer's shape. Handing in another one replaces what the person painted;
        handing in the same one again does not, unless `revision` is another.
    surface : str
        Surface that `region` lies on (see `Panel`).
    revision : int
        Counts what is handed in: going back to an earlier region needs a new number.
    crosshair : sequence of int, optional
        Index into the first layer to go to. Like `region` it acts when it changes.
    plane : {"axial", "coronal", "sagittal"}
        Which plane is the large one at first, and again when another one is handed in.
    tool : str
        Tool in hand at first, and whenever painting becomes possible.
    brush : int
        Diameter of the brush at first, millimetres (pixels of an image that does not say how large these are), 1..40.
    report_crosshair : bool
        Rerun the script when the crosshair was moved (each release of the mouse), and report it.
    one_scale : bool
        Whether maps of one unit and colours have one scale at first, as wide as the widest of them. The person may
        change it; like `region` it acts when it changes.
    on_change : callable, optional
        Called before the rerun that a new region or crosshair causes.

    Returns
    -------
    ViewerEvent
    """
    check_panels(panels, tools)
    _remember(key, Hung(panels, plane, None if crosshair is None else tuple(int(n) for n in crosshair)))
    first = panels[0].layers[0].volume
    data = {
        "id": key,
        **components.address("viewer"),
        "panels": [_panel_data(panel) for panel in panels],
        "tools": list(tools),
        "height": height,
        "narrowest": narrowest,
        "plane": plane,
        "tool": tool,
        "brush": brush,
        "length": "mm" if Grid(first.shape, np.asarray(first.affine)).in_millimetres else "px",
        "region": None if region is None else _region_data(region, first.shape, surface, revision),
        "crosshair": None if crosshair is None else [int(n) for n in crosshair],
        "reportCrosshair": report_crosshair,
        "oneScale": one_scale,
    }
    notice = whole(on_change or _ignore)
    component = components.register("viewer", "lightbox")
    state = component(key=key, data=data, on_region_change=notice, on_crosshair_change=notice)
    return read_event(state.get("region"), state.get("crosshair"), first.shape, _surfaces(panels))


def _remember(key: str, given: Hung) -> None:
    known = hung()
    known.pop(key, None)
    known[key] = given
    while len(known) > _MOST_HUNG:
        del known[next(iter(known))]


def read_event(region: Any, crosshair: Any, shape: tuple[int, ...], surfaces: Collection[str] = ("",)) -> ViewerEvent:
    """Turn what the browser sent (nothing in it is trusted) into a ViewerEvent for an image of `shape`."""
    place = None
    if (
        isinstance(crosshair, list)
        and len(crosshair) == len(shape)
        and all(type(n) is int and 0 <= n < size for n, size in zip(crosshair, shape, strict=True))
    ):
        place = tuple(crosshair)
    if isinstance(region, dict) and region.get("shape") != list(shape):
        region = None  # drawn on the scan that was shown before; the browser drops it as soon as it has the new one
    surface = region.get("surface", "") if isinstance(region, dict) else ""
    if not isinstance(surface, str) or surface not in surfaces:
        return ViewerEvent(None, place)
    try:
        if isinstance(region, dict):
            region = {name: value for name, value in region.items() if name != "surface"}
        marked = decode_region(region, shape)
    except BadInput as refusal:
        return ViewerEvent(None, place, str(refusal))
    return ViewerEvent(marked, place, surface=surface if marked is not None else None)


def painted(key: str, shape: tuple[int, ...], surfaces: Collection[str] = ("",)) -> ViewerEvent:
    """What was done in the viewer `key`, for a callback that acts before the viewer is drawn again.

    Parameters
    ----------
    key : str
        Of the viewer.
    shape : tuple of int
        Spatial shape of its first layer.
    surfaces : collection of str
        Surfaces of its panels.
    """
    state = st.session_state.get(key) or {}
    return read_event(state.get("region"), state.get("crosshair"), shape, surfaces)


def _surfaces(panels: Sequence[Panel]) -> set[str]:
    return {panel.surface for panel in panels if panel.surface is not None}


def check_panels(panels: Sequence[Panel], tools: Sequence[str]) -> None:
    """Refuse what the component cannot show (a mistake of the calling page, so ValueError)."""
    if not 1 <= len(panels) <= MOST_PANELS or not all(panel.layers for panel in panels):
        raise ValueError(f"a viewer takes one to {MOST_PANELS} panels with at least one layer each")
    if len({panel.key for panel in panels}) != len(panels):
        raise ValueError("panels need different keys")
    if any(panel.layers[0].role in ("mask", "outline") for panel in panels):
        raise ValueError("a mask or outline needs an image or a map under it in its panel")
    outlines = [(panel, layer) for panel in panels for layer in panel.layers if layer.role == "outline"]
    if not all(_aligned(layer, panel.layers[0]) for panel, layer in outlines):
        raise ValueError("an outline lies on the grid of its panel's first layer")
    layers = [layer for panel in panels for layer in panel.layers]
    if len({len(layer.volume.shape) for layer in layers}) > 1:
        raise ValueError("panels of one viewer are all 3D or all 2D")
    unknown = {layer.colormap for layer in layers} - set(COLORMAPS) | set(tools) - set(ALL_TOOLS)
    if unknown:
        raise ValueError(f"unknown colormap or tool: {', '.join(sorted(unknown))}")


def _aligned(layer: Layer, first: Layer) -> bool:
    return (layer.volume.shape, layer.volume.affine) == (first.volume.shape, first.volume.affine)


def _panel_data(panel: Panel) -> dict[str, Any]:
    return {
        "key": panel.key,
        "title": panel.title,
        "empty": panel.empty,
        "struck": panel.struck,
        "surface": panel.surface,
        "insets": panel.insets,
        "dimmed": panel.dimmed,
        "layers": [_layer_data(layer) for layer in panel.layers],
    }


def _layer_data(layer: Layer) -> dict[str, Any]:
    low, high = layer.range or layer.volume.range
    if layer.centre_zero:
        high = max(abs(low), abs(high))
        low = -high
    if not high > low:  # a map that is the same everywhere still needs a legend
        high = low + 1.0
    bottom, top = layer.window or layer.volume.window
    return {
        "volume": as_data(layer.volume),
        "role": layer.role,
        "name": layer.name or layer.role,
        "unit": layer.unit,
        "colormap": layer.colormap,
        "centreZero": layer.centre_zero,
        "range": [low, high],
        "extent": list(layer.volume.range),
        "window": [bottom, top if top > bottom else bottom + 1.0],
        "opacity": layer.opacity,
        "threshold": layer.threshold,
        "fade": layer.fade,
        "color": layer.color,
        "group": layer.unit if layer.group is None else layer.group,
        "lock": layer.lock,
        "visible": layer.visible,
        "presets": [[known.name, known.low, known.high] for known in CT_WINDOWS] if _in_hounsfield(layer) else [],
    }


def _in_hounsfield(layer: Layer) -> bool:
    return layer.role == "image" and layer.unit == HOUNSFIELD


def _region_data(region: np.ndarray, shape: tuple[int, ...], surface: str, revision: int) -> dict[str, Any]:
    if region.shape != shape:
        raise ValueError(f"region of shape {region.shape} for an image of {shape}")
    coded = {**encode_region(region), "surface": surface}
    return coded | {"id": hashlib.sha256(json.dumps([coded, revision]).encode()).hexdigest()[:16]}


def _ignore() -> None:
    """Streamlit registers a component's state under the names of its callbacks, so each needs one."""
