"""Pairs of synthetic axial T1 and T2 slices: the same anatomy seen twice, so that T2 can be learnt from T1.

No look-up of intensities solves it. Fluid and air are both dark on T1 and opposite on T2; the T1 slice has a coil's
bias field and a gain of its own, the T2 slice has not; deep grey matter is darker on T2 because of its iron, cortex is
not; a lesion of white matter looks like grey matter on T1 and is brighter than that on T2, the more so the darker it is
on T1; a lesion that holds blood products is bright on T1 and black on T2.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from core.cohorts.pairs import Pair, PairCohort
from core.parameters import Parameters, parameter
from core.phantoms.slices.anatomy import (
    SLICE_SHAPE,
    SliceAnatomy,
    bias_field,
    rician_noise,
    slice_anatomy,
    smooth_image,
)
from core.scans.scan import Scan

#: full scale of a 16-bit picture, which the slices are
_FULL_SCALE = 65535
#: signal of each tissue, 0..1 of the full scale, in a person of average contrast
_T1 = {"grey": 0.56, "white": 0.76, "fluid": 0.17, "skull": 0.07, "scalp": 0.68}
_T2 = {"grey": 0.50, "white": 0.35, "fluid": 0.92, "skull": 0.05, "scalp": 0.42}
#: iron-rich nuclei: middle and half-axes of the one on the right, mm
_IRON_MM = ((21.0, -3.0, 1.0), (8.0, 13.0, 9.0))


class SlicePairs(Parameters):
    """What a cohort of slice pairs is like."""

    seed: int = parameter(0, "The same seed makes the same pairs, pixel for pixel.", minimum=0)
    train: int = parameter(240, "Pairs to train on.", minimum=0)
    validation: int = parameter(40, "Pairs to validate.", minimum=0)
    test: int = parameter(40, "Pairs to test.", minimum=0)
    rows: int = parameter(SLICE_SHAPE[0], "Rows of a slice, 1 mm each.", minimum=32)
    columns: int = parameter(SLICE_SHAPE[1], "Columns of a slice, 1 mm each.", minimum=32)
    height_from_mm: float = parameter(-4.0, "Lowest slice, MNI z.", minimum=-20, maximum=60, unit="mm")
    height_to_mm: float = parameter(38.0, "Highest slice, MNI z.", minimum=-20, maximum=60, unit="mm")
    lesions: float = parameter(2.0, "Mean number of lesions in a slice.", minimum=0, maximum=20)


@dataclass(frozen=True)
class SliceSubject:
    """One person's slice: everything that is not drawn at random."""

    height_mm: float
    ventricles: float
    lesions: int


def t1_t2_cohort(settings: SlicePairs) -> PairCohort:
    """The cohort without a folder: pairs are made when they are asked for."""
    splits = ["train"] * settings.train + ["validation"] * settings.validation + ["test"] * settings.test
    pairs = [Pair(f"slice-{number:04d}", f"sub-{number:04d}", split) for number, split in enumerate(splits)]
    number_of = {pair.name: number for number, pair in enumerate(pairs)}

    def load(pair: Pair) -> tuple[Scan, Scan]:
        number = number_of[pair.name]
        return t1_t2_pair(draw_subject(settings, number), [settings.seed, number], (settings.rows, settings.columns))

    return PairCohort("phantoms", tuple(pairs), load, {}, "T1", "T2")


def draw_subject(settings: SlicePairs, number: int) -> SliceSubject:
    """Who subject `number` of the cohort is."""
    draw = np.random.default_rng([settings.seed, number, 0])
    return SliceSubject(
        height_mm=round(float(draw.uniform(settings.height_from_mm, settings.height_to_mm)), 1),
        ventricles=round(float(draw.uniform(-0.15, 0.45)), 2),
        lesions=int(draw.poisson(settings.lesions)),
    )


