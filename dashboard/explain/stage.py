"""The images of the Explain page: from a scan, a preview or a result to the panels of the viewer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.models.card import Card
from core.reports.explanation import StoredArray, StoredExplanation
from core.runs import Preview
from core.scans.scan import Scan
from dashboard.components.viewer import Layer, Panel, publish_scan, viewer
from dashboard.components.viewer.viewer import Plane, Tool
from dashboard.desk import owner
from dashboard.explain.earlier import Earlier
from dashboard.intake import catalogue
from dashboard.results import verdicts
from dashboard.results.landmark_views import Marks
from dashboard.results.layers import (
    answer_layer,
    forming_layers,
    map_layer,
    published,
    scan_layer,
    short,
    strongest,
    unnamed,
)

#: One key for every state of the page, so that crosshair, zoom and window stay while results come and go.
VIEWER_KEY = "explain viewer"
_MOST_PANELS = 4
_CHANGED = "Changed scan"
_EMPTY = {True: "Nothing had to be hidden.", False: "The map is zero everywhere."}
#: What a landmark is drawn with.
_TOOLS: tuple[Tool, ...] = ("brush", "pixel", "lasso", "erase", "navigate")


@dataclass(frozen=True, eq=False)
class Stage:
    """A scan, and what is shown beside it.

    Parameters
    ----------
    scan, name : Scan, str
        The scan, and its content hash.
    card : Card, optional
        The model that is asked; of one that makes an image, that image is shown, too.
    earlier : Earlier, optional
        The result that was here before: beside the scan until what is asked for now stands.
    changes : bool
        The explainer leaves a changed scan: its place is kept in every state, so that nothing jumps.
    """

    scan: Scan
    name: str
    card: Card | None
    earlier: Earlier | None = None
    changes: bool = False

    def scan_alone(self, marks: Marks) -> None:
        """The scan, and the image that the model makes of it."""
        beside = self._earlier_panels() or [self._awaited("overlay", "Map"), *self._awaited_change()]
        self._draw([self._scan_panel(), *self._answer_panels(), *beside][:_MOST_PANELS], marks)

    def preview(self, run: str, preview: Preview | None, marks: Marks) -> None:
        """The scan, and the map as it forms; before the first preview both panels show the scan."""
        layers = [scan_layer(self.scan), *forming_layers(run, preview)]
        forming = Panel("overlay", "Forming", layers)
        beside = self._earlier_panels() or self._awaited_change()
        self._draw([self._scan_panel(), forming, *self._answer_panels(), *beside][:_MOST_PANELS], marks)

    def result(self, run: str, explanation: StoredExplanation, signed: bool, marks: Marks) -> None:
        """Scan, map over the side it lies on, and the changed scan where the explainer made one; no map of what failed.

        Parameters
        ----------
        run : str
            Id of the run.
        explanation : StoredExplanation
            Its result.
        signed : bool
            Show a signed map with its signs; otherwise how large it is.
        marks : Marks
            What is drawn over all of them.
        """
        main = explanation.arrays["map"]
        nothing = not np.any(main.values)
        answers = self._answer_panels()
        over_answer = main.side == "output" and bool(answers)
        overlay = self._overlay(run, explanation, signed)
        if explanation.verdict.withheld:
            self._draw([self._scan_panel(), overlay, *self._awaited_change("Nothing is changed.")], marks)
            return
        changed = [
            self._changed_panel(run, name, array) for name, array in explanation.arrays.items() if array.kind == "image"
        ]
        panels = [self._scan_panel(), overlay, *([] if over_answer else answers), *changed]
        self._draw(panels[:_MOST_PANELS], marks, crosshair=None if nothing else strongest(str(main.path)))

    def _overlay(self, run: str, explanation: StoredExplanation, signed: bool) -> Panel:
        """The map over the side that it lies on; of what is no result, what to try."""
        main = explanation.arrays["map"]
        answers = self._answer_panels() if main.side == "output" else []
        ground = answers[0].layers if answers else [scan_layer(self.scan)]
        verdict = explanation.verdict
        title = verdicts.titled("Heat map" if main.diverging and not signed else _headed(main.title), verdict)
        if verdict.withheld:
            return Panel("overlay", title, ground, struck=verdicts.struck(verdict))
        return Panel(
            "overlay",
            title,
            [*ground, map_layer(self.scan, run, "map", main, signed)],
            empty="" if np.any(main.values) else _EMPTY[main.kind == "mask"],
        )

    def _earlier_panels(self) -> list[Panel]:
        """The map of the result before, faintly."""
        before = self.earlier
        if before is None:
            return []
        stage = replace(self, card=catalogue.cards().get(before.explanation.model))
        panel = stage._overlay(before.run, before.explanation, before.signed)
        return [replace(panel, key="earlier", title=before.title, layers=unnamed(panel.layers), dimmed=True)]

    def _awaited(self, key: str, title: str, words: str = "") -> Panel:
        """The place of what is not there yet."""
        said = words or f"The {title.lower()} comes here."
        return Panel(key, title, unnamed([scan_layer(self.scan)]), empty=said, dimmed=True)

    def _awaited_change(self, words: str = "") -> list[Panel]:
        return [self._awaited("perturbed", _CHANGED, words)] if self.changes else []

    def _scan_panel(self) -> Panel:
        return Panel("scan", "Scan", [scan_layer(self.scan)])

    def _answer_panels(self) -> list[Panel]:
        if self.card is None or self.card.output is None:
            return []
        content = catalogue.content_of(self.card.name)
        return [Panel("answer", "Output", [answer_layer(self.scan, self.name, self.card, content)])]

    def _changed_panel(self, run: str, name: str, array: StoredArray) -> Panel:
        window = publish_scan(self.scan, owner=owner()).window
        reference, title = published(self.scan, run, name, array), short(array.title, "changed")
        # a long title would be cut: what the whole of it is, the menu Keep says
        headed = _CHANGED if len(array.title) > len(_CHANGED) else _headed(array.title)
        return Panel(name, headed, [Layer(reference, "image", name=title, unit=array.unit, window=window)])

    def _draw(self, panels: Sequence[Panel], marks: Marks, **more: Any) -> None:
        drawing = marks.drawn is not None
        # a 2D model that takes one plane of a volume: that plane is the one to look at
        plane: Plane = (self.card.input.plane if self.card is not None else None) or "axial"
        viewer(
            [
                replace(panel, layers=[*panel.layers, *(marks.outlines if place == 0 else unnamed(marks.outlines))])
                for place, panel in enumerate(panels)
            ],
            key=VIEWER_KEY,
            plane=plane,
            tools=_TOOLS if drawing else ("navigate",),
            region=marks.drawn,
            revision=marks.revision,
            tool="brush" if drawing else "navigate",
            brush=_brush(self.scan),
            on_change=marks.on_change if drawing else None,
            **more,
        )


def _headed(title: str) -> str:
    return title[:1].upper() + title[1:]


def _brush(scan: Scan) -> int:
    """Diameter at first, in the scan's own lengths: a landmark is drawn in a few strokes."""
    extent = max(size * mm for size, mm in zip(scan.shape, scan.spacing_mm, strict=True))
    return int(np.clip(round(extent / 25), 1, 40))
