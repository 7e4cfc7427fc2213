"""How much of a map lies on a landmark, one sample after the other."""

import numpy as np


def share_and_area(values: np.ndarray, place: np.ndarray) -> tuple[float, float]:
    """Part of the map's sizes inside `place`, and part of the film that `place` covers."""
    inside = total = marked = 0.0
    for index in np.ndindex(values.shape):
        total += abs(float(values[index]))
        if place[index]:
            inside += abs(float(values[index]))
            marked += 1
    return inside / total, marked / values.size
