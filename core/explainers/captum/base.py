"""What all maps made with Captum share: running and progress.

Importable without torch, so that explainers can be listed without it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from core.explainers.base import Findings, MapArray, Question
from core.explainers.checked_map import CheckedMap, MapParameters
from core.parameters import Parameters, parameter
from core.progress import Progress

if TYPE_CHECKING:
    import torch
    from torch import nn

    from core.models.model import Model

Baseline = Literal["auto", "healthy_mean", "blur", "constant"]


class BaselineParameters(MapParameters):
    """Parameters of methods that compare the scan with a baseline."""

    baseline: Baseline = parameter(
        "auto",
        "What the scan is compared with: the mean healthy scan of the model's card, the scan blurred, or one value. "
        "auto takes the mean healthy scan where there is one, else blur.",
        group="Against what",
    )
    baseline_value: float = parameter(
        0.0, "The one value, in the scan's units. Used when the baseline is constant.", group="Against what"
    )


class CaptumExplainer(CheckedMap):
    """A map of the target's logit made with Captum. A subclass says how in `attribute`."""

    @abstractmethod
    def attribute(self, question: Question, parameters: Any) -> MapArray:
        """The map, raw, in model space (spatial shape)."""

    @classmethod
    def parameters_for(cls, model: Model, parameters: Parameters) -> Parameters:
        """Make ``baseline="auto"`` what it stands for with this model, so that the record says it."""
        if getattr(parameters, "baseline", None) != "auto":
            return parameters
        from core.explainers.hiding import healthy_or_blur

        return parameters.model_copy(update={"baseline": healthy_or_blur(model)})

    def run(self, question: Question, parameters: Any) -> Findings:
        """Make the map, then hide its top and as much at random places."""
        return self.tested(question, parameters, self.attribute(question, parameters))


def watched(x: torch.Tensor) -> torch.Tensor:
    """`x` as a tensor of its own that keeps a gradient (Captum would set and unset that on the scan's own tensor)."""
    return x.detach().clone().requires_grad_(True)


def baseline_image(question: Question, parameters: BaselineParameters) -> torch.Tensor:
    """What the scan is compared with, shape of the prepared tensor."""
    from core.explainers.hiding import fill_image

    return fill_image(question.model, question.prepared, parameters.baseline, parameters.baseline_value)


def summed_over_channels(attribution: torch.Tensor) -> np.ndarray:
    """Attribution (1, C, *spatial) → spatial float32; channels add up, so that sums over the map keep their meaning."""
    return attribution.detach()[0].sum(dim=0).float().cpu().numpy()


def counted(network: nn.Module, question: Question, total: int) -> nn.Module:
    """`network`, reporting after each call how many of `total` inputs it has seen (and stopping when cancelled)."""
    from torch import nn as modules

    class Counted(modules.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network, self.done = network, 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.done += len(x)
            fraction = min(self.done / max(total, 1), 1.0)
            question.report(Progress(fraction, f"asked the model {min(self.done, total)} of {total} times"))
            return self.network(x)

    return Counted()


def voxels(length_mm: float, spacing_mm: Sequence[float], shape: Sequence[int]) -> tuple[int, ...]:
    """A length as voxels along each axis: at least 1, at most the axis."""
    return tuple(min(max(1, round(length_mm / s)), n) for s, n in zip(spacing_mm, shape, strict=True))
