"""A sampling grid in space, and moving arrays from one grid to another."""

from dataclasses import dataclass
from math import prod

import numpy as np

from core.errors import BadInput
from core.scans.limits import GROWTH, MAX_GRID_SAMPLES


@dataclass(frozen=True, eq=False)
class Grid:
    """Regular sampling of space.

    Parameters
    ----------
    shape : tuple of int
        Spatial shape: ``(X, Y, Z)`` for volumes, ``(rows, columns)`` for images.
    affine : numpy.ndarray, shape (4, 4), float64
        Index → RAS+ millimetres. For images the index is ``(row, column, 0)``.
    """

    shape: tuple[int, ...]
    affine: np.ndarray

    @property
    def spacing_mm(self) -> tuple[float, ...]:
        """Distance between neighbouring samples along each axis, millimetres."""
        return tuple(float(s) for s in np.linalg.norm(self.affine[:3, : len(self.shape)], axis=0))

    @property
    def in_millimetres(self) -> bool:
        """Whether `spacing_mm` is known; if not, pixels are lengths.

        An image of 1 by 1 is one whose file does not say. One whose file says only the shape of a pixel lies at the
        origin, turned no way, and the shorter side of its pixels is exactly 1.
        """
        if len(self.shape) == 3:
            return True
        spacing = self.spacing_mm
        lies_nowhere = np.array_equal(self.affine, np.diag([*spacing, 1, 1]))
        return min(spacing) != 1 or not (max(spacing) == 1 or lies_nowhere)

    @property
    def placed(self) -> bool:
        """Whether it is known how the samples lie in a body: of a volume always, of an image where its file says so.

        What a file without orientation is read as is turned no way: row and column along the first two axes.
        """
        if len(self.shape) == 3:
            return True
        turned = self.affine[:3, :3] != np.diag(np.diag(self.affine[:3, :3]))
        return bool(turned.any() or (np.diag(self.affine) < 0).any() or self.affine[:3, 3].any())

    def same_as(self, other: "Grid", tolerance_mm: float = 1e-3) -> bool:
        """Whether both grids have the same samples (shape equal, affine within `tolerance_mm`)."""
        return self.shape == other.shape and bool(np.allclose(self.affine, other.affine, atol=tolerance_mm))


def check_growth(source: Grid, target: Grid) -> None:
    """Refuse a `target` with far more samples than `source` has: no memory is taken for it before.

    A voxel size that cannot be true (a micrometre taken for a millimetre) asks for such grids.

    Raises
    ------
    BadInput
        Above `MAX_GRID_SAMPLES` and above `GROWTH` times the samples of `source`.
    """
    wanted = prod(target.shape)
    if wanted <= max(MAX_GRID_SAMPLES, GROWTH * prod(source.shape)):
        return
    raise BadInput(
        f"The model samples space every {_lengths(target.spacing_mm)} mm, which makes {wanted / 1e6:,.0f} million "
        f"samples of a scan with voxels of {_lengths(source.spacing_mm)} mm, and the limit is "
        f"{MAX_GRID_SAMPLES / 1e6:.0f} million: check the voxel size in the scan's header, or crop the scan."
    )


def _lengths(millimetres: tuple[float, ...]) -> str:
    return "×".join(f"{float(f'{length:.3g}'):g}" for length in millimetres)


def resample(values: np.ndarray, source: Grid, target: Grid, order: int = 1, fill: float = 0.0) -> np.ndarray:
    """Sample `values` (given on `source`) at the points of `target`.

    Going to a coarser grid, interpolated values are first smoothed (Gaussian, FWHM = the coarser spacing) so that
    detail does not alias; labels (``order=0``) never are.

    Parameters
    ----------
    values : numpy.ndarray
        Array of shape `source.shape`, any real dtype.
    source, target : Grid
        Grids of the same number of dimensions.
    order : int
        0 nearest neighbour (labels, masks), 1 linear (everything else).
    fill : float
        Value outside the source's field of view.

    Returns
    -------
    numpy.ndarray
        float32 of shape `target.shape` (dtype of `values` for ``order=0``).
    """
    from scipy import ndimage  # costs 0.3 s, which pages that only look at a scan need not pay

    if source.same_as(target):
        return values if order == 0 else np.asarray(values, dtype=np.float32)
    keep = [*range(len(source.shape)), 3]
    to_source = (np.linalg.inv(source.affine) @ target.affine)[np.ix_(keep, keep)]
    data = values if order == 0 else np.asarray(values, dtype=np.float32)
    if order:
        # sigma along each source axis: FWHM of the step a target sample takes, in source samples
        steps = np.abs(to_source[:-1, :-1]).max(axis=1)
        sigma = np.where(steps > 1.01, np.sqrt(np.maximum(steps**2 - 1, 0)) / 2.3548, 0.0)
        if sigma.any():
            data = ndimage.gaussian_filter(data, sigma, mode="nearest")
    return np.asarray(
        ndimage.affine_transform(
            data, to_source[:-1, :-1], to_source[:-1, -1], output_shape=target.shape, order=order, cval=fill
        )
    )
