"""What must be known of a trace's map before it is believed: figures, checks and warnings."""

from __future__ import annotations

import numpy as np

from core.explainers.base import Check, MapArray
from core.explainers.ibix.backward import Backward
from core.explainers.ibix.mapping import Mapper
from core.explainers.ibix.report import leak_numbers, on_grid
from core.explainers.ibix.setup import Setup
from core.networks.responses import Box
from core.wording import percent

_EVERYTHING = 0.99
#: Below this part of the range of values, slopes of float32 answers are off by a thousandth and more.
_TOO_SMALL = 1e-4


class Notes:
    """Gathers them while the trace runs."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
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
        beside = "" if self.setup.parameters.compare else ", and the two were not compared here"
        self.warnings.append(f"the derivative at the scan itself is another quantity than eq. 5{beside}")

    def backward(self, backward: Backward, mapper: Mapper) -> None:
        """What a backward map took, and what of its sums cannot be shares."""
        levels = backward.levels
        evaluated = sum(level.evaluated for level in levels)
        self.numbers |= {
            "superpixels_asked": self.setup.parameters.superpixels,
            "superpixels": len(self.setup.superpixels),
            "superpixels_evaluated": evaluated,
            "superpixels_skipped": sum(level.skipped for level in levels),
            "superpixels_half": _holding_half(backward.effects()),
            "levels": len(levels),
            "evaluations": mapper.evaluations,
            "jitters": len(mapper.measure),
        }
        if self.setup.parameters.sums == "literal" and self.setup.parameters.divide_by == "all_outputs":
            below = [s.everywhere < 0 for level in levels for s in level.sums if s.everywhere_absolute > 0]
            if any(below):
                self.warnings.append(
                    f"{percent(float(np.mean(below)))} of the superpixels have a negative sum below the bar of eq. 6: "
                    "their values are no shares"
                )
        if not self.setup.classifier:
            self.reach(max((self.setup.reach(window) for window in self.setup.superpixels.windows[::7]), default=0.0))

    def unchanged(self, nothing: bool, where: str) -> None:
        """A perturbation that leaves the scan as it is cannot show anything."""
        if nothing:
            self.warnings.append(f"the perturbation {self.setup.parameters.perturbation} changes nothing {where}")

    def footprint(self, box: Box) -> None:
        """How much of the answer a change in the marked place reaches."""
        if not self.setup.classifier:
            self.reach(float(np.prod([s.stop - s.start for s in box]) / np.prod(self.setup.answer.shape[1:])))

    def reach(self, share: float) -> None:
        """See `footprint`, as a share."""
        self.numbers["footprint_share"] = share
        if share > _EVERYTHING and self.setup.responses.reason is None:
            self.warnings.append("a change can reach the whole output, so that windows save nothing: this took longer")

    def engine(self) -> None:
        """How the network was asked, and why not by windows."""
        reason = self.setup.responses.reason
        self.numbers["windows_used"] = float(reason is None)
        if reason is not None and self.setup.parameters.engine == "auto":
            self.warnings.append(f"the model was asked for whole images, which is slower: {reason.rstrip('.')}")
        self.warnings.extend(self.setup.responses.warnings)

    def region_and_range(self) -> None:
        """A region outside the body, and jitters that leave the range the model was made for."""
        region = self.setup.question.region
        shape = tuple(self.setup.x.shape[2:])
        here = on_grid(region, shape) if region is not None else np.ones(shape, dtype=bool)
        if region is not None:
            outside = 1 - float(self.setup.body[here].mean()) if here.any() else 0.0
            self.numbers["region_outside_body"] = outside
            if outside >= 1:
                self.warnings.append("the marked region lies outside the body")
            elif outside > 0.02:
                self.warnings.append(f"{percent(outside)} of the marked region lies outside the body")
        if self.setup.published:
            return
        self.numbers["jitter_largest"] = self.setup.largest
        if self.setup.parameters.perturbation not in ("add", "noise"):
            return
        self.numbers["jitter_input"] = self.setup.largest
        if self.setup.largest < _TOO_SMALL * (self.setup.range[1] - self.setup.range[0]):
            self.warnings.append(
                "the jitter range is so small that rounding shows in the map: take a larger one, or mode=gradient"
            )
        self.numbers["jitter_scan_units"] = self.setup.largest / self.setup.question.prepared.gain
        if self.setup.parameters.clip or self.setup.parameters.mode == "gradient":
            return
        low, high = self.setup.range
        seen = self.setup.x[0].cpu().numpy()[:, here if self.setup.forward else self.setup.body]
        tolerance = 1e-6 * (high - low)
        leaving = float(
            ((seen - self.setup.largest < low - tolerance) | (seen + self.setup.largest > high + tolerance)).mean()
        )
        if leaving > 0:
            self.numbers["share_leaving_range"] = leaving
            self.warnings.append(
                f"the largest jitter takes {percent(leaving)} of the changed values beyond the range the model was "
                f"made for, {low:g}…{high:g} (the parameter clip keeps them inside)"
            )

    def map(self, array: MapArray) -> None:
        """Figures of the finished map: what holds half of it, what leaks where."""
        if self.setup.classifier and not self.setup.forward:
            self.numbers["share_half"] = _holding_half(np.abs(array.values).ravel()) / array.values.size
        if self.setup.classifier or self.setup.question.region is None:
            return
        place = on_grid(self.setup.question.region, array.values.shape)
        if place.any():
            self.numbers |= leak_numbers(
                array.values, place, self.setup.spacing, self.setup.question.prepared.in_millimetres
            )


def _holding_half(sizes: np.ndarray) -> int:
    """How many of the largest of `sizes` add up to half of their sum; 0 when all are 0."""
    rising = np.cumsum(np.sort(sizes)[::-1], dtype=np.float64)
    return int(np.searchsorted(rising, rising[-1] / 2)) + 1 if rising[-1] > 0 else 0
