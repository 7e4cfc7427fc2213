"""The linked images: each run's map over what it lies on, and what all of them have in common."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.metrics.together import agreement, strongest
from core.models.card import Card
from core.reports.colours import sizes
from core.runs import Preview
from core.scans.scan import Scan
from dashboard.backend.maps import on_grid_of
from dashboard.compare.side_by_side.common import Common
from dashboard.compare.side_by_side.measuring import map_file
from dashboard.compare.side_by_side.members import Comparison, Member
from dashboard.components.viewer import Layer, Panel, publish, viewer
from dashboard.components.viewer.viewer import Plane
from dashboard.desk import owner, shelf
from dashboard.intake import catalogue
from dashboard.results import verdicts
from dashboard.results.layers import answer_layer, forming_layers, map_layer, on_one_scale, scan_layer, unnamed
from dashboard.results.layers import strongest as strongest_place

#: Of the one viewer, in which the whole row hangs.
VIEWER_KEY = "compare results"
#: Pixels: panels narrower than this stand in several rows.
_NARROWEST = 215
#: Height of the images where one row holds all, and where there are more.
_HEIGHT, _LOWER = 380, 340
_ONE_ROW = 4


@dataclass(frozen=True)
class Look:
    """What the row is to show.

    Parameters
    ----------
    signed : bool
        Signed maps with their signs; otherwise their sizes.
    locked : bool
        One scale and one threshold for all maps of one unit, and one window for all scans.
    beside : collection of str
        What stands beside the maps: ``scan``, ``difference``, ``agreement``.
    share : float
        Of all samples, those that a map marks, 0..1.
    """

    signed: bool
    locked: bool
    beside: Collection[str]
    share: float


def show_row(comparison: Comparison, common: Common | None, look: Look) -> None:
    """Draw all panels.

    Parameters
    ----------
    comparison : Comparison
        The runs.
    common : Common, optional
        How far their maps can be compared; None while there is none.
    look : Look
        What is to be seen.
    """
    stages = [_Drawn(member, look) for member in comparison.members]
    panels = [stage.panel() for stage in stages]
    if look.locked:
        panels = [_locked(panel) for panel in on_one_scale(panels)]
    first = stages[0]
    if "scan" in look.beside:
        panels.insert(0, Panel("scan", "Scan", [scan_layer(first.scan, group=first.group)]))
    if common is not None and common.samples:
        panels += _in_common(comparison.done, common, look)
    plane: Plane = (first.card.input.plane if first.card is not None else None) or "axial"
    height = _HEIGHT if len(panels) <= _ONE_ROW else _LOWER
    crosshair = None
    if comparison.done and not comparison.done[0].empty and comparison.done[0].grid.same_as(comparison.members[0].grid):
        crosshair = strongest_place(str(comparison.done[0].main.path))
    viewer(panels, key=VIEWER_KEY, height=height, narrowest=_NARROWEST, plane=plane, crosshair=crosshair)


def extras(comparison: Comparison, common: Common | None) -> dict[str, str]:
    """What can stand beside the maps, by name: its title."""
    found = {"scan": "Scan"}
    if common is None or not common.samples or len(comparison.done) < 2:
        return found
    if common.values and len(comparison.done) == 2:
        found["difference"] = "Difference"
    return {**found, "agreement": "Agreement"}


class _Drawn:
    """One run's panel."""

    def __init__(self, member: Member, look: Look) -> None:
        self._member, self._look = member, look
        self.scan: Scan = shelf().scan(member.scan)
        self.card: Card | None = catalogue.cards().get(str(member.run.request["model"]))

    @property
    def group(self) -> str | None:
        """Scans of their own scales have their own windows, but one scan has one."""
        return None if self._look.locked else f"scan {self._member.scan}"

    def panel(self) -> Panel:
        """Map over what it lies on, or what there is of it."""
        member, run = self._member, self._member.run
        title, empty, struck = member.name, "", ""
        layers = self._ground()
        if member.explanation is not None and member.withheld:
            title, struck = f"{member.letter} · no result · {member.title}", verdicts.struck(member.explanation.verdict)
        elif member.explanation is not None:
            if member.explanation.verdict.state == "fails":
                title = f"{member.letter} · does not hold · {member.title}"
            shown = map_layer(self.scan, run.id, "map", member.main, self._look.signed)
            layers.append(replace(shown, name=member.letter))
            empty = "The map is zero everywhere." if member.empty else ""
        elif run.status.final:
            empty = "No map."
        else:
            preview: Preview | None = shelf().preview(run.id)
            layers += forming_layers(run.id, preview)
            empty = "Waiting" if len(layers) == 1 else ""
        return Panel(run.id, title, layers, empty=empty, struck=struck)

    def _ground(self) -> list[Layer]:
        member = self._member
        on_answer = member.explanation is not None and member.main.side == "output"
        if on_answer and self.card is not None and self.card.output is not None:
            content = catalogue.content_of(self.card.name)
            return unnamed([answer_layer(self.scan, member.scan, self.card, content)])
        return unnamed([scan_layer(self.scan, group=self.group)])


