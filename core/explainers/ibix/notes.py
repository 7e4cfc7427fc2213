"""What must be known of a trace's map before it is believed: figures, checks and warnings."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.explainers.base import Check, MapArray
from core.explainers.ibix.backward import Backward
from core.explainers.ibix.mapping import Mapper
from core.explainers.ibix.report import on_grid
from core.explainers.ibix.setup import Setup
from core.metrics.localisation import holding_half
from core.networks import Box
from core.wording import percent

_EVERYTHING = 0.99


class Notes:
    """Gathers them while the trace runs."""

    def __init__(self, setup: Setup) -> None:
        self._setup, self._parameters = setup, setup.parameters
        self.warnings: list[str] = []
        self.numbers: dict[str, float] = {}
        self.checks: list[Check] = []

    def compared(self, found: float, mapper: Mapper) -> None:
        """How alike the derivative and the finite differences were."""
        self.numbers |= {"gradient_correlation": found, "evaluations": mapper.evaluations}
        words = f"The derivative's correlation with the finite differences of eq. 5 is {found:.2f} at this H."
        self.checks.append(Check("gradient_correlation", "Derivative and real changes", found, words))

    def gradient(self) -> None:
        """A derivative is another quantity than the paper's."""
        beside = "" if self._parameters.compare else ", and the two were not compared here"
        self.warnings.append(f"the derivative at the scan itself is another quantity than eq. 5{beside}")

    def backward(self, backward: Backward, mapper: Mapper) -> None:
        """What a backward map took, and what of its sums cannot be shares."""
        setup, levels = self._setup, backward.levels
        evaluated = sum(level.evaluated for level in levels)
        self.numbers |= {
            "superpixels_asked": self._parameters.superpixels,
            "superpixels": len(setup.superpixels),
            "superpixels_evaluated": evaluated,
            "superpixels_skipped": sum(level.skipped for level in levels),
            "superpixels_half": holding_half(backward.effects()),
            "levels": len(levels),
            "evaluations": mapper.evaluations,
            "jitters": len(mapper.measure),
        }
        if self._parameters.sums == "literal" and self._parameters.divide_by == "all_outputs":
            below = [s.everywhere < 0 for level in levels for s in level.sums if s.everywhere_absolute > 0]
            if any(below):
                self.warnings.append(
                    f"{percent(float(np.mean(below)))} of the superpixels have a negative sum below the bar of eq. 6: "
                    "their values are no shares"
                )
        if setup.answers.has_place:
            self.reach(max((setup.reach(window) for window in setup.superpixels.windows[::7]), default=0.0))

    def unchanged(self, nothing: bool, where: str) -> None:
        """A perturbation that leaves the scan as it is cannot show anything."""
        if nothing:
            self.warnings.append(f"the perturbation {self._parameters.perturbation} changes nothing {where}")

    def footprint(self, box: Box) -> None:
        """How much of the answer a change in the marked place reaches."""
        if self._setup.answers.has_place:
            self.reach(float(np.prod([s.stop - s.start for s in box]) / np.prod(self._setup.answer.shape[1:])))

    def reach(self, share: float) -> None:
        """See `footprint`, as a share."""
        self.numbers["footprint_share"] = share
        if share > _EVERYTHING and self._setup.responses.reason is None:
            self.warnings.append("a change can reach the whole output, so that windows save nothing: this took longer")

    def engine(self) -> None:
        """How the network was asked, and why not by windows."""
        responses = self._setup.responses
        reason = responses.reason
        self.numbers["windows_used"] = float(reason is None)
        if reason is not None and self._parameters.engine == "auto":
            self.warnings.append(f"the model was asked for whole images, which is slower: {reason.rstrip('.')}")
        self.warnings.extend(responses.warnings)

    def region_and_range(self, changed_places: Callable[[np.ndarray], np.ndarray]) -> None:
        """A region outside the body, and jitters that leave the range the model was made for.

        Parameters
        ----------
        changed_places : callable
            Region on the input's grid → samples of the input that the trace changes, bool.
        """
        setup, region = self._setup, self._setup.question.region
        here = on_grid(region, setup.shape) if region is not None else np.ones(setup.shape, dtype=bool)
        if region is not None:
            outside = 1 - float(setup.body[here].mean()) if here.any() else 0.0
            self.numbers["region_outside_body"] = outside
            if outside >= 1:
                self.warnings.append("the marked region lies outside the body")
            elif outside > 0.02:
                self.warnings.append(f"{percent(outside)} of the marked region lies outside the body")
        numbers, warnings = setup.variant.range_notes(lambda: setup.x[0].cpu().numpy()[:, changed_places(here)])
        self.numbers |= numbers
        self.warnings += warnings

    def map(self, array: MapArray, forward: bool) -> None:
        """Figures of the finished map: what holds half of it, what leaks where."""
        answers = self._setup.answers
        spacing = answers.spacing(lambda: self._setup.answer, forward)
        self.numbers |= answers.map_numbers(array.values, forward, spacing)
