"""One volume of a DICOM series: its frames in order, its own affine, and which frame fills which slice of the grid."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.errors import BadInput
from core.scans.dicom.grouping.places import (
    EVEN_STEP,
    distances_along,
    fits_even_grid,
    grid_step,
    normal_of,
    positions_of,
)
from core.scans.dicom.image import Frame

LPS_TO_RAS = np.array([-1.0, -1.0, 1.0])
_TILT_DEGREES = 0.5
#: Slices shifted in the plane by more than this against the common line, mm, are no volume.
_CROOKED_MM = 5.0
#: A slice this near to a place of the grid, in steps, is taken as it is.
_AS_IT_IS = 0.02
_MOST_SLICES = 20_000


@dataclass(frozen=True, eq=False)
class Volume:
    """Frames that make one volume (or one 2D image).

    Parameters
    ----------
    frames : list of Frame
        In order along the normal. One frame: a 2D image.
    affine : numpy.ndarray, shape (4, 4), float64
        Index → RAS+ mm. Index is (column, row, slice) for volumes and (row, column, 0) for images.
    slices : int
        Number of slices of the grid; 1 for an image.
    filling : tuple of (int, int, float)
        Frame, slice and weight: slice k is the sum of its frames, weighted. A slice without a frame is 0.
    notes : tuple of str
        What is odd about the geometry.
    """

    frames: list[Frame]
    affine: np.ndarray
    slices: int
    filling: tuple[tuple[int, int, float], ...]
    notes: tuple[str, ...] = ()

    @property
    def first(self) -> Frame:
        """The frame that stands for all of them."""
        return self.frames[0]

    @cached_property
    def corners(self) -> np.ndarray:
        """Corners of the grid, RAS mm, shape (8, 3)."""
        columns, rows = self.first.columns, self.first.rows
        axes = (rows, columns, 1) if self.slices == 1 else (columns, rows, self.slices)
        ends = [(i, j, k, 1) for i in (0, axes[0] - 1) for j in (0, axes[1] - 1) for k in (0, axes[2] - 1)]
        return (np.array(ends, dtype=np.float64) @ self.affine.T)[:, :3]


def place_frames(frames: list[Frame]) -> Volume:
    """Put frames with positions, in order along their normal, on one even grid.

    Slices that lie unevenly are interpolated linearly between their neighbours, so that every voxel is where it was
    taken.

    Raises
    ------
    BadInput
        When the slices are shifted against each other by more than a volume's are.
    """
    first, notes = frames[0], list[str]()
    if len(frames) == 1:
        affine = affine_along(first, normal_of(first) * (first.thickness or 1.0), notes)
        affine[:, [0, 1]] = affine[:, [1, 0]]  # of an image the first index is the row
        return Volume(frames, affine, 1, ((0, 0, 1.0),), tuple(notes))
    positions, normal = positions_of(frames), normal_of(first)
    distances = distances_along(frames) - positions[0] @ normal
    _check_straight(positions, distances, first, notes)
    slices, filling = _filling(frames, distances, notes)
    step = (positions[-1] - positions[0]) / (slices - 1)
    notes.extend(_tilt(step, normal))
    return Volume(frames, affine_along(first, step, notes), slices, filling, tuple(notes))


def affine_along(first: Frame, step: np.ndarray, notes: list[str]) -> np.ndarray:
    """(column, row, slice) → RAS+ mm, for slices that follow `first` by `step` (LPS mm)."""
    rows, columns = known_spacing(first, notes)
    assert first.orientation is not None
    assert first.position is not None
    affine = np.eye(4)
    axes = [first.orientation[:3] * columns, first.orientation[3:] * rows, step]
    affine[:3, :3] = np.stack(axes, axis=1) * LPS_TO_RAS[:, None]
    affine[:3, 3] = first.position * LPS_TO_RAS
    return affine


def known_spacing(frame: Frame, notes: list[str]) -> tuple[float, float]:
    """Distance between rows and between columns, mm."""
    if min(frame.spacing) > 0:
        return frame.spacing
    notes.append("The file does not say how large a pixel is: 1 mm is assumed.")
    return 1.0, 1.0


def _filling(
    frames: Sequence[Frame], distances: np.ndarray, notes: list[str]
) -> tuple[int, tuple[tuple[int, int, float], ...]]:
    if fits_even_grid(frames):
        return len(frames), tuple((index, index, 1.0) for index in range(len(frames)))
    gaps, wanted = np.diff(distances), grid_step(frames)
    slices = max(2, round(float(distances[-1]) / wanted) + 1)
    if slices > _MOST_SLICES:
        raise BadInput("The positions in the DICOM files make no sense: export the series again.")
    places = distances / float(distances[-1]) * (slices - 1)
    notes.append(
        f"Slice spacing is uneven ({gaps.min():.2f} to {gaps.max():.2f} mm): slices were interpolated "
        f"{distances[-1] / (slices - 1):.2f} mm apart from those taken, each at its true place."
    )
    steps = gaps / wanted
    missing = int(np.round(steps).sum()) - len(gaps)
    if missing and float(np.abs(steps - np.round(steps)).max()) < EVEN_STEP:
        notes.append(f"{missing} slice(s) seem to be missing: what lies between their neighbours stands in for them.")
    return slices, tuple(_interpolated(places, slices))


def _interpolated(places: np.ndarray, slices: int) -> list[tuple[int, int, float]]:
    """Weights of the two frames around each place of the grid; one alone where it lies there."""
    filling = []
    for place in range(slices):
        after = min(max(int(np.searchsorted(places, place)), 1), len(places) - 1)
        below, above = float(place - places[after - 1]), float(places[after] - place)
        if below <= _AS_IT_IS:
            filling.append((after - 1, place, 1.0))
        elif above <= _AS_IT_IS:
            filling.append((after, place, 1.0))
        else:
            filling += [(after - 1, place, above / (below + above)), (after, place, below / (below + above))]
    return filling


def _check_straight(positions: np.ndarray, distances: np.ndarray, first: Frame, notes: list[str]) -> None:
    """Slices lie on one line through space, or it is said how far they do not."""
    line = positions[0] + np.outer(distances / float(distances[-1]), positions[-1] - positions[0])
    off = float(np.linalg.norm(positions - line, axis=1).max())
    if off > _CROOKED_MM:
        raise BadInput(
            f"The slices are shifted against each other in their plane by up to {off:.0f} mm, as those of one volume "
            "are not: give the slices of one volume alone."
        )
    if off > 0.5 * (min(first.spacing) or 1.0):
        notes.append(f"Slices are shifted against each other in their plane by up to {off:.2f} mm: they are not moved.")


def _tilt(step: np.ndarray, normal: np.ndarray) -> list[str]:
    cosine = float(abs(step @ normal) / np.linalg.norm(step))
    tilt = math.degrees(math.acos(min(1.0, cosine)))
    if tilt <= _TILT_DEGREES:
        return []
    return [
        f"Gantry tilt of {tilt:.1f}°: slices are shifted against each other; the affine keeps the shear, "
        "views along slices look slanted."
    ]
