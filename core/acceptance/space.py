"""Whether a head lies where the MNI152 template has its own: tried by moving the template about."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import ndimage

from core.models.inputs import image_to_plane, plane_to_image
from core.scans.grid import Grid, resample
from core.scans.mni import mni_grid
from core.scans.scan import Scan

#: Millimetres between the samples that are compared, at least.
_SPACING_MM = 6.0
#: By how much the template is moved (mm), turned (degrees) and scaled (share) to see whether it fits better there.
_SHIFT_MM, _TURN_DEGREES, _SCALE = 9.0, 14.0, 0.1
#: Grey levels of the template for which the scan's values are compared.
_LEVELS = 12
#: Least share of the scan's variance that the template explains, of a scan that lies where it does.
_LEAST_FIT = 0.25
#: By how much more it may explain elsewhere, of volumes and of single slices, which say less.
_TIE, _TIE_OF_PICTURES = 0.02, 0.03
#: Least share of the template's brain that the scan has to cover.
_LEAST_COVER = 0.6


@dataclass(frozen=True)
class Place:
    """How a scan lies in MNI space.

    Parameters
    ----------
    fit : float
        Share of its variance, 0..1, that the template's grey levels explain where it lies (correlation ratio, Roche et
        al., MICCAI 1998).
    elsewhere : float
        The largest such share with the template moved, turned, scaled or mirrored.
    cover : float
        Share of the template's brain, 0..1, that the scan covers.
    tie : float
        By how much `elsewhere` may be larger: neighbouring places of a blurred image hardly differ.
    """

    fit: float
    elsewhere: float
    cover: float
    tie: float = 0.0

    @property
    def found(self) -> bool:
        """Whether the scan lies in MNI space, as far as that can be told."""
        return self.cover >= _LEAST_COVER and self.fit >= _LEAST_FIT and self.fit >= self.elsewhere - self.tie

    @property
    def clear(self) -> bool:
        """Whether it is found, and the template fits nowhere better than where the scan says that it lies."""
        return self.found and self.fit >= self.elsewhere


def get_ready() -> None:
    """Read the template, while nobody waits for it."""
    grid = mni_grid(_SPACING_MM)
    _templates(grid.shape, tuple(grid.affine.ravel()))


def place_of_volume(scan: Scan) -> Place:
    """How a volume lies in MNI space: its first channel, 6 mm apart, against the template."""
    grid = mni_grid(_SPACING_MM)
    values = resample(scan.array[0], scan.grid, grid)
    inside = resample(np.ones(scan.shape, np.uint8), scan.grid, grid, order=0) > 0
    return _place(values, inside, _templates(grid.shape, tuple(grid.affine.ravel())), _TIE)


def covered(scan: Scan, grid: Grid) -> float:
    """Share of the template's brain on a grid (RAS+ mm) that a scan covers, 0..1: 0 where the grid holds no brain."""
    volume, native = _template()
    brain = resample(volume, native, grid) > 0
    inside = resample(np.ones(scan.shape, np.uint8), scan.grid, grid, order=0) > 0
    return float(inside[brain].mean()) if brain.any() else 0.0