def t1_t2_pair(subject: SliceSubject, seed: list[int], shape: tuple[int, int] = SLICE_SHAPE) -> tuple[Scan, Scan]:
    """T1 and T2 slice of `subject` as 16-bit pictures, 1 mm pixels; `seed` decides all else about the person."""
    anatomy = slice_anatomy(subject.height_mm, np.random.default_rng([*seed, 1]), shape, subject.ventricles)
    painter = np.random.default_rng([*seed, 2])
    t1, t2 = _paint_t1(anatomy, painter), _paint_t2(anatomy)
    for _ in range(subject.lesions):
        t1, t2 = _add_lesion(t1, t2, anatomy, painter)
    scanner = np.random.default_rng([*seed, 3])
    t1 = t1 * bias_field(shape, 0.15, scanner) * np.float32(scanner.uniform(0.65, 1.15))
    return _picture(rician_noise(t1, 0.018, scanner)), _picture(rician_noise(t2, 0.012, scanner))


def _paint_t1(anatomy: SliceAnatomy, random: np.random.Generator) -> np.ndarray:
    """Tissue by tissue, with half of what the template's own signal deviates from its tissues' means as texture."""
    contrast = random.normal(1, 0.04, len(_T1))
    signal = {name: value * c for (name, value), c in zip(_T1.items(), contrast, strict=True)}
    plain = 0.65 * anatomy.grey + 0.87 * anatomy.white + 0.28 * anatomy.fluid
    texture = np.where(anatomy.t1 > 0, anatomy.t1 - plain, 0) * (anatomy.fluid < 0.5)
    return _by_tissue(anatomy, signal) + np.float32(0.5) * texture


def _paint_t2(anatomy: SliceAnatomy) -> np.ndarray:
    return _by_tissue(anatomy, _T2) * (1 - np.float32(0.35) * _iron(anatomy.points_mm))


def _by_tissue(anatomy: SliceAnatomy, signal: dict[str, float]) -> np.ndarray:
    parts = [np.float32(value) * getattr(anatomy, name) for name, value in signal.items()]
    return np.stack(parts).sum(axis=0)


def _iron(points_mm: np.ndarray) -> np.ndarray:
    """Share of the full iron effect, 1 in the nuclei on both sides falling smoothly to 0, float32."""
    centre, axes = _IRON_MM
    mirrored = np.stack([np.abs(points_mm[0]), points_mm[1], points_mm[2]])
    offset = (mirrored - np.reshape(centre, (3, 1, 1))) / np.reshape(axes, (3, 1, 1))
    radius: np.ndarray = np.linalg.norm(offset, axis=0)
    return np.clip((1.2 - radius) / 0.5, 0, 1).astype(np.float32)


def _add_lesion(
    t1: np.ndarray, t2: np.ndarray, anatomy: SliceAnatomy, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Put one lesion of random size, outline and kind into white matter; where there is none, nothing changes."""
    # rim of white matter is left alone, so that a lesion is not taken for cortex
    candidates = np.flatnonzero(ndimage.gaussian_filter(anatomy.white, 2.0) > 0.85)
    if not len(candidates):
        return t1, t2
    row, column = np.unravel_index(random.choice(candidates), t1.shape)
    radii, angle = random.uniform(2.5, 8.0, 2), random.uniform(0, np.pi)
    rows, columns = np.indices(t1.shape) - np.array([row, column])[:, None, None]
    along, across = (
        rows * np.cos(angle) + columns * np.sin(angle),
        columns * np.cos(angle) - rows * np.sin(angle),
    )
    outline = 1 + 0.15 * smooth_image(t1.shape, 6.0, random)
    distance = np.hypot(along / radii[0], across / radii[1]) * outline
    share = (np.clip((1.25 - distance) / 0.5, 0, 1) * (1 - anatomy.skull - anatomy.scalp - anatomy.fluid)).clip(0)
    if random.random() < 0.25:
        signal_t1, signal_t2 = 0.95, 0.08
    else:
        severity = random.uniform(0.25, 1.0)
        signal_t1 = _T1["white"] - 0.45 * severity
        signal_t2 = 0.45 + 0.45 * severity
    blend = share.astype(np.float32)
    return t1 + blend * (np.float32(signal_t1) - t1), t2 + blend * (np.float32(signal_t2) - t2)


def _picture(image: np.ndarray) -> Scan:
    """0..1 → what a 16-bit PNG of it reads as."""
    values = np.round(np.clip(image, 0, 1) * _FULL_SCALE).astype(np.float32)
    return Scan(values[None], np.eye(4), units="16-bit")
