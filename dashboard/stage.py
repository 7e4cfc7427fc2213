"""The images of the Explain page: from a scan, a preview or a result to the panels of the viewer."""

from functools import lru_cache

import numpy as np

from core.reports.explanation import StoredArray, StoredExplanation
from core.runs import Preview
from core.scans.scan import Scan
from dashboard.session import owner
from dashboard.viewer import Layer, Panel, VolumeRef, publish, publish_scan, viewer
from dashboard.viewer.viewer import Plane

#: One key for every state of the page, so that crosshair, zoom and window stay while results come and go.
VIEWER_KEY = "explain viewer"
#: Pixels of the images: at 1280×800 the answer, the images and the head of the findings are on one screen.
_HEIGHT = 430
#: Attributions are noisy everywhere: what lies below this share of the largest value is not drawn until asked for.
_ATTRIBUTION_FLOOR = 0.25
_EMPTY = {True: "Nothing had to be hidden.", False: "The map is zero everywhere."}


def show_scan(scan: Scan, plane: Plane) -> None:
    """The scan alone; `plane` is the large one at first."""
    viewer([_scan_panel(scan)], key=VIEWER_KEY, height=_HEIGHT, plane=plane)


def show_preview(scan: Scan, plane: Plane, run: str, preview: Preview | None) -> None:
    """The scan, and the map as it forms; before the first preview both panels show the scan."""
    layers = [_image(scan)]
    if preview is not None and preview.grid is not None and preview.values.shape == preview.grid.shape:
        reference = publish(preview.values, preview.grid.affine, owner=owner(), name=f"preview:{run}:{preview.version}")
        layers.append(Layer(reference, "map", name="forming", opacity=0.65))
    viewer([_scan_panel(scan), Panel("overlay", "Forming", layers)], key=VIEWER_KEY, height=_HEIGHT, plane=plane)


def show_result(scan: Scan, plane: Plane, run: str, explanation: StoredExplanation) -> None:
    """Scan, map over the scan, and the changed scan where the explainer made one."""
    main = explanation.arrays["map"]
    nothing = not np.any(main.values)
    overlay = Panel(
        "overlay",
        main.title[:1].upper() + main.title[1:],
        [_image(scan), _map_layer(scan, run, "map", main)],
        empty=_EMPTY[main.kind == "mask"] if nothing else "",
    )
    panels = [_scan_panel(scan), overlay]
    for name, array in explanation.arrays.items():
        if array.kind == "image":
            window = publish_scan(scan, owner=owner()).window
            layer = Layer(_published(scan, run, name, array), "image", name=array.title, unit=array.unit, window=window)
            panels.append(Panel(name, array.title[:1].upper() + array.title[1:], [layer]))
    viewer(
        panels[:4],
        key=VIEWER_KEY,
        height=_HEIGHT,
        plane=plane,
        crosshair=None if nothing else strongest(str(main.path)),
    )


@lru_cache(maxsize=64)
def strongest(path: str) -> tuple[int, ...]:
    """Index of the largest magnitude of a stored map: where the crosshair goes when a result arrives."""
    values = np.load(path, mmap_mode="r", allow_pickle=False)
    return tuple(int(i) for i in np.unravel_index(int(np.abs(values).argmax()), values.shape))


def _scan_panel(scan: Scan) -> Panel:
    return Panel("scan", "Scan", [_image(scan)])


def _image(scan: Scan) -> Layer:
    return Layer(publish_scan(scan, owner=owner()), "image", name="scan", unit=scan.units or "")


def _map_layer(scan: Scan, run: str, name: str, array: StoredArray) -> Layer:
    reference = _published(scan, run, name, array)
    low, high = reference.range
    peak = max(abs(low), abs(high))
    return Layer(
        reference,
        "map",
        name=array.title,
        unit=array.unit,
        colormap="diverging" if array.diverging else "magma",
        centre_zero=array.diverging,
        range=(0.0, 1.0) if array.kind == "mask" else None,
        opacity=0.65,
        threshold=0.02 if array.kind == "mask" else _ATTRIBUTION_FLOOR * peak,
    )


def _published(scan: Scan, run: str, name: str, array: StoredArray) -> VolumeRef:
    return publish(lambda: array.values, scan.affine, owner=owner(), name=f"run:{run}:{name}")
