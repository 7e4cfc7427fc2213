"""Paper 1, section 2.4, and the swap test: region by region, voxel by voxel."""

import math

import numpy as np


def densities(m: np.ndarray, labels: np.ndarray, regions: list[int]) -> list[float]:
    """Mean of 1 − m over each region's voxels."""
    out = []
    for region in regions:
        values = [1 - m[u] for u in np.ndindex(m.shape) if labels[u] == region]
        out.append(math.fsum(values) / len(values) if values else 0.0)
    return out


def cosine(one: list[float], other: list[float]) -> float:
    """a·b / (‖a‖ ‖b‖)."""
    dot = math.fsum(a * b for a, b in zip(one, other, strict=True))
    return dot / math.sqrt(math.fsum(a * a for a in one)) / math.sqrt(math.fsum(b * b for b in other))


def swapped(x: np.ndarray, hidden: np.ndarray, healthy: np.ndarray) -> np.ndarray:
    """The scan with healthy tissue in every voxel that the mask touches."""
    out = x.copy()
    for u in np.ndindex(hidden.shape):
        if hidden[u] > 0:
            out[(0, 0, *u)] = healthy[(0, 0, *u)]
    return out
