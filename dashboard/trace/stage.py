"""The images of the Trace page: what goes in, what comes out, and the map on the side that was not painted."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from core.explainers import explainers
from core.explainers.base import Side
from core.models.card import Card
from core.reports.explanation import StoredArray, StoredExplanation
from core.runs import Preview, Run
from core.scans.scan import Scan
from dashboard.backend import pool
from dashboard.components.viewer import Layer, Panel, VolumeRef, publish, viewer
from dashboard.components.viewer.viewer import Plane, Tool
from dashboard.desk import owner, shelf
from dashboard.results.layers import answer_layer, scan_layer
from dashboard.trace import group, questions
from dashboard.trace.desk import Sketch, TraceDesk
from dashboard.trace.truth import Truth

TOOLS: tuple[Tool, ...] = ("pixel", "brush", "lasso", "erase", "navigate")
#: Windows of a CT, HU: what radiologists know them by. The first is the one at first.
WINDOWS: dict[str, tuple[float, float] | None] = {
    "Soft tissue": (-160.0, 240.0),
    "Bone": (-600.0, 1400.0),
    "All HU": None,
}
#: What lies below this share of a map's largest value is not drawn until asked for.
_FLOOR = 0.04
#: A run's own preview takes the place of the first coarse map from this share of its samples on.
_FILLED = 0.5
_OUTLINES = "#d9c26a"


@dataclass(frozen=True, eq=False)
class Shown:
    """A map, however far it is: its volume, the side it lies on, and what its values are."""

    reference: VolumeRef
    side: Side
    title: str
    unit: str = ""
    diverging: bool = False
    empty: str = ""


def key_of(scan: str) -> str:
    """Key of the viewer: crosshair, zoom and selection belong to the scan."""
    return f"trace viewer {scan[:16]}"


def exact_map(scan: Scan, run: str, explanation: StoredExplanation, spread: bool = False) -> Shown:
    """The finished map of a run; of a group of scans their mean, or with `spread` how far it varies among them."""
    count = group.size(explanation)
    spread = spread and "spread" in explanation.arrays
    array = explanation.arrays["spread" if spread else "map"]
    nothing = "" if np.any(array.values) else "The map is zero everywhere."
    reference = publish(lambda: array.values, scan.affine, owner=owner(), name=f"run:{run}:{array.path.stem}")
    cls = explainers().get(explanation.explainer)
    title = (cls.brief(explanation.record["parameters"]) if cls is not None else "") or array.title
    if count > 1:
        title += f", {'spread over' if spread else 'mean of'} {count} scans"
    return Shown(reference, array.side, title, array.unit, array.diverging, nothing)


def forming_map(run: Run, preview: Preview | None, sketch: Sketch | None, side: Side) -> Shown | None:
    """What there is of a map that is still being computed on a side: the run's own preview, else the coarse one."""
    several = bool(run.request.get("others"))
    sketched = sketch is not None and sketch.reference is not None
    # a run begins with an empty map and fills it piece by piece: the whole of a coarse one says more at first
    filled = 0 if preview is None else np.count_nonzero(preview.values)
    behind = filled == 0 or (sketch is not None and sketched and filled < _FILLED * sketch.filled)
    if preview is not None and not behind and preview.grid is not None and preview.values.shape == preview.grid.shape:
        reference = publish(
            preview.values, preview.grid.affine, owner=owner(), name=f"preview:{run.id}:{preview.version}"
        )
        return Shown(reference, side, "map of one scan, forming" if several else "coarse map, sharpening")
    if sketch is None or sketch.reference is None:
        return None
    return Shown(sketch.reference, side, "coarse map of this scan" if several else "coarse map")


