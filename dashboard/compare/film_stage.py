"""The row of linked images: the scan, and each network's map over it."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from core.models.card import Card
from core.reports.explanation import StoredArray, StoredExplanation
from core.runs import Preview, Run
from core.scans.scan import Scan
from dashboard.session import owner
from dashboard.stage import _map_layer
from dashboard.viewer import Layer, Panel, publish, publish_scan, viewer
from dashboard.viewer.viewer import Plane

#: Pixels of the images: with the table under them they fit on a screen of 800.
_HEIGHT = 360
_KEY = "compare viewer"


def show_row(
    scan: Scan,
    cards: Sequence[Card],
    found: Mapping[str, StoredExplanation],
    runs: Mapping[str, Run],
    previews: Mapping[str, Preview],
    signed: bool,
) -> None:
    """Scan and networks in one row; a network without a map yet shows the scan.

    Parameters
    ----------
    scan : Scan
        The scan.
    cards : sequence of Card
        The networks, in their order.
    found, runs, previews : mapping
        By network: finished explanation, its run, what is there of a map that forms.
    signed : bool
        Show signed maps with their signs; otherwise their sizes.
    """
    panels = [Panel("scan", "Scan", [_image(scan)])]
    for card in cards:
        layers, empty = [_image(scan)], ""
        run = runs.get(card.name)
        if card.name in found and run is not None:
            main = found[card.name].arrays["map"]
            layers.append(_layer(scan, run.id, main, signed))
            empty = "" if _any(str(main.path)) else "The map is zero everywhere."
        elif run is not None and run.status.final:
            empty = "No map."
        elif run is not None:
            layers += _forming(run, previews.get(card.name))
            empty = "Waiting" if len(layers) == 1 else ""
        panels.append(Panel(card.name, card.title, layers, empty=empty))
    plane: Plane = cards[0].input.plane or "axial"
    viewer(panels, key=_KEY, height=_HEIGHT, plane=plane)


def _image(scan: Scan) -> Layer:
    return Layer(publish_scan(scan, owner=owner()), "image", name="scan", unit=scan.units or "")


def _forming(run: Run, preview: Preview | None) -> list[Layer]:
    if preview is None or preview.grid is None or preview.values.shape != preview.grid.shape:
        return []
    name = f"preview:{run.id}:{preview.version}"
    reference = publish(preview.values, preview.grid.affine, owner=owner(), name=name)
    return [Layer(reference, "map", name="forming", opacity=0.65)]


def _layer(scan: Scan, run: str, main: StoredArray, signed: bool) -> Layer:
    if signed or not main.diverging:
        return _map_layer(scan, run, "map", main)
    reference = publish(lambda: np.abs(main.values), scan.affine, owner=owner(), name=f"run:{run}:map:size")
    return Layer(
        reference, "map", name=main.title, unit=main.unit, opacity=0.65, threshold=0.1 * reference.range[1]
    )


@lru_cache(maxsize=128)
def _any(path: str) -> bool:
    return bool(np.any(np.load(path, mmap_mode="r", allow_pickle=False)))


def is_signed(arrays: Sequence[StoredArray]) -> bool:
    """Whether one of these maps has signs to show."""
    return any(array.diverging for array in arrays)
