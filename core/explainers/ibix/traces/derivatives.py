"""Forward and backward by the derivative at the scan itself (eq. 2 to 4 and 7): at once, and another quantity."""

from __future__ import annotations

import numpy as np
import torch

from core.errors import BadInput
from core.explainers.base import MapArray
from core.explainers.ibix.backward import Backward as Evaluation
from core.explainers.ibix.backward import Region, Tell
from core.explainers.ibix.equations import sums_inside
from core.explainers.ibix.gradient import backward_derivative, correlation, forward_derivative
from core.explainers.ibix.superpixels import window_of
from core.explainers.ibix.traces.base import Backward, Forward, Trace, everywhere
from core.networks import at

#: Jitters of the comparison of a derivative with real changes.
_COMPARISON_NODES = 8


class _Compared(Trace):
    @property
    def changes_the_scan(self) -> bool:
        """Only where the derivative is compared with real changes."""
        return self.setup.parameters.compare


class ForwardDerivative(_Compared, Forward):
    """Derivative of the answer along the perturbation of the marked region (eq. 2)."""

    def arrays(self) -> dict[str, MapArray]:
        """See `Trace`."""
        setup, answers, region = self.setup, self.setup.answers, self.setup.marked
        inside = torch.from_numpy(region.copy()).to(setup.x.device)
        direction = setup.perturbation.direction(everywhere(region.shape), inside)
        slopes = forward_derivative(answers.network(), setup.x, direction[None])
        if setup.parameters.compare:
            window = window_of(region)
            mapper = setup.mapper(_COMPARISON_NODES * 2)
            box, real = mapper.slopes(window, at(direction, window))
            self.notes.compared(correlation(slopes, answers.of_whole(setup.answer, box, real)), mapper)
        self.notes.gradient()
        self.notes.numbers |= answers.forward_numbers(slopes)
        return {"map": answers.forward_map(slopes, region, setup.variant, derivative=True)}


class BackwardDerivative(_Compared, Backward):
    """Derivative of the marked part of the answer by every sample of the scan (eq. 7)."""

    def arrays(self) -> dict[str, MapArray]:
        """See `Trace`."""
        setup = self.setup
        if setup.parameters.perturbation in ("mean", "inpaint"):
            raise BadInput(
                f"The derivative has no regions to apply {setup.parameters.perturbation} to: "
                "take add, multiply, noise or blur."
            )
        region = setup.target
        slopes = backward_derivative(setup.answers.network(), setup.x, self._weights(region))
        looked_at = torch.from_numpy(setup.answers.looked_at(setup.covered).copy()).to(setup.x.device)
        direction = setup.perturbation.direction(everywhere(setup.shape), looked_at)
        values = (slopes * direction).sum(dim=0).cpu().numpy()
        signed = setup.parameters.sums != "absolute"
        title = "derivative at the scan itself" if signed else "size of the derivative at the scan itself"
        shown = (values if signed else np.abs(values)).astype(np.float32)
        if setup.parameters.compare:
            # what is shown meanwhile is the map itself, not what it is compared with
            self._compare(values, region, lambda f, m, _: self.watch(f, f"comparing, {m}", lambda: shown))
        self.notes.gradient()
        return {"map": MapArray(shown, title, "attribution", "Δ output / Δ input", diverging=signed)}

    def _weights(self, region: Region) -> torch.Tensor:
        """1 inside M^f, and 0 in channels that do not count and where the answer is of padding."""
        weights = region.marked.float() if self.setup.counted is None else (region.marked & self.setup.counted).float()
        if region.channel is None:
            return weights
        channels = torch.arange(len(self.setup.answer), device=self.setup.x.device) == region.channel
        return weights * channels.view(-1, *[1] * weights.ndim)

    def _compare(self, derivative: np.ndarray, region: Region, tell: Tell) -> None:
        """Eq. 7 summed over coarse superpixels beside what changing them really does."""
        setup, chosen, samples = self.setup, self.setup.parameters, self.setup.x[0, 0].numel()
        superpixels = setup.cut(min(chosen.coarse_superpixels, chosen.superpixels, samples))
        mapper = setup.mapper(_COMPARISON_NODES)
        spacing = setup.question.prepared.spacing_mm
        evaluation = Evaluation(mapper, setup.perturbation, region, setup.variant.value, spacing, setup.counted)
        evaluation.add_level(superpixels, 0.0, tell, 0.0, 1.0)
        real = torch.from_numpy(sums_inside(evaluation.levels[0].sums, "signed"))
        sums = np.bincount(superpixels.labels.ravel(), weights=derivative.ravel(), minlength=len(superpixels) + 1)[1:]
        self.notes.compared(correlation(torch.from_numpy(sums), real), mapper)
