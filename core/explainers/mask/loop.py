"""The optimisation of one mask: one network call, forward and back, an iteration."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from core.explainers.mask.equations import (
    Weights,
    margin,
    objective_value,
    size_term,
    smoothness_term,
    straight_through,
    weights,
)
from core.networks import FastNetwork

if TYPE_CHECKING:
    from core.explainers.mask.parameters import MaskParameters

#: Iteration from which the score's weight adapts, and the factors by which it does.
_ADAPT_FROM, _HARDER, _EASIER = 20, 1.15, 0.93
#: Fills tried, thinnest first, when looking for the one that flips the class.
_FILLS = 20


@dataclass(frozen=True)
class Step:
    """What one iteration saw, before it moved the mask."""

    iteration: int
    loss: float
    score: float
    size: float
    smoothness: float
    probability: float
    hidden_voxels: float

    @property
    def price(self) -> float:
        """What the mask costs at full price: equation 2 without f."""
        return self.size + self.smoothness


class MaskLoop:
    """A mask being trained on one scan.

    Parameters
    ----------
    network : callable
        (1, C, *spatial) float32 → logits (1, classes) float32.
    x, fill : torch.Tensor, shape (1, C, *spatial), float32
        Input, and what hidden voxels become.
    support : numpy.ndarray of bool, spatial
        Where hiding is allowed.
    target : int
        Class whose score has to fall.
    spacing_mm : sequence of float
        Spacing along each spatial axis.
    parameters : MaskParameters
        See `core.explainers.mask.explainer`.
    margin_of : callable
        Logits and target → what sigmoid turns into the target's probability; by default that of classes that exclude
        each other.
    """

    def __init__(
        self,
        network: Callable[[torch.Tensor], torch.Tensor],
        x: torch.Tensor,
        fill: torch.Tensor,
        support: np.ndarray,
        target: int,
        spacing_mm: Sequence[float],
        parameters: MaskParameters,
        margin_of: Callable[[torch.Tensor, int], torch.Tensor] = margin,
    ) -> None:
        self.network, self.target, self.parameters = network, target, parameters
        self._margin = margin_of
        # painted on in the network's own precision, so that nothing but the box is converted in an iteration
        self._canvas = network.ready(x) if isinstance(network, FastNetwork) else x
        self._box = _bounding_box(support)
        inside = self._inside = (slice(None), slice(None), *self._box)
        self._support = torch.from_numpy(support[self._box].astype(np.float32)).to(x.device)[None, None]
        self._x_inside = x[inside].contiguous()
        self._none = torch.zeros_like(self._support)
        self._change = ((fill - x)[inside] * self._support).contiguous()
        self._padding = _padding(self._box, support.shape)
        self.weights: Weights = weights(
            parameters.lambda_1 * parameters.session_factor,
            parameters.lambda_2 * parameters.session_factor,
            parameters.reduction,
            spacing_mm,
            math.prod(support.shape),
        )
        box_shape = self._support.shape[2:]
        nodes = _control_shape(box_shape, spacing_mm, parameters.control_mm)
        self._coarse = nodes != tuple(box_shape)
        self._nodes = torch.zeros(1, 1, *nodes, device=x.device)
        with torch.no_grad():
            self.first_margin = float(margin_of(network(x), target)[0])
        self.first_fill = 0.0 if parameters.start == "ones" else self._flipping_fill()
        with torch.no_grad():
            self._nodes += self.first_fill
            self._project()
        self._nodes.requires_grad_(True)
        self._optimiser = _optimiser(self._nodes, parameters)
        self._pull = 1.0
        self.iteration = 0

    def hidden(self) -> torch.Tensor:
        """The hidden share in the bounding box of the support, (1, 1, *box), with a gradient to the control points."""
        hidden = self._nodes
        if self._coarse:
            mode = "trilinear" if hidden.ndim == 5 else "bilinear"
            hidden = functional.interpolate(hidden, self._support.shape[2:], mode=mode, align_corners=True)
            hidden = hidden * self._support
        if self.parameters.straight_through:
            hidden = straight_through(hidden, self.parameters.threshold)
        return hidden

    def step(self) -> tuple[Step, torch.Tensor]:
        """One iteration: the network once forward and once back.

        Returns
        -------
        Step
            Loss, terms and probability of the mask as it was before the step.
        torch.Tensor
            That mask's hidden share in the box, detached; changed by the next step unless cloned.
        """
        p = self.parameters
        hidden = self.hidden()
        logits = self.network(self._masked(hidden))
        distance = self._margin(logits, self.target)[0]
        score = objective_value(logits, distance, self.target, p.objective, p.goal_margin, self.first_margin)
        amount = hidden.sum()
        size = self.weights.size * (amount if p.beta_1 == 1 else size_term(hidden, p.beta_1, p.epsilon))
        smoothness = smoothness_term(hidden, p.beta_2, p.epsilon, self.weights.faces)
        ramp = min(1.0, self.iteration / p.warm_up) ** 2 if p.warm_up else 1.0
        loss = self._pull * score + ramp * (size + smoothness)
        self._nodes.grad = None
        loss.backward()
        with torch.no_grad():
            seen = hidden.detach() if hidden is not self._nodes else hidden.detach().clone()
            row = torch.stack([loss, score, size, smoothness, distance, amount]).tolist()
            self._optimiser.step()
            self._project()
        step = Step(self.iteration, row[0], row[1], row[2], row[3], _sigmoid(row[4]), row[5])
        if p.adapt and self.iteration >= _ADAPT_FROM:
            self._pull *= _HARDER if step.probability > p.goal else _EASIER
        self.iteration += 1
        return step, seen

    def whole(self, hidden: torch.Tensor) -> np.ndarray:
        """A hidden share in the box → on the whole grid, float32, nothing hidden outside."""
        return functional.pad(hidden, self._padding)[0, 0].detach().cpu().numpy()

    def _masked(self, hidden: torch.Tensor) -> torch.Tensor:
        return _Paint.apply(hidden, self._canvas, self._x_inside, self._change, self._inside)

    def _project(self) -> None:
        if self._coarse:
            self._nodes.clamp_(0, 1)
        else:
            # one pass for both: the support is 0 or 1
            torch.clamp(self._nodes, self._none, self._support, out=self._nodes)

    @torch.no_grad()
    def _flipping_fill(self) -> float:
        """Smallest even fill of the support that brings the probability below one half; the best one when none does."""

        def margin_at(fill: float) -> float:
            return float(self._margin(self.network(self._masked(self._support * fill)), self.target)[0])

        # the score is not monotone in the fill: walk up, and only then halve the interval
        tried: dict[float, float] = {}
        for number in range(1, _FILLS + 1):
            high = number / _FILLS
            tried[high] = margin_at(high)
            if tried[high] < 0:
                low = high - 1 / _FILLS
                for _ in range(3):
                    middle = (low + high) / 2
                    low, high = (low, middle) if margin_at(middle) < 0 else (middle, high)
                return high
        return min(tried, key=tried.__getitem__)


class _Paint(torch.autograd.Function):
    """Equation 1 written as X + h·(μ − X), which is X outside the box; on a canvas that may be of lower precision."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        canvas: torch.Tensor,
        x_inside: torch.Tensor,
        change: torch.Tensor,
        inside: tuple[slice, ...],
    ) -> torch.Tensor:
        ctx.save_for_backward(change)
        ctx.inside = inside
        painted = canvas.clone()
        painted[inside] = torch.addcmul(x_inside, change, hidden).to(canvas.dtype)
        return painted

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        (change,) = ctx.saved_tensors
        painted = gradients[0][ctx.inside] * change
        return painted if painted.shape[1] == 1 else painted.sum(dim=1, keepdim=True), None, None, None, None


