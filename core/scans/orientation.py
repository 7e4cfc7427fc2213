"""Turning arrays between a file's own axis order and RAS+, without copying."""

import numpy as np

from core.scans.scan import HeaderForms, SourceSpace


def usable_affine(affine: np.ndarray) -> bool:
    """Whether `affine` (4, 4) is finite, invertible, and has voxels between 0.1 µm and 10 m."""
    if affine.shape != (4, 4) or not np.isfinite(affine).all():
        return False
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    if spacing.min() < 1e-4 or spacing.max() > 1e4:
        return False
    return bool(abs(np.linalg.det(affine[:3, :3] / spacing)) > 1e-3)


def source_space(affine: np.ndarray, shape: tuple[int, ...], forms: HeaderForms | None = None) -> SourceSpace:
    """Space of a file with index → RAS+ mm `affine` (4, 4) and spatial `shape` (3 axes), orientation worked out."""
    from nibabel.orientations import io_orientation

    return SourceSpace(np.asarray(affine, dtype=np.float64), shape, io_orientation(affine).astype(int), forms)


def file_view(array: np.ndarray, space: SourceSpace) -> np.ndarray:
    """View of a RAS+ `array` (X, Y, Z) in the axis order and directions of the file; writing to it writes `array`."""
    if space.orientation is None:
        return array
    axes, flips = space.orientation[:, 0], space.orientation[:, 1]
    return array.transpose(axes)[tuple(slice(None, None, int(flip)) for flip in flips)]


def ras_shape(space: SourceSpace) -> tuple[int, ...]:
    """Shape (X, Y, Z) of the file's volume after turning it to RAS+."""
    assert space.orientation is not None
    order = np.argsort(space.orientation[:, 0])
    return tuple(space.shape[axis] for axis in order)


def ras_affine(space: SourceSpace) -> np.ndarray:
    """Index → RAS+ mm of the volume after turning it to RAS+, (4, 4) float64."""
    assert space.orientation is not None
    turn = np.zeros((4, 4))
    turn[3, 3] = 1
    for axis, (target, flip) in enumerate(space.orientation):
        turn[axis, target] = flip
        turn[axis, 3] = 0 if flip == 1 else space.shape[axis] - 1
    return np.asarray(space.affine @ turn)
