"""Paper 1's equations as differentiable functions of the hidden share h = 1 − m.

Thibeau-Sutre et al., "Visualization approach to assess the robustness of neural networks for medical image
classification", SPIE Medical Imaging 2020. Written in h, not m: nothing hidden is h = 0, and a subtraction over all
voxels is saved in every iteration. ``tests/oracles/mask_equations.py`` has the same in m, voxel by voxel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch.nn import functional

Objective = Literal["probability", "log_probability", "logit", "hinge"]
Reduction = Literal["physical", "paper_grid", "voxels", "mean"]

#: Edge of a voxel on the paper's grid, mm; its λ count such voxels and their faces.
PAPER_SPACING_MM = 1.5


def masked(x: torch.Tensor, hidden: torch.Tensor, fill: torch.Tensor) -> torch.Tensor:
    """Equation 1: ``m·X + (1 − m)·μ`` with m = 1 − `hidden`.

    Parameters
    ----------
    x, fill : torch.Tensor, shape (1, C, *spatial)
        Input and what it is replaced by.
    hidden : torch.Tensor, shape (1, 1, *spatial)
        Hidden share, 0..1.
    """
    return torch.addcmul(x, hidden, fill - x)


def threshold_hidden(hidden: torch.Tensor, threshold: float) -> torch.Tensor:
    """The paper's last step: mask values above `threshold` become 1, so that nothing is hidden there."""
    # one pass over memory: what is not above the last float32 below 1 − threshold becomes 0
    below = float(np.nextafter(np.float32(1 - threshold), np.float32(0)))
    return functional.threshold(hidden, below, 0.0)


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, threshold: float) -> torch.Tensor:
        return threshold_hidden(hidden, threshold)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        return gradients[0], None


def straight_through(hidden: torch.Tensor, threshold: float) -> torch.Tensor:
    """`threshold_hidden` going forward, the identity going backward."""
    return _StraightThrough.apply(hidden, threshold)


def size_term(hidden: torch.Tensor, beta: float, epsilon: float) -> torch.Tensor:
    """``‖1 − m‖_β^β``: how much is hidden, summed over voxels.

    Below β = 1 the derivative at h = 0 is infinite (NaN times 0 in every untouched voxel), so there ``(h + ε)^β − ε^β``
    stands for ``h^β``; from β = 1 on the term is the paper's.
    """
    if beta == 1:
        return hidden.sum()
    if beta > 1:
        return hidden.pow(beta).sum()
    return ((hidden + epsilon).pow(beta) - epsilon**beta).sum()


class _TotalVariation(torch.autograd.Function):
    """`smoothness_term` for β = 1 by way of its gradient: a third of the passes over memory that autograd takes."""

    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, faces: tuple[float, ...]) -> torch.Tensor:
        gradient = torch.zeros_like(hidden)
        for axis, face in enumerate(faces, start=2):
            sign = hidden.diff(dim=axis).sign_()
            gradient.narrow(axis, 1, sign.shape[axis]).add_(sign, alpha=face)
            gradient.narrow(axis, 0, sign.shape[axis]).sub_(sign, alpha=face)
        ctx.save_for_backward(gradient)
        # |d| = sign(d)·d, and the sum of those is linear in h with exactly this gradient
        return torch.dot(gradient.flatten(), hidden.flatten())

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        (gradient,) = ctx.saved_tensors
        return gradient * gradients[0], None


def smoothness_term(hidden: torch.Tensor, beta: float, epsilon: float, faces: Sequence[float]) -> torch.Tensor:
    """``Σ_u ‖∇m(u)‖_β^β``: differences to the next voxel along each axis, each axis weighted by its entry of `faces`.

    Parameters
    ----------
    hidden : torch.Tensor, shape (1, 1, *spatial)
        Hidden share; its differences are m's with the other sign.
    beta, epsilon : float
        As in `size_term`.
    faces : sequence of float
        One weight an axis (1 each is the paper's sum over voxels).
    """
    if beta == 1:
        return _TotalVariation.apply(hidden, tuple(faces))
    total = hidden.new_zeros(())
    for axis, face in enumerate(faces, start=2):
        difference = hidden.diff(dim=axis).abs()
        total = total + face * size_term(difference, beta, epsilon)
    return total


def margin(logits: torch.Tensor, target: int) -> torch.Tensor:
    """Logit of the target minus log-sum-exp of the others, shape (N,): its sigmoid is the target's probability."""
    others = torch.cat([logits[:, :target], logits[:, target + 1 :]], dim=1)
    return logits[:, target] - torch.logsumexp(others, dim=1)


def objective_value(
    logits: torch.Tensor,
    distance: torch.Tensor,
    target: int,
    objective: Objective,
    goal_margin: float,
    first_margin: float,
) -> torch.Tensor:
    """Score of equation 2, its f: what the mask has to bring down (scalar, for a batch of one).

    ``hinge`` is ``relu(d + goal)/(max(d₀, 1) + goal)`` with the logit margin d and its value d₀ on the untouched scan:
    1 at the start, 0 once the margin has fallen to −goal. The others are the paper's f under three readings.

    Parameters
    ----------
    logits : torch.Tensor, shape (1, classes)
        The network's answer to the masked scan.
    distance : torch.Tensor, scalar
        d, the `margin` of `logits`.
    target : int
        Class whose score has to fall.
    objective : {"hinge", "probability", "log_probability", "logit"}
        Which reading.
    goal_margin, first_margin : float
        Of the hinge: how far below 0 the margin has to fall, and d₀.
    """
    if objective == "logit":
        return logits[0, target]
    if objective == "probability":
        return torch.sigmoid(distance)
    if objective == "log_probability":
        return functional.logsigmoid(distance)
    return functional.relu(distance + goal_margin) / (max(first_margin, 1.0) + goal_margin)


@dataclass(frozen=True)
class Weights:
    """What one voxel hidden, and one step between neighbours along each axis, cost on a given grid."""

    size: float
    faces: tuple[float, ...]


def weights(
    lambda_1: float, lambda_2: float, reduction: Reduction, spacing_mm: Sequence[float], voxels: int
) -> Weights:
    """λ₁ and λ₂ as costs on a grid.

    Parameters
    ----------
    lambda_1, lambda_2 : float
        The session factor already applied.
    reduction : {"physical", "paper_grid", "voxels", "mean"}
        What λ counts. ``physical``: cm³ and cm² (cm² and cm in 2D). ``paper_grid``: voxels of 1.5 mm and their faces,
        as in the paper, whatever this grid's spacing. ``voxels``: this grid's voxels. ``mean``: all voxels count 1.
    spacing_mm : sequence of float
        Spacing of this grid along each axis.
    voxels : int
        Voxels of this grid.
    """
    axes = len(spacing_mm)
    if reduction == "voxels":
        return Weights(lambda_1, (lambda_2,) * axes)
    if reduction == "mean":
        return Weights(lambda_1 / voxels, (lambda_2 / voxels,) * axes)
    unit = 10.0 if reduction == "physical" else PAPER_SPACING_MM
    volume = 1.0
    for spacing in spacing_mm:
        volume *= spacing / unit
    return Weights(lambda_1 * volume, tuple(lambda_2 * volume / (spacing / unit) for spacing in spacing_mm))
