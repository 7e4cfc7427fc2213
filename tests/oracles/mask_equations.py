"""Paper 1, equations 1 and 2, the threshold and the robust preset's loss: in m, voxel by voxel, in plain Python."""

import math
from itertools import product

import numpy as np


def masked(x: np.ndarray, m: np.ndarray, mu: np.ndarray) -> np.ndarray:
    """Eq. 1: X'_m(u) = m(u) X(u) + (1 − m(u)) μ."""
    out = np.empty_like(x)
    for u in np.ndindex(m.shape):
        for channel in range(x.shape[0]):
            at = (channel, *u)
            out[at] = m[u] * x[at] + (1 - m[u]) * mu[at]
    return out


def power(value: float, beta: float, epsilon: float) -> float:
    """|v|^β, with ε where the exponent is below 1."""
    if beta < 1:
        return (abs(value) + epsilon) ** beta - epsilon**beta
    return abs(value) ** beta


def size(m: np.ndarray, beta: float, epsilon: float) -> float:
    """‖1 − m‖_β^β."""
    return math.fsum(power(1 - m[u], beta, epsilon) for u in np.ndindex(m.shape))


def smoothness(m: np.ndarray, beta: float, epsilon: float, faces: tuple[float, ...]) -> float:
    """Σ_u ‖∇m(u)‖_β^β with forward differences; an axis counts with the weight of its faces."""
    terms = []
    for u in np.ndindex(m.shape):
        for axis in range(m.ndim):
            following = tuple(i + (a == axis) for a, i in enumerate(u))
            if following[axis] < m.shape[axis]:
                terms.append(faces[axis] * power(m[following] - m[u], beta, epsilon))
    return math.fsum(terms)


def threshold(m: np.ndarray, value: float) -> np.ndarray:
    """Values above `value` are set to 1."""
    out = m.copy()
    for u in np.ndindex(m.shape):
        if m[u] > value:
            out[u] = 1.0
    return out


def probability(logits: list[float], target: int) -> float:
    """Softmax."""
    return math.exp(logits[target]) / sum(math.exp(z) for z in logits)


def hinge(logits: list[float], target: int, first: list[float], goal: float) -> float:
    """relu(d + goal) / (max(d0, 1) + goal) with d the logarithm of the odds."""

    def odds(z: list[float]) -> float:
        p = probability(z, target)
        return math.log(p / (1 - p))

    return max(odds(logits) + goal, 0) / (max(odds(first), 1) + goal)


def robust_loss(
    m: np.ndarray,
    logits: list[float],
    first: list[float],
    target: int,
    spacing_mm: tuple[float, ...],
    iteration: int,
    pull: float,
) -> float:
    """L = k·f + min(1, it/30)²·(0.05 per cm³ · V + 0.003 per cm² · TV), β = 1 (METHODS, preset robust)."""
    centimetres = [s / 10 for s in spacing_mm]
    volume = math.prod(centimetres) * size(m, 1, 0)
    faces = tuple(math.prod(centimetres) / c for c in centimetres)
    surface = smoothness(m, 1, 0, faces)
    return pull * hinge(logits, target, first, 3.5) + min(1, iteration / 30) ** 2 * (0.05 * volume + 0.003 * surface)


def adapted_pulls(probabilities: list[float], goal: float) -> list[float]:
    """Weight k of the score in each iteration: from iteration 20 on ×1.15 after a miss, ×0.93 after a hit."""
    pulls, pull = [], 1.0
    for iteration, p in enumerate(probabilities):
        pulls.append(pull)
        if iteration >= 20:
            pull *= 1.15 if p > goal else 0.93
    return pulls


def early_stop(losses: list[float], patience: int, tolerance: float) -> int | None:
    """Iteration after which training stops: above the lowest, beyond the tolerance, `patience` times in a row."""
    above = 0
    for iteration, loss in enumerate(losses):
        lowest = min(losses[: iteration + 1])
        above = above + 1 if (loss - lowest) / abs(lowest) > tolerance else 0
        if above == patience:
            return iteration
    return None


def uniform_flip(margin_of_fill: dict[float, float]) -> float:
    """Smallest fill whose margin is negative."""
    return min(fill for fill, margin in margin_of_fill.items() if margin < 0)


def linear_interpolation(nodes: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Control points at both ends and evenly between; every voxel the weighted mean of its 2^d nearest."""
    out = np.zeros(shape)
    for u in np.ndindex(shape):
        places = [i * (k - 1) / (n - 1) if n > 1 else 0.0 for i, n, k in zip(u, shape, nodes.shape, strict=True)]
        lows = [min(int(p), k - 2) if k > 1 else 0 for p, k in zip(places, nodes.shape, strict=True)]
        for corner in product((0, 1), repeat=len(shape)):
            weight = math.prod(
                (p - low) if c else 1 - (p - low) for p, low, c in zip(places, lows, corner, strict=True)
            )
            if weight:
                out[u] += weight * nodes[tuple(low + c for low, c in zip(lows, corner, strict=True))]
    return out