def _locked(panel: Panel) -> Panel:
    """Its map shares threshold and opacity with the others of its unit and colours."""
    layers = [
        replace(layer, lock=f"{layer.unit} {layer.colormap}") if layer.role == "map" else layer
        for layer in panel.layers
    ]
    return replace(panel, layers=layers)


def _in_common(done: Sequence[Member], common: Common, look: Look) -> list[Panel]:
    """Difference and agreement over the scan of the first."""
    if len(done) < 2:
        return []
    panels = []
    if "difference" in look.beside and common.values and len(done) == 2:
        panels.append(_difference(done[0], done[1], common))
    if "agreement" in look.beside:
        panels.append(_agreement(done, common, look.share))
    return panels


def difference_of(one: Member, other: Member) -> np.ndarray:
    """Map of `other` less that of `one`, float32, on the grid of `one`."""
    found: np.ndarray = on_grid_of(map_file(one), map_file(other)) - one.main.values
    return found.astype(np.float32, copy=False)


def agreement_of(members: Sequence[Member], share: float) -> np.ndarray:
    """Share of maps that mark each sample, float32 0..1, on the grid of the first."""
    first = map_file(members[0])
    values = (on_grid_of(first, map_file(member)) for member in members)
    marked = [strongest(sizes(one, m.main.neutral), share) for one, m in zip(values, members, strict=True)]
    return agreement(marked)


def _difference(one: Member, other: Member, common: Common) -> Panel:
    scan = shelf().scan(one.scan)
    reference = publish(
        lambda: difference_of(one, other), scan.affine, owner=owner(), name=f"difference:{one.run.id}:{other.run.id}"
    )
    peak = max(abs(end) for end in reference.range)
    layer = Layer(
        reference, "map", name=f"{other.letter} − {one.letter}", unit=one.main.unit, colormap="diverging",
        centre_zero=True, opacity=0.8, threshold=0.05 * peak,
    )  # fmt: skip
    title = f"{other.letter} − {one.letter}{', resampled' if common.resampled else ''}"
    empty = "" if peak else "The two maps are the same."
    return Panel("difference", title, [*unnamed([scan_layer(scan, group="in common")]), layer], empty=empty)


def _agreement(done: Sequence[Member], common: Common, share: float) -> Panel:
    first = done[0]
    scan = shelf().scan(first.scan)
    runs = ",".join(member.run.id for member in done)
    reference = publish(
        lambda: agreement_of(done, share), scan.affine, owner=owner(), name=f"agreement:{share:.3f}:{runs}"
    )
    layer = Layer(
        reference, "map", name="agreement", unit="share of maps", colormap="viridis", range=(0.0, 1.0),
        opacity=0.75, threshold=0.0,
    )  # fmt: skip
    title = f"Agreement: {marks(share)}{', resampled' if common.resampled else ''}"
    empty = "" if reference.range[1] else "No map marks anything."
    return Panel("agreement", title, [*unnamed([scan_layer(scan, group="in common")]), layer], empty=empty)


def marks(share: float) -> str:
    """What a map marks, in words."""
    return f"strongest {share:.0%}"
