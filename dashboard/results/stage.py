"""The images of the Explain page: from a scan, a preview or a result to the panels of the viewer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st

from core.reports.explanation import StoredArray, StoredExplanation
from core.runs import Preview
from core.scans.scan import Scan
from dashboard.components.viewer import Layer, Panel, VolumeRef, publish, publish_scan, viewer
from dashboard.components.viewer.viewer import Plane, Tool
from dashboard.desk import owner

#: One key for every state of the page, so that crosshair, zoom and window stay while results come and go.
VIEWER_KEY = "explain viewer"
#: Pixels of the images: at 1280×800 the answer, the images and the head of the findings are on one screen.
_HEIGHT = 430
#: Attributions are noisy everywhere: what lies below this share of the largest value is not drawn until asked for.
_ATTRIBUTION_FLOOR = 0.25
#: The size of a map is shown from here on, and fades in over this share of its range.
_HEAT_FLOOR = 0.05
_HEAT_FADE = 0.5
#: The scale of a heat map reaches at least to this share of the largest size.
_LEAST_SCALE = 0.1
#: Letters of a name beside a value under the mouse.
_LONGEST_NAME = 16
_EMPTY = {True: "Nothing had to be hidden.", False: "The map is zero everywhere."}


#: What a landmark is drawn with.
_TOOLS: tuple[Tool, ...] = ("brush", "pixel", "lasso", "erase", "navigate")


@dataclass(frozen=True, eq=False)
class Marks:
    """What a person marked on the scan, shown in every panel.

    Parameters
    ----------
    outlines : tuple of Layer
        Of what is finished.
    drawn : numpy.ndarray, bool, optional
        What is being drawn, of the scan's spatial shape; None: nothing can be drawn now.
    revision : int
        Counts what `drawn` was handed in.
    on_change : callable, optional
        Called after every stroke.
    """

    outlines: tuple[Layer, ...] = ()
    drawn: np.ndarray | None = None
    revision: int = 0
    on_change: Callable[[], None] | None = None


_NO_MARKS = Marks()


def show_scan(scan: Scan, plane: Plane, marks: Marks = _NO_MARKS) -> None:
    """The scan alone; `plane` is the large one at first."""
    _show([_scan_panel(scan)], scan, plane, marks)


def show_preview(scan: Scan, plane: Plane, run: str, preview: Preview | None, marks: Marks = _NO_MARKS) -> None:
    """The scan, and the map as it forms; before the first preview both panels show the scan."""
    layers = [scan_layer(scan)]
    layers += forming_layers(run, preview)
    _show([_scan_panel(scan), Panel("overlay", "Forming", layers)], scan, plane, marks)


def forming_layers(run: str, preview: Preview | None) -> list[Layer]:
    """The map of a run as it forms; nothing before the first preview."""
    if preview is None or preview.grid is None or preview.values.shape != preview.grid.shape:
        return []
    values = preview.values
    signed = bool((values < 0).any())
    # the size of a signed map: on a scale from its least value to its largest, zero would have a colour
    sizes = np.abs(values) if signed else values
    reference = publish(sizes, preview.grid.affine, owner=owner(), name=f"preview:{run}:{preview.version}")
    threshold = _HEAT_FLOOR * reference.range[1] if signed else None
    return [Layer(reference, "map", name="forming", opacity=0.65, threshold=threshold)]


def show_result(
    scan: Scan, plane: Plane, run: str, explanation: StoredExplanation, signed: bool = True, marks: Marks = _NO_MARKS
) -> None:
    """Scan, map over the scan, and the changed scan where the explainer made one.

    Parameters
    ----------
    scan, plane, marks
        As in `show_scan`.
    run : str
        Id of the run.
    explanation : StoredExplanation
        Its result.
    signed : bool
        Show a signed map with its signs; otherwise how large it is.
    """
    main = explanation.arrays["map"]
    nothing = not np.any(main.values)
    overlay = Panel(
        "overlay",
        "Heat map" if main.diverging and not signed else main.title[:1].upper() + main.title[1:],
        [scan_layer(scan), map_layer(scan, run, "map", main, signed)],
        empty=_EMPTY[main.kind == "mask"] if nothing else "",
    )
    panels = [_scan_panel(scan), overlay]
    for name, array in explanation.arrays.items():
        if array.kind == "image":
            window = publish_scan(scan, owner=owner()).window
            reference, title = _published(scan, run, name, array), _short(array.title, "changed")
            layer = Layer(reference, "image", name=title, unit=array.unit, window=window)
            panels.append(Panel(name, array.title[:1].upper() + array.title[1:], [layer]))
    _show(panels[:4], scan, plane, marks, crosshair=None if nothing else strongest(str(main.path)))


def _show(panels: list[Panel], scan: Scan, plane: Plane, marks: Marks, **more: Any) -> None:
    drawing = marks.drawn is not None
    viewer(
        [
            replace(panel, layers=[*panel.layers, *(marks.outlines if place == 0 else unnamed(marks.outlines))])
            for place, panel in enumerate(panels)
        ],
        key=VIEWER_KEY,
        height=_HEIGHT,
        plane=plane,
        tools=_TOOLS if drawing else ("navigate",),
        region=marks.drawn,
        revision=marks.revision,
        tool="brush" if drawing else "navigate",
        brush=_brush(scan),
        on_change=marks.on_change if drawing else None,
        **more,
    )


def unnamed(layers: Sequence[Layer]) -> list[Layer]:
    """The same without their names: the first panel of a row names them, the others have no room."""
    return [replace(layer, name=" ") for layer in layers]


def _brush(scan: Scan) -> int:
    """Diameter at first, in the scan's own lengths: a landmark is drawn in a few strokes."""
    extent = max(size * mm for size, mm in zip(scan.shape, scan.spacing_mm, strict=True))
    return int(np.clip(round(extent / 25), 1, 40))


