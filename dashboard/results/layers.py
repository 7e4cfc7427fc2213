"""Layers of the viewer: a scan, an image that a model makes of it, and maps over either."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import streamlit as st

from core.models.card import Card
from core.reports.colours import largest_size, sizes
from core.reports.explanation import StoredArray
from core.runs import Preview
from core.scans.scan import Scan
from dashboard.backend import pool, questions
from dashboard.components.viewer import Layer, Panel, VolumeRef, publish, publish_scan
from dashboard.desk import owner

#: Attributions are noisy everywhere: what lies below this share of the largest value is not drawn until asked for.
_ATTRIBUTION_FLOOR = 0.25
#: The size of a map is shown from here on, and fades in over this share of its range.
_HEAT_FLOOR = 0.05
_HEAT_FADE = 0.5
#: Letters of a name beside a value under the mouse.
_LONGEST_NAME = 16


def scan_layer(scan: Scan, channel: int = 0, group: str | None = None) -> Layer:
    """One channel of the scan in grey; images of one `group` (by default: of one unit) share their window."""
    reference = publish_scan(scan, owner=owner(), channel=channel)
    return Layer(reference, "image", name="scan", unit=scan.units or "", group=group)


def answer_layer(
    scan: Scan,
    name: str,
    card: Card,
    content: str,
    channel: int = 0,
    window: tuple[float, float] | None = None,
) -> Layer:
    """The image that a regressor makes of a scan.

    Parameters
    ----------
    scan, name : Scan, str
        The scan, and its content hash.
    card, content : Card, str
        The model, and the hash of its folder.
    channel : int
        Of the answer, from 0.
    window : (float, float), optional
        Grey values at first, in its units; by default what it holds.
    """
    assert card.output is not None
    whose = owner()

    def values() -> np.ndarray:
        return pool.ask_same(questions.generate, name, whose, card.name, content)[channel]

    units, named = card.output.units, f"answer:{name}:{content}:{channel}"
    reference = publish(values, scan.affine, owner=whose, name=named, units=units)
    return Layer(reference, name="output", unit=units, window=window, group="answer")


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
    heat = array.diverging and not signed
    reference = _sizes(scan, run, name, array) if heat else published(scan, run, name, array)
    low, high = reference.range
    peak = largest_size(reference.window[1], high) if heat else max(abs(low), abs(high))
    floor = _HEAT_FLOOR if heat else _ATTRIBUTION_FLOOR
    return Layer(
        reference,
        "map",
        name=short(array.title, "map"),
        unit=array.unit,
        colormap="diverging" if diverging else "magma",
        centre_zero=diverging,
        range=(0.0, 1.0) if array.kind == "mask" else (0.0, peak) if heat else None,
        opacity=0.8 if heat else 0.65,
        threshold=0.02 if array.kind == "mask" else floor * peak,
        fade=_HEAT_FADE if heat else Layer.fade,
    )


def short(title: str, otherwise: str) -> str:
    """What the readout calls an array: a long name would leave no room for the panel's title."""
    return title if len(title) <= _LONGEST_NAME else otherwise


def published(scan: Scan, run: str, name: str, array: StoredArray) -> VolumeRef:
    """An array of a run for the viewer."""
    return publish(lambda: array.values, scan.affine, owner=owner(), name=f"run:{run}:{name}")


def _sizes(scan: Scan, run: str, name: str, array: StoredArray) -> VolumeRef:
    return publish(lambda: sizes_of(array), scan.affine, owner=owner(), name=f"run:{run}:{name}:size")


def sizes_of(array: StoredArray) -> np.ndarray:
    """How far a map is from saying nothing, float32."""
    return sizes(array.values, array.neutral)


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


def on_one_scale(panels: Sequence[Panel]) -> list[Panel]:
    """The same panels, their maps of one unit and colours on one scale: as far as the widest of them reaches.

    What is not drawn until asked for stays the share of the scale that it was.
    """
    kinds: dict[tuple[str, str, bool], tuple[float, float]] = {}
    for layer in (layer for panel in panels for layer in panel.layers if layer.role == "map"):
        low, high = scale_of(layer)
        widest = kinds.get(_kind(layer), (low, high))
        kinds[_kind(layer)] = (min(low, widest[0]), max(high, widest[1]))

    def scaled(layer: Layer) -> Layer:
        if layer.role != "map":
            return layer
        own, wanted = scale_of(layer), kinds[_kind(layer)]
        reach = max(map(abs, own)) or 1.0
        threshold = layer.threshold
        if threshold is not None:
            threshold = threshold / reach * max(map(abs, wanted))
        return replace(layer, range=wanted, threshold=threshold)

    return [replace(panel, layers=[scaled(layer) for layer in panel.layers]) for panel in panels]


def scale_of(layer: Layer) -> tuple[float, float]:
    """Values at the ends of a map's legend."""
    low, high = layer.range or layer.volume.range
    if not layer.centre_zero:
        return low, high
    reach = max(abs(low), abs(high))
    return -reach, reach


def _kind(layer: Layer) -> tuple[str, str, bool]:
    return layer.unit, layer.colormap, layer.centre_zero


def unnamed(layers: Sequence[Layer]) -> list[Layer]:
    """The same without their names: the first panel of a row names them, the others have no room."""
    return [replace(layer, name=" ") for layer in layers]


@lru_cache(maxsize=64)
def strongest(path: str) -> tuple[int, ...]:
    """Index of the largest magnitude of a stored map: where the crosshair goes when a result arrives."""
    values = np.load(path, mmap_mode="r", allow_pickle=False)
    return tuple(int(i) for i in np.unravel_index(int(np.abs(values).argmax()), values.shape))
