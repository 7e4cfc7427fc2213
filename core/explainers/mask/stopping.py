"""Which masks of the iterations are kept, and when the iterations end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from core.explainers.mask.loop import Step
from core.explainers.mask.telling import WINDOW

if TYPE_CHECKING:
    from core.explainers.mask.parameters import MaskParameters

#: Masks kept to be scored again in full precision.
_CANDIDATES = 5
#: Iterations that a mask is given to reach the goal at all, and its prices to rise.
_BEGINNING = 60


@dataclass(frozen=True, eq=False)
class Kept:
    """A mask of the iterations.

    Parameters
    ----------
    iteration : int
        Whose it was, from 0.
    hidden : torch.Tensor
        Hidden share in the bounding box of the support, (1, 1, *box).
    """

    iteration: int
    hidden: torch.Tensor


class Candidates:
    """The masks worth keeping, best first.

    ``reaching``: the cheapest that meet the goal, or while none does the ones with the lowest probability.
    ``lowest_loss``: the lowest loss, whatever the score.
    """

    def __init__(self, parameters: MaskParameters) -> None:
        self._parameters = parameters
        self._kept: list[tuple[tuple[float, ...], Kept]] = []

    def offer(self, step: Step, hidden: torch.Tensor) -> None:
        """Keep a copy of `hidden` when it is among the best."""
        rank = self._rank(step)
        if len(self._kept) == _CANDIDATES and rank >= self._kept[-1][0]:
            return
        self._kept.append((rank, Kept(step.iteration, hidden.clone())))
        self._kept.sort(key=lambda pair: pair[0])
        del self._kept[_CANDIDATES:]

    def kept(self) -> list[Kept]:
        """Kept masks, best first."""
        return [kept for _, kept in self._kept]

    def masks(self) -> list[torch.Tensor]:
        """Kept hidden shares, best first."""
        return [kept.hidden for kept in self.kept()]

    def _rank(self, step: Step) -> tuple[float, ...]:
        if self._parameters.selection == "lowest_loss":
            return (step.loss,)
        if step.probability <= self._parameters.goal:
            return (0.0, step.price)
        return (1.0, step.probability, step.price)


class EarlyStop:
    """The paper's rule: stop once the loss has been above its lowest by over `tolerance` for `patience` steps.

    And one more: a loss that has not changed in its last digit for `patience` steps never will, because the mask lies
    where no voxel can move (all ones, every gradient pointing out of 0..1) and nothing in the loop is random.
    """

    def __init__(self, patience: int, tolerance: float) -> None:
        self._patience, self._tolerance = patience, tolerance
        self._lowest, self._above = math.inf, 0
        self._last, self._same = math.nan, 0

    def __call__(self, loss: float) -> bool:
        """Whether to stop after an iteration with this loss."""
        self._lowest = min(self._lowest, loss)
        self._above = self._above + 1 if loss > self._lowest + self._tolerance * abs(self._lowest) else 0
        self._same = self._same + 1 if loss == self._last else 0
        self._last = loss
        return max(self._above, self._same) >= self._patience


class Settling:
    """How far the best mask still improves: its price where one meets the goal, its probability while none does.

    Parameters
    ----------
    goal : float
        Probability that a mask has to reach.
    within : float
        Share by which it may still improve in `WINDOW` iterations when it has settled; 0: it never has.
    """

    def __init__(self, goal: float, within: float) -> None:
        self._goal, self._within = goal, within
        self._best: list[tuple[bool, float]] = []

    def __call__(self, step: Step) -> bool:
        """Whether the mask has settled with this iteration."""
        reaching = step.probability <= self._goal
        # a mask that meets the goal is better than any that does not: False sorts first
        rank = (not reaching, step.price if reaching else step.probability)
        self._best.append(min(rank, self._best[-1]) if self._best else rank)
        return self.settled

    @property
    def settled(self) -> bool:
        """Whether the iterations may end."""
        return self._within > 0 and len(self._best) > _BEGINNING and self.improved <= self._within

    @property
    def improved(self) -> float:
        """Share that the best has become cheaper by in the last `WINDOW` iterations, 0..1; 1 where not known."""
        if len(self._best) <= WINDOW:
            return 1.0
        (missed_then, then), (missed, now) = self._best[-1 - WINDOW], self._best[-1]
        if missed_then != missed:
            return 1.0
        return 1 - now / then if then > 0 else 0.0
