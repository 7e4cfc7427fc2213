"""Equations 1, 5, 6 and 7 of IBIX: jitters, mean slopes, sums over a region, shares. On tensors, without a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from core.errors import BadInput
from core.networks import Box

#: How sums over outputs treat the sign of F: sizes; sign kept above, sizes below the bar; as printed.
Sums = Literal["absolute", "signed", "literal"]

#: Gauss-Legendre nodes of the quadrature "quick": within 2.5 % of 100 jitters on the authors' network.
QUICK_NODES = 16


@dataclass(frozen=True, eq=False)
class Jitters:
    """Sizes h of the perturbation, none of them 0, and their weights, which sum to 1."""

    sizes: np.ndarray
    weights: np.ndarray

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def coefficients(self) -> np.ndarray:
        """What each change of the answer is multiplied by: weight / h."""
        return self.weights / self.sizes


def uniform_jitters(largest: float, count: int, one_sided: bool = False) -> Jitters:
    """Sizes ±kH/n, k = 1..n, `count` in all; one-sided: kH/n. Equal weights (eq. 5 without its 0/0).

    Raises
    ------
    BadInput
        For H = 0, or an odd number on two sides.
    """
    _refuse_zero(largest)
    if one_sided:
        sizes = largest * np.arange(1, count + 1) / count
    else:
        if count % 2:
            raise BadInput(f"jitters={count} is odd: as many go up as down, so take {count - 1} or {count + 1}.")
        steps = largest * np.arange(1, count // 2 + 1) / (count // 2)
        sizes = np.concatenate([-steps[::-1], steps])
    return Jitters(sizes, np.full(len(sizes), 1 / len(sizes)))


def quick_jitters(largest: float, one_sided: bool = False, nodes: int = QUICK_NODES) -> Jitters:
    """Gauss-Legendre nodes over [-H, H] (one-sided: [0, H]) with weights that give the average over all sizes."""
    _refuse_zero(largest)
    places, weights = np.polynomial.legendre.leggauss(nodes)
    sizes = largest * ((places + 1) / 2 if one_sided else places)
    return Jitters(sizes, weights / 2)


def representative_order(count: int) -> np.ndarray:
    """Order of 0..count-1 whose every beginning is spread evenly over them and lies evenly about the middle.

    Partial means over such an order are already pictures of the whole.
    """
    half = (count + 1) // 2
    golden = (np.arange(half) * 0.6180339887498949) % 1.0
    ranks = np.argsort(np.argsort(golden, kind="stable"), kind="stable")
    pairs = np.stack([ranks, count - 1 - ranks], axis=1).ravel()
    return np.asarray(list(dict.fromkeys(pairs.tolist())), dtype=int)


def add_slopes(total: torch.Tensor, answers: torch.Tensor, unchanged: torch.Tensor, coefficients: torch.Tensor) -> None:
    """Add to eq. 5 what these jitters make of it: Σ_k w_k (f(x + h_k d) − f(x)) / h_k. Overwrites `answers`.

    One after another, so that the sum is the same to the last bit however the jitters were parted into batches.

    Parameters
    ----------
    total : torch.Tensor, shape (C_out, *window)
        Added to.
    answers : torch.Tensor, shape (J, C_out, *window)
    unchanged : torch.Tensor, shape (C_out, *window)
    coefficients : torch.Tensor, shape (J,)
        w_k / h_k.
    """
    # the difference first: where nothing changed it is exactly 0, whatever the coefficients add up to
    changes = answers.sub_(unchanged).mul_(coefficients.view(-1, *[1] * unchanged.ndim))
    for change in changes.unbind():
        total.add_(change)


@dataclass(frozen=True)
class RegionSums:
    """Sums of one superpixel's F: inside M^f and over all outputs, with and without sign."""

    inside: float = 0.0
    inside_absolute: float = 0.0
    everywhere: float = 0.0
    everywhere_absolute: float = 0.0


def region_sums(slopes: torch.Tensor, region: torch.Tensor) -> RegionSums:
    """Sums of F over a window of the answer.

    Parameters
    ----------
    slopes : torch.Tensor, shape (C_out, *window)
        F.
    region : torch.Tensor, bool
        M^f in the window; of F's shape, or of its spatial shape.
    """
    marked = slopes * region
    sums = torch.stack([marked.sum(), marked.abs().sum(), slopes.sum(), slopes.abs().sum()])
    return RegionSums(*sums.double().tolist())


def shares(sums: list[RegionSums], how: Sums, floor: float) -> np.ndarray:
    """Eq. 6 for each superpixel, float64: what part of its effect falls inside M^f.

    The denominator is floored at `floor` times the largest among superpixels that reach M^f at all: a superpixel
    that changes next to nothing has no meaningful share. As printed (``literal``) only 0/0 is kept from happening.
    """
    inside = np.array([s.inside_absolute if how == "absolute" else s.inside for s in sums])
    if how == "literal":
        whole = np.array([s.everywhere for s in sums])
        return np.divide(inside, whole, out=np.zeros_like(inside), where=whole != 0)
    whole = np.array([s.everywhere_absolute for s in sums])
    reaching = whole[[s.inside_absolute > 0 for s in sums]]
    lowest = floor * float(reaching.max(initial=0.0))
    whole = np.maximum(whole, lowest)
    return np.divide(inside, whole, out=np.zeros_like(inside), where=whole > 0)


def sums_inside(sums: list[RegionSums], how: Sums) -> np.ndarray:
    """Numerators of eq. 6 alone, float64."""
    return np.array([s.inside_absolute if how == "absolute" else s.inside for s in sums])


def any_inside(region: torch.Tensor, window: Box | None) -> bool:
    """Whether a window of the answer holds part of M^f (spatial, bool)."""
    return window is not None and bool(region[window].any())


def _refuse_zero(largest: float) -> None:
    if not largest > 0:
        raise BadInput("The jitter range H is 0, so nothing would be changed: take a value above 0.")
