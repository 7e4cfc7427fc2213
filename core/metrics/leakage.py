"""How much of a map lies far from what was selected: what leaks where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

#: Values of a map below this part of the largest are rounding, not reach.
_ROUNDING = 1e-5


def without_rounding(values: np.ndarray) -> np.ndarray:
    """Sizes of a map's values, 0 where they are so small beside the largest that they are rounding."""
    size = np.abs(values)
    return np.where(size > _ROUNDING * size.max(), size, 0)


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


@dataclass(frozen=True, eq=False)
class MassByDistance:
    """A map's mass (sum of sizes, so that signs do not cancel) by distance from a selection.

    Parameters
    ----------
    distances : numpy.ndarray
        Of all samples, rising, millimetres.
    mass : numpy.ndarray
        Mass up to and with each.
    """

    distances: np.ndarray
    mass: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, region: np.ndarray, spacing_mm: Sequence[float]) -> MassByDistance:
        """Measure a map.

        Parameters
        ----------
        values : numpy.ndarray
            Map.
        region : numpy.ndarray of bool
            The selection, on the map's grid.
        spacing_mm : sequence of float
            Of each axis.

        Raises
        ------
        ValueError
            When map and region differ in shape, or the region is empty.
        """
        if values.shape != region.shape:
            raise ValueError(f"map {values.shape} and region {region.shape} differ in shape")
        distance = distance_from(region, spacing_mm).ravel()
        order = np.argsort(distance, kind="stable")
        return cls(distance[order], np.cumsum(np.abs(values.ravel()[order]).astype(np.float64)))

    def farther_than(self, distances_mm: Sequence[float]) -> np.ndarray:
        """Share of the mass farther than each distance, float64, 0..1; NaN for an empty map.

        Mass at exactly a distance is not farther.
        """
        if self.mass[-1] <= 0:
            return np.full(len(distances_mm), np.nan)
        places = np.searchsorted(self.distances, np.asarray(distances_mm, dtype=float), side="right")
        return np.asarray(1 - np.concatenate([[0.0], self.mass])[places] / self.mass[-1])

    def holding(self, share: float) -> float:
        """Smallest distance within which at least `share` of the mass lies, millimetres; NaN for an empty map."""
        if self.mass[-1] <= 0:
            return float("nan")
        place = int(np.searchsorted(self.mass, share * self.mass[-1]))
        return float(self.distances[min(place, len(self.distances) - 1)])
