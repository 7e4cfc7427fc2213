"""RISE, eq. 6 of Petsiuk, Das and Saenko (2018), with loops: the mean over masks of f(I ⊙ M) · M, over E[M]."""

from collections.abc import Callable, Sequence

import numpy as np


def rise(
    f: Callable[[np.ndarray], float], image: np.ndarray, fill: np.ndarray, masks: Sequence[np.ndarray], kept: float
) -> np.ndarray:
    """Importance of every pixel, float64; hidden pixels become `fill` (the paper's are black)."""
    total = np.zeros(image.shape)
    for mask in masks:
        seen = np.empty(image.shape)
        for place in np.ndindex(image.shape):
            seen[place] = mask[place] * image[place] + (1 - mask[place]) * fill[place]
        score = f(seen)
        for place in np.ndindex(image.shape):
            total[place] += score * mask[place]
    return total / (len(masks) * kept)
