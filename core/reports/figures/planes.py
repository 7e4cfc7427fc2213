"""Planes of a volume as radiologists see them, cut through layers of any grid."""

from dataclasses import dataclass
from functools import cached_property
from itertools import permutations
from typing import Literal

import numpy as np

from core.scans.grid import Grid

PlaneName = Literal["axial", "coronal", "sagittal"]
_LETTERS = (("L", "R"), ("P", "A"), ("I", "S"))  # towards minus and plus along x, y, z of RAS+
#: World axes across, upwards and through.
_ALONG = {"axial": (0, 1, 2), "coronal": (0, 2, 1), "sagittal": (1, 2, 0)}


@dataclass(frozen=True, eq=False)
class Samples:
    """Values on a grid, read only where they are cut.

    Parameters
    ----------
    stored : numpy.ndarray
        Of the grid's shape; may lie on the disk.
    grid : Grid
        Where they are.
    scale, offset : float
        Value = stored × scale + offset.
    """

    stored: np.ndarray
    grid: Grid
    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, eq=False)
class Plane:
    """One plane of a grid on paper: which axis runs where, and which letters stand at its edges.

    Parameters
    ----------
    grid : Grid
        What is cut.
    across, down, through : int
        Array axes; `through` is 2 of an image, which has no such axis.
    backwards : (bool, bool)
        Whether the index across falls from left to right, and that down from top to bottom.
    place : int
        Index along `through`.
    name : str
        What it is called; empty of an image.
    """

    grid: Grid
    across: int
    down: int
    through: int
    backwards: tuple[bool, bool]
    place: int
    name: str = ""

    @property
    def title(self) -> str:
        """Which slice of how many, counted from 1 as on screen; empty of an image."""
        return f"{self.name} {self.place + 1}/{self.grid.shape[self.through]}" if self.name else ""

    @property
    def size(self) -> tuple[float, float]:
        """Width and height: millimetres, or pixels where the file does not say how large these are."""
        spacing, shape = self.grid.spacing_mm, self.grid.shape
        return shape[self.across] * spacing[self.across], shape[self.down] * spacing[self.down]

    @property
    def letters(self) -> tuple[str, str, str, str]:
        """At the left, right, top and bottom edge; empty where it is not known how an image lies in a body."""
        if not self.grid.placed:
            return "", "", "", ""
        left, right = self._ends(self.across, self.backwards[0])
        top, bottom = self._ends(self.down, self.backwards[1])
        return left, right, top, bottom

    def _ends(self, axis: int, backwards: bool) -> tuple[str, str]:
        order, signs = _axes_of_body(self.grid)
        world = order.index(axis)
        low, high = _LETTERS[world] if signs[world] > 0 else _LETTERS[world][::-1]
        return (high, low) if backwards else (low, high)

    @cached_property
    def _points(self) -> np.ndarray:
        """RAS+ mm of every sample, shape (4, rows, columns)."""
        columns, rows = self.grid.shape[self.across], self.grid.shape[self.down]
        index = np.zeros((4, rows, columns))
        index[3] = 1
        index[self.across] = np.arange(columns)[:: -1 if self.backwards[0] else 1]
        index[self.down] = np.arange(rows)[:: -1 if self.backwards[1] else 1][:, None]
        if len(self.grid.shape) == 3:
            index[self.through] = self.place
        return np.tensordot(self.grid.affine, index, axes=1)

    def cut(self, samples: Samples) -> np.ndarray:
        """Values in this plane, nearest sample; float64, first row on top, NaN outside the samples' field of view."""
        there, dimensions = samples.grid, len(samples.grid.shape)
        index = np.rint(np.tensordot(np.linalg.inv(there.affine), self._points, axes=1)).astype(np.intp)[:dimensions]
        limits = np.array(there.shape).reshape(-1, 1, 1)
        inside = ((index >= 0) & (index < limits)).all(axis=0)
        clipped = tuple(np.clip(index, 0, limits - 1))
        values = samples.stored[clipped].astype(np.float64) * samples.scale + samples.offset
        return np.where(inside, values, np.nan)


def plane_of(grid: Grid, name: PlaneName = "axial", place: int | None = None) -> Plane:
    """A plane of a volume in radiological order, or the whole of an image as it is stored.

    The patient's right, and in sagittal planes the face, is on the left; the head or the face is on top.

    Parameters
    ----------
    grid : Grid
        What is cut.
    name : {"axial", "coronal", "sagittal"}
        Of a volume.
    place : int, optional
        Index along the axis through the plane; by default the middle.
    """
    if len(grid.shape) == 2:
        return Plane(grid, 1, 0, 2, (False, False), 0)
    across, up, through = _ALONG[name]
    order, signs = _axes_of_body(grid)
    size = grid.shape[order[through]]
    middle = (size - 1) // 2 if place is None else min(max(place, 0), size - 1)
    return Plane(grid, order[across], order[up], order[through], (signs[across] > 0, signs[up] > 0), middle, name)


def _axes_of_body(grid: Grid) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Array axis that runs along x, y and z of RAS+, and whether its index rises (1) or falls (-1) with it."""
    directions = grid.affine[:3, :3] / np.linalg.norm(grid.affine[:3, :3], axis=0)
    order = max(
        permutations(range(3)), key=lambda axes: sum(abs(directions[world, axis]) for world, axis in enumerate(axes))
    )
    return order, tuple(1 if directions[world, axis] >= 0 else -1 for world, axis in enumerate(order))
