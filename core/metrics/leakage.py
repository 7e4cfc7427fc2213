"""How much of a map lies far from what was selected: what leaks where."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def distance_from(region: np.ndarray, spacing_mm: Sequence[float]) -> np.ndarray:
    """Distance of each sample from the nearest sample of `region`, millimetres, float64; 0 inside.

    Parameters
    ----------
    region : numpy.ndarray of bool
        Not empty.
    spacing_mm : sequence of float
        Of each axis.

    Raises
    ------
    ValueError
        When the region is empty.
    """
    from scipy import ndimage

    if not region.any():
        raise ValueError("the region is empty: nothing has a distance from it")
    return np.asarray(ndimage.distance_transform_edt(~region, sampling=tuple(spacing_mm)))


def leak(values: np.ndarray, region: np.ndarray, spacing_mm: Sequence[float], distance_mm: float) -> float:
    """Share of the map's mass farther than `distance_mm` from the region, 0..1; NaN for an empty map.

    Parameters
    ----------
    values : numpy.ndarray
        Map; its mass is the sum of sizes, so that signs do not cancel.
    region : numpy.ndarray of bool
        The selection, on the map's grid.
    spacing_mm : sequence of float
        Of each axis.
    distance_mm : float
        Mass at exactly this distance has not leaked.
    """
    return float(leak_curve(values, region, spacing_mm, [distance_mm])[0])


def leak_curve(
    values: np.ndarray, region: np.ndarray, spacing_mm: Sequence[float], distances_mm: Sequence[float]
) -> np.ndarray:
    """`leak` at each distance, float64, with one distance transform.

    Raises
    ------
    ValueError
        When map and region differ in shape, or the region is empty.
    """
    distance, mass = _mass_by_distance(values, region, spacing_mm)
    if mass[-1] <= 0:
        return np.full(len(distances_mm), np.nan)
    places = np.searchsorted(distance, np.asarray(distances_mm, dtype=float), side="right")
    return np.asarray(1 - np.concatenate([[0.0], mass])[places] / mass[-1])


def distance_holding(values: np.ndarray, region: np.ndarray, spacing_mm: Sequence[float], share: float) -> float:
    """Smallest distance from the region within which at least `share` of the map's mass lies; NaN for an empty map."""
    distance, mass = _mass_by_distance(values, region, spacing_mm)
    if mass[-1] <= 0:
        return float("nan")
    return float(distance[min(int(np.searchsorted(mass, share * mass[-1])), len(distance) - 1)])


def _mass_by_distance(
    values: np.ndarray, region: np.ndarray, spacing_mm: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    """Distances of all samples, rising, and the mass up to each."""
    if values.shape != region.shape:
        raise ValueError(f"map {values.shape} and region {region.shape} differ in shape")
    distance = distance_from(region, spacing_mm).ravel()
    order = np.argsort(distance, kind="stable")
    return distance[order], np.cumsum(np.abs(values.ravel()[order]).astype(np.float64))