@dataclass(frozen=True, eq=False)
class Stage:
    """Everything that the viewer shows beside the map.

    Parameters
    ----------
    scan : Scan
        What goes in.
    card : Card
        The model.
    content : str
        Hash of its folder.
    laid : TraceDesk
        What is laid out.
    input_channel, output_channel : int
        Channels on screen.
    plane : {"axial", "coronal", "sagittal"}
        The large plane at first.
    sides : collection of Side
        Where a region can be painted.
    truth : Truth, optional
        Ground truth to compare with.
    beside : {"", "truth", "error"}
        What the third panel shows.
    window : (float, float), optional
        Grey values of the output at first, in its units; by default what it holds.
    """

    scan: Scan
    card: Card
    content: str
    laid: TraceDesk
    input_channel: int
    output_channel: int
    plane: Plane
    sides: Collection[Side]
    truth: Truth | None
    beside: str
    window: tuple[float, float] | None = None

    def show(self, shown: Shown | None, outlines: StoredArray | None, on_change: Callable[[], None]) -> None:
        """Draw the panels; `on_change` is called when something was painted."""
        laid, side = self.laid, self.laid.side
        here = shown.side if shown is not None and self.card.output is not None else None
        panels = [self._input(shown if here == "input" else None, outlines)]
        if self.card.output is not None:
            panels.append(self._output(shown if here == "output" else None))
            panels += self._third()
        elif shown is not None:
            panels.append(self._over_scan(shown))
        region = shelf().region(laid.region) if laid.region and laid.handed else None
        viewer(
            panels,
            key=key_of(laid.scan or ""),
            tools=TOOLS if self.sides else ("navigate",),
            region=region,
            surface=side or "input",
            revision=laid.handed,
            crosshair=_middle(laid.region, owner()) if region is not None and laid.region else None,
            plane=self.plane,
            tool="brush" if self.sides else "navigate",
            brush=4,
            on_change=on_change,
        )

    def _input(self, shown: Shown | None, outlines: StoredArray | None) -> Panel:
        layers = [self._scan_layer(), *_map_layers(shown)]
        if outlines is not None:
            name = f"outlines:{outlines.path.parent.parent.name}"
            reference = publish(lambda: borders(outlines.values), self.scan.affine, owner=owner(), name=name)
            layers.append(Layer(reference, "mask", name=outlines.title, color=_OUTLINES, opacity=0.45))
        title = "Input" if shown is None else f"Input · {shown.title}"
        empty = _invitation(self.sides, self.card) if self.laid.side is None else shown.empty if shown else ""
        return Panel("input", title, layers, surface=self._surface("input"), insets=shown is not None, empty=empty)

    def _surface(self, side: Side) -> str | None:
        """What a region painted on a panel lies on; None where none can be painted."""
        return side if side in self.sides else None

    def _output(self, shown: Shown | None) -> Panel:
        title = "Output" if shown is None else f"Output · {shown.title}"
        return Panel(
            "output",
            title,
            [self._answer_layer(), *_map_layers(shown)],
            surface=self._surface("output"),
            insets=shown is not None,
            empty=shown.empty if shown else "",
        )

    def _over_scan(self, shown: Shown) -> Panel:
        """The map of a classifier lies over the scan: it has no image of its own."""
        return Panel("output", shown.title, [self._scan_layer(), *_map_layers(shown)], surface=None, empty=shown.empty)

    def _third(self) -> list[Panel]:
        truth, output = self.truth, self.card.output
        if truth is None or output is None or not self.beside:
            return []
        if self.beside == "truth":
            reference = self._published(questions.true_image, truth)
            window = self.window or self._answer_layer().volume.window
            layer = Layer(reference, name="true", unit=output.units, window=window, group="answer")
            return [Panel("truth", "Ground truth", [layer], surface=self._surface("output"))]
        reference = self._published(questions.error_map, truth)
        # a few pixels on an edge are wrong by far more than all others: they may leave the scale
        peak = max(abs(end) for end in reference.window)
        error = Layer(
            reference,
            "map",
            name="error",
            unit=output.units,
            colormap="berlin",
            centre_zero=True,
            range=(-peak, peak),
            opacity=1.0,
        )
        return [Panel("error", "Error: blue lower, red higher", [error], surface=self._surface("output"))]

    def _published(self, question: Callable[..., np.ndarray], truth: Truth) -> VolumeRef:
        laid, channel = self.laid, self.output_channel
        name = f"{question.__name__}:{laid.scan}:{self.content}:{truth.name}:{channel}"

        def values() -> np.ndarray:
            return pool.ask_same(
                question, laid.scan, owner(), self.card.name, self.content, truth.name, channel, truth.path
            )

        return publish(values, self.scan.affine, owner=owner(), name=name)

    def _scan_layer(self) -> Layer:
        return scan_layer(self.scan, self.input_channel, group=f"scan {self.input_channel}")

    def _answer_layer(self) -> Layer:
        name = self.laid.scan or ""
        return answer_layer(self.scan, name, self.card, self.content, self.output_channel, self.window)


def _invitation(sides: Collection[Side], card: Card) -> str:
    """Over the input, while nothing is painted."""
    if not sides or "input" not in sides:
        return ""
    return "Paint here, or on the output" if "output" in sides and card.output is not None else "Paint here"


def _map_layers(shown: Shown | None) -> list[Layer]:
    if shown is None:
        return []
    low, high = shown.reference.range
    peak = max(abs(low), abs(high))
    return [
        Layer(
            shown.reference,
            "map",
            name="map",
            unit=shown.unit,
            colormap="diverging" if shown.diverging else "magma",
            centre_zero=shown.diverging,
            range=None if shown.diverging else (0.0, high),
            opacity=0.7,
            threshold=_FLOOR * peak,
        )
    ]


def borders(labels: np.ndarray) -> np.ndarray:
    """Samples whose label differs from that of the next one along an axis, uint8."""
    whole = np.rint(labels)
    edge = np.zeros(labels.shape, dtype=np.uint8)
    for axis in range(labels.ndim):
        here = tuple(slice(0, -1) if a == axis else slice(None) for a in range(labels.ndim))
        edge[here] |= np.diff(whole, axis=axis) != 0
    return edge


@lru_cache(maxsize=64)
def _middle(region: str, whose: str) -> tuple[int, ...]:
    """The marked sample nearest to the middle of a selection: where the crosshair goes when it is laid out."""
    marked = np.argwhere(shelf(whose).region(region))
    nearest = np.abs(marked - marked.mean(axis=0)).sum(axis=1).argmin()
    return tuple(int(n) for n in marked[nearest])
