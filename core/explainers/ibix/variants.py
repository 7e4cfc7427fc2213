"""The paper's equations, and what the authors' published program computes instead."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
import torch

from core.errors import BadInput
from core.explainers.base import MapArray, Question
from core.explainers.ibix.equations import Jitters, RegionSums, quick_jitters, shares, sums_inside, uniform_jitters
from core.explainers.ibix.mapping import Measure, PublishedMeasure, SlopeMeasure, Transform
from core.explainers.ibix.parameters import IbixParameters
from core.explainers.ibix.perturbations import ONE_SIDED
from core.wording import percent

#: Below this part of the range of values, slopes of float32 answers are off by a thousandth and more.
_TOO_SMALL = 1e-4


class Variant(ABC):
    """How a change is measured and added up.

    Parameters
    ----------
    question : Question
    parameters : IbixParameters
    transform : callable, optional
        Applied to answers before they are compared.

    Raises
    ------
    BadInput
        When the parameters do not fit the variant.
    """

    #: Whether a coarse sketch with few jitters shows the same quantity.
    sketches: bool

    def __init__(self, question: Question, parameters: IbixParameters, transform: Transform | None) -> None:
        self.question, self.parameters, self.transform = question, parameters, transform
        self.card = question.model.card
        self.refuse_what_does_not_fit()

    @abstractmethod
    def refuse_what_does_not_fit(self) -> None:
        """Raise `BadInput` for parameters that mean nothing here."""

    @abstractmethod
    def input_of(self, x: torch.Tensor) -> torch.Tensor:
        """The scan as the network is asked about it."""

    @abstractmethod
    def measure(self, device: torch.device, nodes: int | None = None) -> Measure:
        """Which inputs are asked; with `nodes`, that many at a quick quadrature's places."""

    @abstractmethod
    def value(self, sums: list[RegionSums], sizes: np.ndarray) -> np.ndarray:
        """B of superpixels from their sums and sizes."""

    @abstractmethod
    def forward_array(self, values: np.ndarray, derivative: bool) -> MapArray:
        """A forward map over an image that the model makes."""

    @abstractmethod
    def backward_array(self, values: np.ndarray, subject: str) -> MapArray:
        """A backward map of what `subject` names."""

    @abstractmethod
    def range_notes(self, seen: Callable[[], np.ndarray]) -> tuple[dict[str, float], list[str]]:
        """Figures of the jitters, and warnings where they leave what the model was made for.

        Parameters
        ----------
        seen : callable
            Gives the values of the input that are changed, shape (C, n).
        """


