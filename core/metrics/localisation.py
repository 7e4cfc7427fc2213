"""Where a map is: shares by region, share inside a ground truth."""

from dataclasses import dataclass

import numpy as np

#: Name of the row that holds what lies at label 0.
OUTSIDE = "outside the atlas"


@dataclass(frozen=True)
class RegionShare:
    """What one region of an atlas holds of a map.

    Parameters
    ----------
    name : str
        The region.
    share : float
        Part of the map's mass that lies in it, 0..1.
    density : float
        Mean of the map over the region's voxels (for a mask: paper 1's ROI density, mean of 1 − m).
    voxels : int
        Voxels of the region on the map's grid.
    """

    name: str
    share: float
    density: float
    voxels: int


def rank_regions(values: np.ndarray, labels: np.ndarray, names: dict[int, str]) -> tuple[RegionShare, ...]:
    """Regions by the share of the map's mass they hold, largest first.

    Parameters
    ----------
    values : numpy.ndarray
        Non-negative map.
    labels : numpy.ndarray of int
        Label of each voxel, 0 for none; same shape.
    names : dict of int to str
        Label → region name.

    Returns
    -------
    tuple of RegionShare
        One for each label of `names` present on the grid, and `OUTSIDE` when mass lies at label 0.

    Raises
    ------
    ValueError
        When map and labels differ in shape.
    """
    if values.shape != labels.shape:
        raise ValueError(f"map {values.shape} and labels {labels.shape} differ in shape")
    top = int(labels.max(initial=0)) + 1
    voxels = np.bincount(labels.ravel(), minlength=top)
    mass = np.bincount(labels.ravel(), weights=values.ravel().astype(np.float64), minlength=top)
    total = mass.sum()
    rows = [
        RegionShare(
            name, float(mass[label] / total) if total else 0.0, float(mass[label] / voxels[label]), int(voxels[label])
        )
        for label, name in names.items()
        if 0 < label < top and voxels[label]
    ]
    if mass[0] > 0:
        rows.append(RegionShare(OUTSIDE, float(mass[0] / total), float(mass[0] / voxels[0]), int(voxels[0])))
    return tuple(sorted(rows, key=lambda row: row.share, reverse=True))


def share_inside(values: np.ndarray, truth: np.ndarray) -> float:
    """Share of the map's mass inside `truth` (bool, same shape); NaN for an empty map."""
    total = float(values.sum(dtype=np.float64))
    return float(values[truth].sum(dtype=np.float64)) / total if total > 0 else float("nan")


def holding_half(sizes: np.ndarray) -> int:
    """How many of the largest of `sizes` (any shape, none below 0) add up to half of their sum; 0 when all are 0."""
    falling = np.sort(sizes[sizes > 0])[::-1]
    total = np.cumsum(falling, dtype=np.float64)
    return int(np.searchsorted(total, total[-1] / 2)) + 1 if falling.size else 0