def place_of_picture(image: np.ndarray, inside: np.ndarray, grid: Grid, plane: str) -> Place:
    """How a picture lies in MNI space, had it been taken there.

    Parameters
    ----------
    image : numpy.ndarray, shape (rows, columns)
        As it is hung.
    inside : numpy.ndarray of bool
        Where the picture has values, of the same shape.
    grid : Grid
        The one-plane volume, RAS+ mm, that the picture is said to be.
    plane : {"axial", "coronal", "sagittal"}
        Its plane.
    """
    steps = [max(1, round(_SPACING_MM / mm)) if n > 1 else 1 for n, mm in zip(grid.shape, grid.spacing_mm, strict=True)]
    coarse = grid.affine @ np.diag([*steps, 1.0])
    shape = tuple(-(-n // step) for n, step in zip(grid.shape, steps, strict=True))
    templates = [plane_to_image(one, plane) for one in _templates(shape, tuple(coarse.ravel()))]
    # a picture hangs with its rows and columns turned round: it is made coarser as the volume that it was
    values, seen = (_coarser(image_to_plane(one, plane), steps) for one in (image, inside.astype(np.float32)))
    return _place(plane_to_image(values, plane), plane_to_image(seen, plane) > 0.5, templates, _TIE_OF_PICTURES)


def _place(values: np.ndarray, seen: np.ndarray, templates: Sequence[np.ndarray], tie: float) -> Place:
    brain = templates[0] > 0
    cover = float(seen[brain].mean()) if brain.any() else 0.0
    if not seen.any() or not cover:
        return Place(0.0, 0.0, cover, tie)
    fits = [_correlation_ratio(values[seen], template[seen]) for template in templates]
    return Place(fits[0], max(fits[1:]), cover, tie)


def _coarser(image: np.ndarray, steps: Sequence[int]) -> np.ndarray:
    sigma = [0.5 * step if step > 1 else 0.0 for step in steps]
    smooth = ndimage.gaussian_filter(np.asarray(image, dtype=np.float32), sigma)
    return smooth[tuple(slice(None, None, step) for step in steps)]


def _correlation_ratio(values: np.ndarray, levels: np.ndarray) -> float:
    """Share of the variance of `values` that lies between the `levels`, corrected for their number."""
    count = np.bincount(levels, minlength=_LEVELS + 1).astype(np.float64)
    total = np.bincount(levels, values, minlength=_LEVELS + 1)
    used = count > 0
    variance = float(values.var())
    if variance <= 0:
        return 0.0
    means = total[used] / count[used]
    between = float((count[used] * (means - values.mean()) ** 2).sum()) / len(values)
    return max(0.0, between / variance)


@lru_cache(maxsize=8)
def _templates(shape: tuple[int, ...], affine: tuple[float, ...]) -> tuple[np.ndarray, ...]:
    """Levels of the template on a grid, and with it moved in each way; int64, 0 outside the brain."""
    grid = Grid(shape, np.array(affine).reshape(4, 4))
    volume, native = _template()
    top = float(np.percentile(volume[volume > 0], 99.5))
    found = []
    for move in _moves():
        moved = resample(volume, Grid(native.shape, move @ native.affine), grid)
        level = np.ceil(np.clip(moved / top, 0, 1) * _LEVELS).astype(np.int64)
        found.append(np.where(moved > 0.1 * top, level, 0))
    return tuple(found)


def _moves() -> list[np.ndarray]:
    """Identity, then the ways in which the template is moved, about the middle of the head."""
    centre = np.array([0.0, -18.0, 10.0])
    moves = [np.eye(4)]
    for axis in range(3):
        for sign in (-1, 1):
            shift = np.eye(4)
            shift[axis, 3] = sign * _SHIFT_MM
            moves.append(shift)
            one, other = [a for a in range(3) if a != axis]
            angle = np.deg2rad(sign * _TURN_DEGREES)
            turn = np.eye(4)
            turn[one, one] = turn[other, other] = np.cos(angle)
            turn[one, other], turn[other, one] = -np.sin(angle), np.sin(angle)
            moves.append(_about(turn, centre))
    scaled = [np.diag([factor, factor, factor, 1.0]) for factor in (1 - _SCALE, 1 + _SCALE)]
    mirrored = [np.diag([1.0, -1.0, 1.0, 1.0]), np.diag([1.0, 1.0, -1.0, 1.0])]  # a head is much like its left to right
    return [*moves, *(_about(move, centre) for move in (*scaled, *mirrored))]


def _about(move: np.ndarray, centre: np.ndarray) -> np.ndarray:
    there, back = np.eye(4), np.eye(4)
    there[:3, 3], back[:3, 3] = centre, -centre
    found: np.ndarray = there @ move @ back
    return found


@lru_cache(maxsize=1)
def _template() -> tuple[np.ndarray, Grid]:
    """The T1-weighted MNI152 template that nilearn ships, brain only, at 2 mm."""
    from nilearn.datasets import load_mni152_template  # a second of imports that only this needs

    image = load_mni152_template(resolution=2)
    volume = np.asarray(image.dataobj, dtype=np.float32)
    return volume, Grid(tuple(volume.shape), np.asarray(image.affine, dtype=np.float64))