def _optimiser(nodes: torch.Tensor, parameters: MaskParameters) -> torch.optim.Optimizer:
    if parameters.optimiser == "sgd":
        return torch.optim.SGD([nodes], lr=parameters.learning_rate)
    return torch.optim.Adam([nodes], lr=parameters.learning_rate, fused=True)


def _bounding_box(support: np.ndarray) -> tuple[slice, ...]:
    """Box of the support with a rim of one voxel where the grid has it, so that the mask's edge is priced in full."""
    box = []
    for axis in range(support.ndim):
        others = tuple(other for other in range(support.ndim) if other != axis)
        filled = np.flatnonzero(support.any(axis=others))
        first, last = (int(filled[0]), int(filled[-1])) if filled.size else (0, support.shape[axis] - 1)
        box.append(slice(max(first - 1, 0), min(last + 2, support.shape[axis])))
    return tuple(box)


def _padding(box: tuple[slice, ...], shape: Sequence[int]) -> list[int]:
    pads: list[int] = []
    for side, size in zip(reversed(box), reversed(shape), strict=True):
        pads += [side.start, size - side.stop]
    return pads


def _control_shape(shape: Sequence[int], spacing_mm: Sequence[float], control_mm: float) -> tuple[int, ...]:
    """Control points along each axis: at most `control_mm` apart, one a voxel where that is finer than the grid."""
    return tuple(
        n if control_mm <= s * 1.001 or n == 1 else math.ceil((n - 1) * s / control_mm) + 1
        for n, s in zip(shape, spacing_mm, strict=True)
    )


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))
