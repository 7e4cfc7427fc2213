"""Phantom cohort: grey-matter maps of subjects who never lived, with atrophy planted where we know it.

Every scan starts from the MNI152 grey-matter template that nilearn ships and goes through the same chain: smooth
deformation, contrast and local cortical variation clipped to 0..1 (healthy tissue reaches 1), healthy ageing
everywhere (a distractor), atrophy in the planted regions when the subject has Alzheimer's disease, scanner blur and
spatially correlated noise. All lengths are in millimetres, so one subject is the same subject on every grid.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from scipy import ndimage

from core.errors import BadInput
from core.parameters import Parameters, parameter
from core.phantoms.fields import FWHM, random_field
from core.scans.grid import Grid, resample
from core.scans.mni import BOX_FROM_MM, BOX_SIZE_MM, mni_grid
from core.scans.scan import Scan

HEALTHY, DISEASED = "CN", "AD"
#: share of the full atrophy from which a voxel counts as planted
_PLANTED_FROM = 0.1


@dataclass(frozen=True)
class Region:
    """An ellipsoid in MNI space: centre and semi-axes in mm, tilted in the sagittal plane (degrees, nose up)."""

    name: str
    centre_mm: tuple[float, float, float]
    semi_axes_mm: tuple[float, float, float]
    tilt_degrees: float = 0.0

    def weight(self, points_mm: np.ndarray) -> np.ndarray:
        """Share of the atrophy, 1 in the core falling smoothly to 0, at `points_mm` (3, ...); float32."""
        angle = np.deg2rad(self.tilt_degrees)
        x, y, z = (points_mm[axis] - self.centre_mm[axis] for axis in range(3))
        along, across = y * np.cos(angle) + z * np.sin(angle), -y * np.sin(angle) + z * np.cos(angle)
        a, b, c = self.semi_axes_mm
        radius = np.sqrt((x / a) ** 2 + (along / b) ** 2 + (across / c) ** 2)
        ramp = np.clip((1.15 - radius) / 0.5, 0, 1)
        return (ramp * ramp * (3 - 2 * ramp)).astype(np.float32)


def _both_sides(
    name: str, centre: tuple[float, float, float], axes: tuple[float, float, float], tilt: float
) -> list[Region]:
    x, y, z = centre
    return [Region(f"{name}_L", (-x, y, z), axes, tilt), Region(f"{name}_R", (x, y, z), axes, tilt)]


#: where atrophy is planted; label k of the ground truth is ``PLANTED_REGIONS[k - 1]``
PLANTED_REGIONS: tuple[Region, ...] = (
    *_both_sides("Hippocampus", (27.0, -21.0, -14.0), (7.5, 14.0, 6.5), -20.0),
    *_both_sides("Amygdala", (23.0, -3.0, -19.0), (7.0, 6.5, 6.5), 0.0),
    *_both_sides("ParaHippocampal", (22.0, -24.0, -23.0), (6.5, 14.0, 5.5), -15.0),
)


def template(grid: Grid) -> np.ndarray:
    """MNI152 grey-matter probability on `grid`, float32, 0..1 (nilearn's bundled 1 mm template, smoothed to fit)."""
    volume, native = _template_volume()
    return np.clip(resample(volume, native, grid), 0, 1)


def template_scan() -> Scan:
    """The template as it ships: 197×233×189 at 1 mm."""
    volume, native = _template_volume()
    return Scan(volume[None], native.affine, modality="MR", units="grey-matter probability")


def planted_labels(grid: Grid) -> np.ndarray:
    """Ground truth on `grid`: uint8, 0 elsewhere, k where region k is planted (atrophy ≥ 10 % of its core's)."""
    weights = np.stack([region.weight(_points(grid)) for region in PLANTED_REGIONS])
    return np.where(weights.max(axis=0) >= _PLANTED_FROM, weights.argmax(axis=0) + 1, 0).astype(np.uint8)


class PhantomParameters(Parameters):
    """What a phantom cohort is like; lengths in mm, ages and durations in years."""

    seed: int = parameter(0, "The same seed makes the same cohort, voxel for voxel.", minimum=0)
    spacing_mm: float = parameter(
        3.0, "Distance of the voxels; the grid is the MNI box.", minimum=1.0, maximum=8.0, unit="mm"
    )
    plane: Literal["axial", "coronal", "sagittal"] | None = parameter(
        None, "Make only a slab of the volume, 9 mm to both sides of one slice, which is quick."
    )
    position_mm: float = parameter(-21.0, "Where that slice is, RAS+.", unit="mm")
    twins: int = parameter(
        40, "Pairs of one CN and one AD subject who differ in nothing but the disease, for training.", minimum=0
    )
    singles: int = parameter(
        0, "CN and as many AD subjects without a twin, half to validate and half to test.", minimum=0
    )
    sessions: int = parameter(1, "Sessions of each subject, a year apart.", minimum=1, maximum=10)
    age_from: float = parameter(58.0, "Youngest age at the first session.", minimum=0, maximum=120, unit="years")
    age_to: float = parameter(85.0, "Oldest age at the first session.", minimum=0, maximum=120, unit="years")
    contrast_from: float = parameter(1.3, "Grey matter is multiplied by this or more, then clipped to 1.", above=0)
    contrast_to: float = parameter(1.8, "Grey matter is multiplied by this or less, then clipped to 1.", above=0)
    cortical_variation: float = parameter(
        0.08, "Standard deviation of the local thickness field.", minimum=0, maximum=0.5
    )
    deformation_mm: float = parameter(
        1.5, "Standard deviation of the warp along each axis.", minimum=0, maximum=6, unit="mm"
    )
    ageing_per_year: float = parameter(
        0.004, "Share of grey matter lost everywhere each year after 55.", minimum=0, maximum=0.02
    )
    onset_atrophy_from: float = parameter(
        0.24, "Least share of tissue lost in the regions at diagnosis.", minimum=0, maximum=1
    )
    onset_atrophy_to: float = parameter(
        0.40, "Largest share of tissue lost in the regions at diagnosis.", minimum=0, maximum=1
    )
    atrophy_per_year: float = parameter(0.06, "Mean further loss a year of disease.", minimum=0, maximum=1)
    years_to: float = parameter(
        4.0, "Longest duration of the disease at the first session.", minimum=0, maximum=20, unit="years"
    )
    atrophy_limit: float = parameter(0.65, "No subject loses a larger share of the regions.", minimum=0, maximum=1)
    blur_from_mm: float = parameter(
        2.0, "Weakest blur of the scanner, full width at half maximum.", minimum=0, unit="mm"
    )
    blur_to_mm: float = parameter(
        4.0, "Strongest blur of the scanner, full width at half maximum.", minimum=0, unit="mm"
    )
    noise: float = parameter(0.05, "Standard deviation of the spatially correlated noise.", minimum=0, maximum=0.5)


@dataclass(frozen=True)
class PhantomSession:
    """One session of one phantom subject; `anatomy` seeds everything that does not change over the years."""

    participant_id: str
    session_id: str
    diagnosis: str
    age: float
    years_of_disease: float
    atrophy: float
    split: str
    pair: str
    anatomy: int
    visit: int


def plan(parameters: PhantomParameters) -> list[PhantomSession]:
    """Who is in the cohort, session by session; twins are for training, singles alternate validation and test."""
    sessions: list[PhantomSession] = []
    for number in range(parameters.twins):
        for diagnosis in (HEALTHY, DISEASED):
            sessions += _plan_subject(parameters, number, diagnosis, "train", f"pair-{number:04d}", len(sessions))
    for number in range(2 * parameters.singles):
        diagnosis = (HEALTHY, DISEASED)[number % 2]
        split = ("validation", "test")[(number // 2) % 2]
        sessions += _plan_subject(parameters, parameters.twins + number, diagnosis, split, "", len(sessions))
    return sessions


def _plan_subject(
    parameters: PhantomParameters, anatomy: int, diagnosis: str, split: str, pair: str, already: int
) -> list[PhantomSession]:
    # twins share this stream, so they share their age; the disease is drawn for both and used by one
    draw = np.random.default_rng([parameters.seed, anatomy, 1])
    age = draw.uniform(parameters.age_from, parameters.age_to)
    onset = draw.uniform(parameters.onset_atrophy_from, parameters.onset_atrophy_to)
    rate = parameters.atrophy_per_year * draw.uniform(0.6, 1.4)
    years = draw.uniform(0, parameters.years_to)
    participant = f"sub-{already // parameters.sessions + 1:04d}"
    planned = []
    for visit in range(parameters.sessions):
        ill = diagnosis == DISEASED
        duration = years + visit if ill else 0.0
        atrophy = min(onset + rate * duration, parameters.atrophy_limit) if ill else 0.0
        planned.append(
            PhantomSession(
                participant_id=participant,
                session_id=f"ses-{12 * visit:03d}",
                diagnosis=diagnosis,
                age=round(age + visit, 1),
                years_of_disease=round(duration, 1),
                atrophy=round(atrophy, 3),
                split=split,
                pair=pair,
                anatomy=anatomy,
                visit=visit,
            )
        )
    return planned


def cohort_grid(parameters: PhantomParameters) -> Grid:
    """Grid of a cohort's scans: the MNI box at its spacing, or a slab of it.

    Raises
    ------
    BadInput
        When the slice asked for lies outside the box.
    """
    whole = mni_grid(parameters.spacing_mm)
    if parameters.plane is None:
        return whole
    axis = ("sagittal", "coronal", "axial").index(parameters.plane)
    at = whole.affine[axis, 3] + parameters.spacing_mm * np.arange(whole.shape[axis])
    # wider than the strongest blur, so that the slab's faces do not reach the slice
    kept = np.flatnonzero(np.abs(at - parameters.position_mm) <= 9)
    if not len(kept):
        raise BadInput(f"There is no {parameters.plane} slice at {parameters.position_mm:g} mm in the MNI box.")
    shape = tuple(len(kept) if a == axis else n for a, n in enumerate(whole.shape))
    affine = whole.affine.copy()
    affine[axis, 3] = at[kept[0]]
    return Grid(shape, affine)


def phantom_scan(session: PhantomSession, parameters: PhantomParameters, grid: Grid | None = None) -> Scan:
    """Scan of one session on `grid` (default: the cohort's own), values 0..1."""
    grid = grid or cohort_grid(parameters)
    array = _grey_matter(session, parameters, grid)
    return Scan(array[None], grid.affine, modality="MR", units="grey-matter probability")


def _grey_matter(session: PhantomSession, parameters: PhantomParameters, grid: Grid) -> np.ndarray:
    body = np.random.default_rng([parameters.seed, session.anatomy, 2])
    contrast = body.uniform(parameters.contrast_from, parameters.contrast_to)
    warp = np.stack([smooth_field(grid, 22.0, body) for _ in range(3)]) * np.float32(parameters.deformation_mm)
    cortex = 1 + np.float32(parameters.cortical_variation) * smooth_field(grid, 18.0, body)
    ageing_rate = parameters.ageing_per_year * body.uniform(0.5, 1.5)

    points = _points(grid) + warp
    ageing = np.clip(1 - ageing_rate * max(session.age - 55, 0), 0, 1)
    tissue = np.clip(contrast * ageing * cortex * _sample_template(points, grid), 0, 1)
    if session.atrophy:
        tissue *= 1 - np.float32(session.atrophy) * _planted_weight(points)

    scanner = np.random.default_rng([parameters.seed, session.anatomy, 3, session.visit])
    fwhm = scanner.uniform(parameters.blur_from_mm, parameters.blur_to_mm)
    tissue = ndimage.gaussian_filter(tissue, fwhm / FWHM / np.asarray(grid.spacing_mm))
    # the segmentation that such maps come from leaves air at zero: noise only where there is tissue
    noise = np.float32(parameters.noise) * smooth_field(grid, 6.0, scanner)
    return np.clip(tissue + noise * np.minimum(4 * tissue, 1), 0, 1).astype(np.float32)


def smooth_field(grid: Grid, fwhm_mm: float, random: np.random.Generator) -> np.ndarray:
    """Gaussian random field of unit variance and about `fwhm_mm` correlation width, float32; same mm, same values."""
    positions = [grid.affine[axis, 3] + grid.affine[axis, axis] * np.arange(grid.shape[axis]) for axis in range(3)]
    bounds = [(BOX_FROM_MM[axis], BOX_FROM_MM[axis] + BOX_SIZE_MM[axis]) for axis in range(3)]
    return random_field(positions, bounds, fwhm_mm, random)


@lru_cache(maxsize=1)
def _template_volume() -> tuple[np.ndarray, Grid]:
    from nilearn.datasets import load_mni152_gm_template  # a second of imports that only phantoms need

    image = load_mni152_gm_template(resolution=1)
    volume = np.asarray(image.dataobj, dtype=np.float32)
    return volume, Grid(volume.shape, np.asarray(image.affine, dtype=np.float64))


@lru_cache(maxsize=2)
def _smoothed_template(fwhm_mm: float) -> np.ndarray:
    return ndimage.gaussian_filter(_template_volume()[0], fwhm_mm / FWHM)


def _sample_template(points_mm: np.ndarray, grid: Grid) -> np.ndarray:
    """Template at `points_mm` (3, ...), smoothed first so that a coarse grid does not alias."""
    native = _template_volume()[1]
    step = max(grid.spacing_mm)
    volume = _smoothed_template(round(float(np.sqrt(max(step**2 - 1, 0))), 6))
    indices = points_mm - native.affine[:3, 3].astype(np.float32).reshape(3, 1, 1, 1)
    return ndimage.map_coordinates(volume, indices, order=1)


def _planted_weight(points_mm: np.ndarray) -> np.ndarray:
    return np.max([region.weight(points_mm) for region in PLANTED_REGIONS], axis=0)


def _points(grid: Grid) -> np.ndarray:
    """Position of every voxel of an axis-aligned grid, (3, X, Y, Z) float32, mm."""
    axes = [grid.affine[a, 3] + grid.affine[a, a] * np.arange(grid.shape[a], dtype=np.float32) for a in range(3)]
    return np.stack(np.meshgrid(*axes, indexing="ij")).astype(np.float32)
