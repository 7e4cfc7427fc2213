"""How much of a map lies on landmarks: places that mean something, such as a bone or the side marker."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.errors import BadInput
from core.metrics.registry import metric


@dataclass(frozen=True)
class Overlap:
    """What one landmark holds of a map.

    Parameters
    ----------
    name : str
        The landmark.
    share : float
        Part of the map's mass (sum of sizes) that lies inside, 0..1; NaN for a map that is zero everywhere.
    area : float
        Part of the film that the landmark covers, above 0..1: the share of a map that is the same everywhere.
    ratio : float
        ``share / area``: 1 is what a map that knows nothing of the landmark has; NaN for an empty map.
    samples : int
        Pixels or voxels of the landmark.
    """

    name: str
    share: float
    area: float
    ratio: float
    samples: int


def overlaps(values: np.ndarray, landmarks: Mapping[str, np.ndarray]) -> tuple[Overlap, ...]:
    """Overlap of a map with each landmark, in their order.

    Parameters
    ----------
    values : numpy.ndarray
        Map, finite; of a signed one the sizes count.
    landmarks : mapping of str to numpy.ndarray of bool
        Name → where it is, the map's shape. Landmarks may lie over each other.

    Raises
    ------
    BadInput
        A landmark of another shape, or one that marks nothing.
    """
    sizes = np.abs(values, dtype=np.float64)
    total = float(sizes.sum())
    found = []
    for name, place in landmarks.items():
        if place.shape != sizes.shape:
            raise BadInput(
                f"The landmark {name} has shape {place.shape} and the map {sizes.shape}: draw it on this film."
            )
        marked = place.astype(bool)
        samples = int(marked.sum())
        if samples == 0:
            raise BadInput(f"The landmark {name} is empty: mark at least one sample.")
        share = float(sizes[marked].sum()) / total if total > 0 else float("nan")
        area = samples / marked.size
        found.append(Overlap(name, share, area, share / area, samples))
    return tuple(found)


@metric("region_share", "Share in the region", "map and region")
def region_share(values: np.ndarray, region: np.ndarray) -> float:
    """Part of the map's mass (sum of sizes) that lies in the region, 0..1; NaN for a map that is zero everywhere."""
    return overlaps(values, {"region": region})[0].share


@metric("region_area", "Area of the region", "map and region")
def region_area(values: np.ndarray, region: np.ndarray) -> float:
    """Part of the scan that the region covers: the share of a map that is the same everywhere; NaN for an empty map."""
    return overlaps(values, {"region": region})[0].area if values.any() else float("nan")
