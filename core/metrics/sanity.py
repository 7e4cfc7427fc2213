"""Checks that a map is about the model and the scan: the swap test, and random weights (Adebayo et al., 2018)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.metrics.registry import metric

if TYPE_CHECKING:
    import torch
    from torch import nn

#: Part of a score, or of a map's likeness, that must go for a check to be passed.
ENOUGH = 0.5


@dataclass(frozen=True)
class Drop:
    """A value before and after, and the share of it that went: relative, so that a low start passes nothing emptily."""

    before: float
    after: float

    @property
    def relative(self) -> float:
        """Share of `before` that is gone; 0 where there was nothing to lose."""
        return 1 - self.after / self.before if self.before > 0 else 0.0

    @property
    def enough(self) -> bool:
        """Whether at least half is gone."""
        return self.relative >= ENOUGH


def swap_test(
    probability: Callable[[torch.Tensor], float], x: torch.Tensor, hidden: np.ndarray, healthy: torch.Tensor
) -> Drop:
    """Replace the whole place that a mask marks by healthy tissue, to see whether the score falls.

    Parameters
    ----------
    probability : callable
        (1, C, *spatial) → probability of the explained class.
    x, healthy : torch.Tensor, shape (1, C, *spatial)
        The scan, and the mean healthy scan.
    hidden : numpy.ndarray, spatial
        1 − m; every voxel above 0 is swapped in full.
    """
    import torch

    place = torch.from_numpy(hidden > 0).to(x.device)
    return Drop(probability(x), probability(torch.where(place, healthy, x)))


def with_random_weights(network: nn.Module, seed: int) -> nn.Module:
    """Copy of `network` in eval mode with every layer drawn anew; fixed preprocessing (other buffers) stays."""
    import torch

    from core.networks import copy_of

    changed = copy_of(network)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for module in changed.modules():
            reset = getattr(module, "reset_parameters", None)
            if callable(reset):
                reset()
    return changed.eval().requires_grad_(False)


@metric("likeness", "Likeness of two maps", "two maps", better="higher")
def likeness(one: np.ndarray, other: np.ndarray, support: np.ndarray | None = None) -> float:
    """Pearson correlation of the sizes of two maps, over `support` where given; 0 when either is constant there."""
    inside = np.ones(one.shape, dtype=bool) if support is None else support
    a, b = (np.abs(values[inside]).astype(np.float64) for values in (one, other))
    a, b = a - a.mean(), b - b.mean()
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norms if norms > 0 else 0.0


def randomisation_check(
    make_map: Callable[[nn.Module], np.ndarray],
    network: nn.Module,
    seeds: Sequence[int] = (0, 1, 2),
    support: np.ndarray | None = None,
) -> Drop:
    """How much of a map's likeness to itself is lost when the weights are random: a map of the model must change.

    Parameters
    ----------
    make_map : callable
        Network → map. It must not give an empty map because a goal is met before the first step: that would pass this
        check and say nothing, so it is refused.
    network : torch.nn.Module
        The trained network.
    seeds : sequence of int
        One random network each.
    support : numpy.ndarray of bool, optional
        Where maps are compared.

    Returns
    -------
    Drop
        Before: 1, the map's likeness to itself. After: mean likeness (sign dropped) to the random networks' maps.

    Raises
    ------
    ValueError
        When a map is zero everywhere.
    """
    trained = make_map(network)
    maps = [make_map(with_random_weights(network, seed)) for seed in seeds]
    if not all(np.any(values) for values in (trained, *maps)):
        raise ValueError("a map is zero everywhere: the check would pass emptily")
    return Drop(1.0, float(np.mean([abs(likeness(trained, values, support)) for values in maps])))
