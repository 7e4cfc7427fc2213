"""Where frames lie along and across their normal, and on which even grid."""

from collections.abc import Sequence

import numpy as np

from core.scans.dicom.image import Frame

#: Slices further than this share of a step from an even grid are resampled.
EVEN_STEP = 0.02
#: Distances this much larger than the others lie between places, the others within one.
_BETWEEN_TO_WITHIN = 3.0


def normal_of(frame: Frame) -> np.ndarray:
    """Unit normal of a placed frame, LPS, shape (3,)."""
    assert frame.orientation is not None
    normal = np.cross(frame.orientation[:3], frame.orientation[3:])
    return normal / np.linalg.norm(normal)


def positions_of(frames: Sequence[Frame]) -> np.ndarray:
    """Centres of the first pixels, LPS mm, shape (frames, 3)."""
    return np.array([frame.position for frame in frames], dtype=np.float64)


def distances_along(frames: Sequence[Frame]) -> np.ndarray:
    """Distances along the normal of the first frame, mm, shape (frames,)."""
    return positions_of(frames) @ normal_of(frames[0])


def sideways(frames: Sequence[Frame]) -> np.ndarray:
    """Places in the plane, along a row and along a column, mm, shape (frames, 2)."""
    orientation = frames[0].orientation
    assert orientation is not None
    return positions_of(frames) @ np.stack([orientation[:3], orientation[3:]], axis=1)


def tolerance_of(frame: Frame) -> float:
    """Distance within which two frames certainly lie in one place, mm."""
    return 0.01 * min(frame.thickness or 1.0, 1.0)


def places_of(frames: Sequence[Frame]) -> np.ndarray:
    """Number of each frame's place along the normal, from 0 by growing distance.

    Frames lie in one place when they are as good as equal, or when the distances fall into small and large ones and
    the small ones put equally many frames into every place: a patient moved from volume to volume.
    """
    distances = distances_along(frames)
    order = np.argsort(distances, kind="stable")
    gaps = np.diff(distances[order])
    tight = _numbered(order, gaps > tolerance_of(frames[0]))
    large = np.sort(gaps[gaps > tolerance_of(frames[0])])
    if not large.size:
        return tight
    thickness = frames[0].thickness
    if large[-1] <= 0.25 * thickness and np.ptp(distances) < thickness and not fits_even_grid(frames):
        return np.zeros(len(frames), dtype=np.int64)  # one slice, of a patient who moved
    ratios = large[1:] / large[:-1]
    if not ratios.size or ratios.max() < _BETWEEN_TO_WITHIN:
        return tight
    limit = large[int(np.argmax(ratios))]
    loose = _numbered(order, gaps > limit)
    counts = np.bincount(loose)
    widths = [float(np.ptp(distances[loose == place])) for place in range(len(counts))]
    if counts.min() > 1 and counts.min() == counts.max() and max(widths) < gaps[gaps > limit].min() / 2:
        return loose
    return tight


def _numbered(order: np.ndarray, is_new: np.ndarray) -> np.ndarray:
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.concatenate([[0], np.cumsum(is_new)])
    return places


def grid_step(frames: Sequence[Frame]) -> float:
    """Distance between neighbouring slices of the grid that frames are put on, mm.

    The lower quartile of the distances that there are: missing slices and thicker parts do not widen it, and neither
    does a single pair of slices close together narrow it.
    """
    distances = np.sort(distances_along(frames))
    gaps = np.diff(distances)
    gaps = np.sort(gaps[gaps > tolerance_of(frames[0])])
    if not gaps.size:
        return frames[0].step or frames[0].thickness or 1.0
    return float(gaps[(len(gaps) - 1) // 4])


def fits_even_grid(frames: Sequence[Frame]) -> bool:
    """Whether frames lie evenly along the normal, each in a place of its own."""
    distances = np.sort(distances_along(frames))
    even = np.linspace(distances[0], distances[-1], len(distances))
    step = (distances[-1] - distances[0]) / max(len(distances) - 1, 1)
    if len(distances) > 1 and np.diff(distances).min() <= tolerance_of(frames[0]):
        return False
    return bool(np.abs(distances - even).max() <= EVEN_STEP * step) if len(distances) > 1 else True
