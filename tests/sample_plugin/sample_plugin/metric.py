"""Where a map's peak is."""

import numpy as np

from core.metrics.registry import metric


@metric("sample-peak-inside", "Peak inside", "map and region", better="higher")
def peak_inside(values: np.ndarray, region: np.ndarray) -> float:
    """1 when the largest value of the map lies in the region, else 0."""
    return float(region.flat[np.abs(values).argmax()])