class Paper(Variant):
    """Equations 1 to 7."""

    sketches = True

    @property
    def range(self) -> tuple[float, float]:
        """Lowest and highest value the network was made for."""
        return self.card.input.intensity.low, self.card.input.intensity.high

    @property
    def largest(self) -> float:
        """H: input units for what is added, a share for what is multiplied, 1 for what is replaced."""
        chosen = self.parameters
        if chosen.perturbation in ONE_SIDED:
            return 1.0
        if chosen.perturbation == "multiply":
            return chosen.jitter_percent / 100
        if chosen.jitter_range > 0:
            return chosen.jitter_range * self.question.prepared.gain
        low, high = self.range
        return chosen.jitter_percent / 100 * (high - low)

    def refuse_what_does_not_fit(self) -> None:
        """See `Variant`."""
        if self.parameters.perturbation == "multiply" and self.parameters.jitter_range > 0:
            raise BadInput("Values are multiplied by a share, which has no scan units: set jitter_percent instead.")

    def input_of(self, x: torch.Tensor) -> torch.Tensor:
        """As it is."""
        return x

    def jitters(self, nodes: int | None = None) -> Jitters:
        """The jitters asked for; with `nodes`, that many at a quick quadrature's places."""
        one_sided = self.parameters.perturbation in ONE_SIDED
        if nodes is not None:
            return quick_jitters(self.largest, one_sided, nodes)
        if self.parameters.quadrature == "quick":
            return quick_jitters(self.largest, one_sided)
        return uniform_jitters(self.largest, self.parameters.jitters, one_sided)

    def measure(self, device: torch.device, nodes: int | None = None) -> Measure:
        """Mean slopes (eq. 5)."""
        bounds = self.range if self.parameters.clip else None
        return SlopeMeasure(self.jitters(nodes), device, bounds, self.transform)

    def value(self, sums: list[RegionSums], sizes: np.ndarray) -> np.ndarray:
        """Eq. 6, or its numerator, by pixel where that was asked for."""
        chosen = self.parameters
        if chosen.divide_by == "all_outputs":
            return shares(sums, chosen.sums, chosen.denominator_floor)
        inside = sums_inside(sums, chosen.sums)
        return inside / sizes if chosen.divide_by == "pixels" else inside

    def forward_array(self, values: np.ndarray, derivative: bool) -> MapArray:
        """See `Variant`."""
        signed = self.parameters.sums != "absolute"
        what = "derivative at the scan itself" if derivative else "forward map F"
        title = what if signed else f"size of the {what}" if derivative else f"|{what}|"
        return MapArray(values, title, "attribution", "Δ output / Δ input", diverging=signed, side="output")

    def backward_array(self, values: np.ndarray, subject: str) -> MapArray:
        """See `Variant`."""
        chosen, signed = self.parameters, self.parameters.sums != "absolute"
        if chosen.divide_by == "all_outputs":
            kind = {"absolute": "", "signed": ", signed", "literal": ", signed sums as printed"}[chosen.sums]
            title = f"share of the effect that falls on {subject}{kind}"
            return MapArray(values, title, "attribution", "share", diverging=signed)
        per = " per pixel" if chosen.divide_by == "pixels" else ""
        title = f"{'effect' if signed else 'size of the effect'} on {subject}{per}"
        return MapArray(values, title, "attribution", "Δ output / Δ input", diverging=signed)

    def range_notes(self, seen: Callable[[], np.ndarray]) -> tuple[dict[str, float], list[str]]:
        """See `Variant`."""
        largest, (low, high) = self.largest, self.range
        numbers: dict[str, float] = {"jitter_largest": largest}
        warnings: list[str] = []
        if self.parameters.perturbation not in ("add", "noise"):
            return numbers, warnings
        numbers["jitter_input"] = largest
        if largest < _TOO_SMALL * (high - low):
            warnings.append(
                "the jitter range is so small that rounding shows in the map: take a larger one, or mode=gradient"
            )
        numbers["jitter_scan_units"] = largest / self.question.prepared.gain
        if self.parameters.clip or self.parameters.mode == "gradient":
            return numbers, warnings
        values, tolerance = seen(), 1e-6 * (high - low)
        leaving = float(((values - largest < low - tolerance) | (values + largest > high + tolerance)).mean())
        if leaving > 0:
            numbers["share_leaving_range"] = leaving
            warnings.append(
                f"the largest jitter takes {percent(leaving)} of the changed values beyond the range the model was "
                f"made for, {low:g}…{high:g} (the parameter clip keeps them inside)"
            )
        return numbers, warnings


class PublishedCode(Variant):
    """The authors' program: whole grey levels, no division by the jitter or by what happens elsewhere."""

    sketches = False

    def refuse_what_does_not_fit(self) -> None:
        """See `Variant`."""
        chosen = self.parameters
        if self.card.task == "classification" or chosen.perturbation != "add" or chosen.mode == "gradient":
            raise BadInput("The published code adds grey levels to an image and compares images: nothing else fits it.")
        if chosen.quadrature == "quick" or chosen.clip or chosen.sums != "absolute":
            raise BadInput("The published code has its own steps and sums: leave quadrature, clip and sums alone.")

    def input_of(self, x: torch.Tensor) -> torch.Tensor:
        """In whole grey levels, as that program reads it."""
        measure = self.measure(x.device)
        return measure.seen(measure.grey(x))

    def measure(self, device: torch.device, nodes: int | None = None) -> PublishedMeasure:
        """Its own steps, however many places are asked for."""
        assert self.card.output is not None
        return PublishedMeasure(self.parameters.jitters, device, self.card.input, self.card.output)

    def value(self, sums: list[RegionSums], sizes: np.ndarray) -> np.ndarray:
        """Mean over the marked samples, the rest cut off."""
        marked = 1 if self.question.region is None else int(self.question.region.sum())
        return np.trunc(np.array([s.inside_absolute for s in sums]) / marked)

    def forward_array(self, values: np.ndarray, derivative: bool) -> MapArray:
        """See `Variant`."""
        return MapArray(values, "forward influence (published code)", "attribution", "grey levels", side="output")

    def backward_array(self, values: np.ndarray, subject: str) -> MapArray:
        """See `Variant`."""
        return MapArray(values, "backward influence (published code)", "attribution", "grey levels")

    def range_notes(self, seen: Callable[[], np.ndarray]) -> tuple[dict[str, float], list[str]]:
        """Nothing: its steps never leave the grey levels."""
        return {}, []


VARIANTS: dict[str, type[Variant]] = {"paper": Paper, "published_code": PublishedCode}