@lru_cache(maxsize=64)
def strongest(path: str) -> tuple[int, ...]:
    """Index of the largest magnitude of a stored map: where the crosshair goes when a result arrives."""
    values = np.load(path, mmap_mode="r", allow_pickle=False)
    return tuple(int(i) for i in np.unravel_index(int(np.abs(values).argmax()), values.shape))


def _scan_panel(scan: Scan) -> Panel:
    return Panel("scan", "Scan", [scan_layer(scan)])


def scan_layer(scan: Scan) -> Layer:
    """The scan in grey."""
    return Layer(publish_scan(scan, owner=owner()), "image", name="scan", unit=scan.units or "")


def map_layer(scan: Scan, run: str, name: str, array: StoredArray, signed: bool = True) -> Layer:
    """A map over the scan.

    Parameters
    ----------
    scan : Scan
        What it belongs to.
    run, name : str
        Id of the run, and name of the array in it.
    array : StoredArray
        The map.
    signed : bool
        A map with signs keeps them (blue to red); otherwise its size is shown (magma). Others have but one form.
    """
    diverging = array.diverging and signed
    sizes = array.diverging and not signed
    reference = _sizes(scan, run, name, array) if sizes else _published(scan, run, name, array)
    low, high = reference.range
    # a few samples far beyond all others would leave the rest in the dark: of a heat map they may leave the scale
    peak = max(reference.window[1], _LEAST_SCALE * high) if sizes else max(abs(low), abs(high))
    floor = _HEAT_FLOOR if sizes else _ATTRIBUTION_FLOOR
    return Layer(
        reference,
        "map",
        name=_short(array.title, "map"),
        unit=array.unit,
        colormap="diverging" if diverging else "magma",
        centre_zero=diverging,
        range=(0.0, 1.0) if array.kind == "mask" else (0.0, peak) if sizes else None,
        opacity=0.8 if sizes else 0.65,
        threshold=0.02 if array.kind == "mask" else floor * peak,
        fade=_HEAT_FADE if sizes else Layer.fade,
    )


def _short(title: str, otherwise: str) -> str:
    """What the readout calls an array: a long name would leave no room for the panel's title."""
    return title if len(title) <= _LONGEST_NAME else otherwise


def _published(scan: Scan, run: str, name: str, array: StoredArray) -> VolumeRef:
    return publish(lambda: array.values, scan.affine, owner=owner(), name=f"run:{run}:{name}")


def _sizes(scan: Scan, run: str, name: str, array: StoredArray) -> VolumeRef:
    return publish(lambda: sizes_of(array), scan.affine, owner=owner(), name=f"run:{run}:{name}:size")


def sizes_of(array: StoredArray) -> np.ndarray:
    """How far a map is from saying nothing, float32."""
    found: np.ndarray = np.abs(array.values - np.float32(array.neutral))
    return found


def show_form(diverging: bool, key: str, heat: bool = True) -> bool:
    """The choice between the size of a signed map and its signs; returns whether the signs are wanted.

    Parameters
    ----------
    diverging : bool
        Whether the map has signs; there is nothing to choose where it has not.
    key : str
        Streamlit key.
    heat : bool
        Whether the size is shown at first.
    """
    if not diverging:
        return False
    names = {"heat": "Heat", "signed": "Signed"}
    chosen = st.segmented_control(
        "Form of the map",
        list(names),
        default="heat" if heat else "signed",
        format_func=names.__getitem__,
        required=True,
        key=key,
        label_visibility="collapsed",
        width="content",
    )
    return chosen == "signed"
