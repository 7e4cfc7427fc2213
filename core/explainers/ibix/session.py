"""One trace, from question to findings."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from core.errors import BadInput
from core.explainers.base import Findings, MapArray, Question
from core.explainers.ibix.backward import Backward, Region, Tell
from core.explainers.ibix.equations import any_inside, sums_inside
from core.explainers.ibix.gradient import backward_derivative, correlation, forward_derivative
from core.explainers.ibix.notes import Notes
from core.explainers.ibix.parameters import IbixParameters
from core.explainers.ibix.report import Watch, answer_array
from core.explainers.ibix.setup import Setup
from core.explainers.ibix.superpixels import counts_by_level
from core.networks.responses import Box, at
from core.progress import silent

#: Jitters of the first sketch, and of the comparison of a derivative with real changes.
_SKETCH_NODES, _COMPARISON_NODES = 4, 8
#: Cheaper than this part of asking for whole images, one level is quick enough; from every so many superpixels.
_LOCAL, _EVERY = 0.25, 7


class IbixSession:
    """Runs the mapping that the parameters ask for.

    Parameters
    ----------
    question : Question
    parameters : IbixParameters
        With nothing left on ``auto`` that the model decides.
    """

    def __init__(self, question: Question, parameters: IbixParameters) -> None:
        self.setup = Setup(question, parameters)
        self.notes = Notes(self.setup)
        self.watch = Watch(question.report)

    def findings(self) -> Findings:
        """Run the mapping and gather what belongs to it."""
        gradient = self.setup.parameters.mode == "gradient"
        if self.setup.forward or not self.setup.classifier:
            self.setup.marked()
        self.notes.region_and_range()
        if self.setup.forward:
            arrays = self._forward_gradient() if gradient else self._forward()
        else:
            arrays = self._backward_gradient() if gradient else self._backward()
        if not gradient or self.setup.parameters.compare:
            self.notes.engine()
        self.notes.map(arrays["map"])
        if not self.setup.classifier:
            arrays["answer"] = answer_array(
                self.setup.answer, self.setup.output_contract, self.setup.parameters.output_channel
            )
        return Findings(
            arrays, checks=tuple(self.notes.checks), numbers=self.notes.numbers, warnings=tuple(self.notes.warnings)
        )

    def _forward(self) -> dict[str, MapArray]:
        region = self.setup.marked()
        window = _window_of(region)
        inside = torch.from_numpy(np.ascontiguousarray(region[window])).to(self.setup.x.device)
        direction = self.setup.perturbation.direction(window, inside)
        self.notes.unchanged(not bool(direction.any()), "in this region")
        mapper = self.setup.mapper()

        def step(share: float, so_far: Callable[[], torch.Tensor]) -> None:
            preview = None if self.setup.classifier else (lambda: self._map_of(self._spread(box_of(), so_far())))
            self.watch(share, f"{share * len(mapper.measure):.0f} of {len(mapper.measure)} jitters", preview)

        def box_of() -> Box:
            reached = self.setup.responses.footprint(window)
            return reached if reached is not None else tuple(slice(0, 0) for _ in window)

        box, slopes = mapper.slopes(window, direction, step)
        self.notes.numbers |= {"evaluations": mapper.evaluations, "jitters": len(mapper.measure)}
        self.notes.footprint(box)
        if self.setup.classifier:
            return {"map": self._number_on_region(slopes, region)}
        return {"map": self._forward_array(self._map_of(self._spread(box, slopes)))}

    def _spread(self, box: Box, slopes: torch.Tensor) -> torch.Tensor:
        whole = torch.zeros(self.setup.answer.shape, device=slopes.device)
        at(whole, box).copy_(slopes)
        return whole

    def _map_of(self, slopes: torch.Tensor) -> np.ndarray:
        """F over the answer's channels → one map."""
        if self.setup.channel is not None:
            slopes = slopes[self.setup.channel : self.setup.channel + 1]
        if self.setup.parameters.sums == "absolute":
            slopes = slopes.abs()
        return slopes.sum(dim=0).cpu().numpy().astype(np.float32)

    def _forward_array(self, values: np.ndarray, gradient: bool = False) -> MapArray:
        signed = self.setup.parameters.sums != "absolute" and not self.setup.published
        what = "derivative at the scan itself" if gradient else "forward map F"
        if self.setup.published:
            return MapArray(values, "forward influence (published code)", "attribution", "grey levels", side="output")
        title = what if signed else f"|{what}|" if not gradient else f"size of the {what}"
        return MapArray(values, title, "attribution", "Δ output / Δ input", diverging=signed, side="output")

    def _number_on_region(self, slopes: torch.Tensor, region: np.ndarray) -> MapArray:
        """A classifier's F has no place: one number a class, and the target's painted on the region."""
        for name, value in zip(self.setup.card.classes, slopes.tolist(), strict=True):
            self.notes.numbers[f"slope {name}"] = value
        target = self.setup.question.target
        assert target is not None
        values = region.astype(np.float32) * float(slopes[target])
        title = f"effect of the marked region on {self.setup.card.classes[target]} (one number, painted on the region)"
        return MapArray(values, title, "attribution", f"Δ {self.setup.parameters.score} / Δ input", diverging=True)

    def _backward(self) -> dict[str, MapArray]:
        region = self.setup.output_region()
        mapper = self.setup.mapper()
        backward = Backward(
            mapper, self.setup.perturbation, region, self.setup.value, self.setup.question.prepared.spacing_mm
        )
        levels = self._levels()
        counts = counts_by_level(self.setup.parameters.coarse_superpixels, self.setup.parameters.superpixels, levels)
        if levels == 1 and not self.setup.published and self.setup.question.report is not silent:
            # nobody waits for a sketch that nobody sees
            backward.sketch(
                self.setup.mapper(_SKETCH_NODES),
                self.setup.cut(min(self.setup.parameters.coarse_superpixels, counts[0])),
                self.watch,
            )
        values = np.zeros(0, dtype=np.float32)
        for number, count in enumerate(counts):
            superpixels = self.setup.superpixels if number == levels - 1 else self.setup.cut(count)
            start, end = number / levels, (number + 1) / levels
            values = backward.add_level(superpixels, self.setup.parameters.coarse_threshold, self.watch, start, end)
        self.notes.backward(backward, mapper)
        self.notes.unchanged(not values.any() and not backward.changes_anything(), "anywhere")
        return {"map": self._backward_array(values), "superpixels": self._labels()}

    def _levels(self) -> int:
        if self.setup.parameters.levels != "auto":
            return int(self.setup.parameters.levels)
        if self.setup.responses.reason is not None:
            return 2
        return 1 if self._cost() < _LOCAL else 2

    def _cost(self) -> float:
        """What all superpixels cost with windows and pruning, as a part of asking for whole images; from a sample."""
        marked, costs = self.setup.output_region().marked, []
        for window in self.setup.superpixels.windows[::_EVERY]:
            reached = any_inside(marked, self.setup.responses.footprint(window))
            costs.append(self.setup.reach(window) if reached else 0.0)
        return float(np.mean(costs))

    def _backward_array(self, values: np.ndarray) -> MapArray:
        chosen, signed = self.setup.parameters, self.setup.parameters.sums != "absolute"
        if self.setup.published:
            return MapArray(values, "backward influence (published code)", "attribution", "grey levels")
        what = (
            f"the {chosen.score} of {self.setup.card.classes[self.setup.question.target or 0]}"
            if self.setup.classifier
            else "the region"
        )
        if chosen.divide_by == "all_outputs":
            kind = {"absolute": "", "signed": ", signed", "literal": ", signed sums as printed"}[chosen.sums]
            return MapArray(
                values, f"share of the effect that falls on {what}{kind}", "attribution", "share", diverging=signed
            )
        per = " per pixel" if chosen.divide_by == "pixels" else ""
        title = f"{'effect' if signed else 'size of the effect'} on {what}{per}"
        return MapArray(values, title, "attribution", "Δ output / Δ input", diverging=signed)

    def _labels(self) -> MapArray:
        return MapArray(self.setup.superpixels.labels.astype(np.float32), "superpixels", "labels", "number")

    def _forward_gradient(self) -> dict[str, MapArray]:
        region = self.setup.marked()
        everywhere: Box = tuple(slice(0, n) for n in region.shape)
        direction = self.setup.perturbation.direction(
            everywhere, torch.from_numpy(region.copy()).to(self.setup.x.device)
        )
        slopes = forward_derivative(self.setup.network(), self.setup.x, direction[None])
        if self.setup.parameters.compare:
            window = _window_of(region)
            mapper = self.setup.mapper(_COMPARISON_NODES * 2)
            box, real = mapper.slopes(window, at(direction, window))
            self.notes.compared(correlation(slopes, real if self.setup.classifier else self._spread(box, real)), mapper)
        self.notes.gradient()
        if self.setup.classifier:
            return {"map": self._number_on_region(slopes, region)}
        return {"map": self._forward_array(self._map_of(slopes), gradient=True)}

    def _backward_gradient(self) -> dict[str, MapArray]:
        if self.setup.parameters.perturbation in ("mean", "inpaint"):
            raise BadInput(
                f"The derivative has no regions to apply {self.setup.parameters.perturbation} to: "
                "take add, multiply, noise or blur."
            )
        region = self.setup.output_region()
        weights = region.marked.float()
        if region.channel is not None:
            weights = weights * (
                torch.arange(len(self.setup.answer), device=self.setup.x.device) == region.channel
            ).view(-1, *[1] * weights.ndim)
        slopes = backward_derivative(self.setup.network(), self.setup.x, weights)
        shape = tuple(self.setup.x.shape[2:])
        everywhere: Box = tuple(slice(0, n) for n in shape)
        looked_at = torch.ones(shape, dtype=torch.bool, device=self.setup.x.device)
        if self.setup.classifier and self.setup.question.region is not None:
            looked_at &= torch.from_numpy(self.setup.question.region.copy()).to(looked_at.device)
        values = (slopes * self.setup.perturbation.direction(everywhere, looked_at)).sum(dim=0).cpu().numpy()
        signed = self.setup.parameters.sums != "absolute"
        title = "derivative at the scan itself" if signed else "size of the derivative at the scan itself"
        shown = (values if signed else np.abs(values)).astype(np.float32)
        if self.setup.parameters.compare:
            # what is shown meanwhile is the map itself, not what it is compared with
            self._compare_backward(values, region, lambda f, m, _: self.watch(f, f"comparing, {m}", lambda: shown))
        self.notes.gradient()
        return {"map": MapArray(shown, title, "attribution", "Δ output / Δ input", diverging=signed)}

    def _compare_backward(self, derivative: np.ndarray, region: Region, tell: Tell) -> None:
        """Eq. 7 summed over coarse superpixels beside what changing them really does."""
        chosen, pixels = self.setup.parameters, self.setup.x[0, 0].numel()
        superpixels = self.setup.cut(min(chosen.coarse_superpixels, chosen.superpixels, pixels))
        mapper = self.setup.mapper(_COMPARISON_NODES)
        backward = Backward(
            mapper, self.setup.perturbation, region, self.setup.value, self.setup.question.prepared.spacing_mm
        )
        backward.add_level(superpixels, 0.0, tell, 0.0, 1.0)
        level = backward.levels[0]
        real = torch.from_numpy(sums_inside(level.sums, "signed"))
        sums = np.bincount(superpixels.labels.ravel(), weights=derivative.ravel(), minlength=len(superpixels) + 1)[1:]
        self.notes.compared(correlation(torch.from_numpy(sums), real), mapper)


def _window_of(region: np.ndarray) -> Box:
    """Bounding box of a region that is not empty."""
    found = []
    for axis in range(region.ndim):
        hit = np.flatnonzero(region.any(axis=tuple(a for a in range(region.ndim) if a != axis)))
        found.append(slice(int(hit[0]), int(hit[-1]) + 1))
    return tuple(found)
