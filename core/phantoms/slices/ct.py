"""MR and CT of the same synthetic head: pairs of slices for MR → CT.

The anatomy is that of `core.phantoms.slices.anatomy`. Here its skull gets two cortical tables with diploë between,
a frontal sinus and mastoid air cells low in the head, and some people get calcifications. CT is painted by tissue in
HU, MR as a T1-weighted scanner would see it: cortical bone and air are both black there, which is what makes MR → CT
hard. Lengths are millimetres, a pixel is 1 mm.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from core.cohorts.pairs import Pair, PairCohort
from core.parameters import Parameters, parameter
from core.phantoms.slices.anatomy import SliceAnatomy, bias_field, rician_noise, slice_anatomy, smooth_image
from core.scans.scan import Scan

#: rows and columns of a slice: eight halvings make one pixel of it
CT_SHAPE = (256, 256)
#: lowest and highest HU of a pair, the range that IBIX clips its CTs to
HU_RANGE = (-1024.0, 1250.0)
#: lowest and highest MNI z of a slice's centre
HEIGHTS_MM = (-10.0, 50.0)
#: full scale of a 16-bit picture, which the MR slices are
_FULL_SCALE = 65535
#: HU of what does not vary from person to person
_HU = {"air": -1000.0, "grey": 37.0, "white": 28.0, "fluid": 8.0, "fat": -85.0, "muscle": 55.0, "skin": 40.0}
#: T1-weighted signal, white matter near 0.8
_SIGNAL = {"air": 0.0, "fluid": 0.16, "fat": 0.88, "muscle": 0.42, "skin": 0.5, "cortical": 0.04, "calcification": 0.1}
#: places where healthy people's brains calcify: MNI x, y, z and the chance of it
_CALCIFYING = (((0.0, -27.0, 6.0), 0.6), ((-22.0, -42.0, 12.0), 0.4), ((22.0, -42.0, 12.0), 0.4))


class SlicePairsCT(Parameters):
    """How many pairs there are for what, and of which size."""

    seed: int = parameter(0, "The same seed makes the same pairs, pixel for pixel.", minimum=0)
    train: int = parameter(400, "Pairs to train on.", minimum=0)
    test: int = parameter(60, "Pairs to test.", minimum=0)
    size: int = parameter(CT_SHAPE[0], "Rows and columns of a slice, 1 mm each.", minimum=32)


def mr_ct_cohort(settings: SlicePairsCT) -> PairCohort:
    """The cohort without a folder: pairs are made when they are asked for, every one another person."""
    splits = ["train"] * settings.train + ["test"] * settings.test
    pairs = [Pair(f"slice-{number:04d}", f"sub-{number:04d}", split) for number, split in enumerate(splits)]
    number_of = {pair.name: number for number, pair in enumerate(pairs)}

    def load(pair: Pair) -> tuple[Scan, Scan]:
        return mr_ct_pair([settings.seed, number_of[pair.name]], shape=(settings.size, settings.size))

    return PairCohort("phantoms", tuple(pairs), load, {}, "MR", "CT")


def mr_ct_pair(
    seed: Sequence[int], height_mm: float | None = None, shape: Sequence[int] = CT_SHAPE
) -> tuple[Scan, Scan]:
    """MR slice as a 16-bit picture and CT slice in whole HU of one person; see `mr_ct_images`."""
    mr, ct = mr_ct_images(np.random.default_rng(list(seed)), height_mm, shape)
    # no millimetres in the affine: as files, both are pictures
    return (
        Scan(np.round(mr * _FULL_SCALE)[None], np.eye(4), modality="MR", units="16-bit"),
        Scan(np.round(ct)[None], np.eye(4), modality="CT", units="HU"),
    )


@dataclass(frozen=True, eq=False)
class SliceTissues:
    """Shares of every tissue in each pixel, float32, 0..1, adding up to 1, by name."""

    shares: dict[str, np.ndarray]

    def paint(self, values: dict[str, float | np.ndarray]) -> np.ndarray:
        """Image whose pixels mix `values` (a number or an image a tissue) by their shares, float32."""
        painted = np.zeros_like(self.shares["air"])
        for name, share in self.shares.items():
            painted += share * np.float32(values[name]) if np.isscalar(values[name]) else share * values[name]
        return painted


def mr_ct_images(
    random: np.random.Generator, height_mm: float | None = None, shape: Sequence[int] = CT_SHAPE
) -> tuple[np.ndarray, np.ndarray]:
    """One person's slice in both modalities.

    Parameters
    ----------
    random : numpy.random.Generator
        Same state, same person.
    height_mm : float, optional
        MNI z of the slice; by default drawn from `HEIGHTS_MM`.
    shape : sequence of int
        Rows and columns at 1 mm.

    Returns
    -------
    mr, ct : numpy.ndarray, float32, shape `shape`
        T1-weighted signal, 0..1, and HU within `HU_RANGE`; anterior on top.
    """
    height = random.uniform(*HEIGHTS_MM) if height_mm is None else height_mm
    anatomy = slice_anatomy(height, random, shape, ventricles=random.uniform(-0.15, 0.35))
    tissues = slice_tissues(anatomy, height, random)
    return paint_mr(tissues, anatomy.t1, random), paint_ct(tissues, random)


def slice_tissues(anatomy: SliceAnatomy, height_mm: float, random: np.random.Generator) -> SliceTissues:
    """Divide skull and scalp into their layers, hollow the skull out, put calcifications into the brain."""
    cortical, diploe = _skull_layers(anatomy.skull, random)
    cells = _air_cells(anatomy, height_mm, random)
    fat, muscle, skin = _scalp_layers(anatomy.scalp, random)
    shares = {
        "grey": anatomy.grey,
        "white": anatomy.white,
        "fluid": anatomy.fluid,
        "cortical": cortical,
        "diploe": diploe * (1 - cells),
        "fat": fat,
        "muscle": muscle,
        "skin": skin,
        "air": anatomy.air + diploe * cells,
    }
    cavity, wall = _frontal_sinus(anatomy, height_mm, random)
    shares = _fill(_fill(shares, "cortical", wall), "air", cavity)
    shares["calcification"] = np.zeros_like(anatomy.grey)
    return SliceTissues(_fill(shares, "calcification", _calcifications(anatomy, random)))


def paint_ct(tissues: SliceTissues, random: np.random.Generator) -> np.ndarray:
    """CT in HU: tissue by tissue, the scanner's blur (1.4 mm) and its noise, clipped to `HU_RANGE`; float32."""
    bone = {
        "cortical": random.uniform(950, 1250),
        "diploe": random.uniform(350, 600),
        "calcification": random.uniform(250, 700),
    }
    ideal = ndimage.gaussian_filter(tissues.paint({**_HU, **bone}), 0.6)
    noise = ndimage.gaussian_filter(random.standard_normal(ideal.shape, dtype=np.float32), 0.7)
    return np.clip(ideal + np.float32(10) * noise / noise.std(), *HU_RANGE).astype(np.float32)


def paint_mr(tissues: SliceTissues, t1: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """T1-weighted signal, 0..1: tissue by tissue with the template's texture, blur, bias field and Rician noise."""
    texture = np.clip(t1, 0.3, 1)
    brain = {
        "grey": random.uniform(0.5, 0.58) + 0.3 * (texture - 0.62),
        "white": random.uniform(0.76, 0.84) + 0.2 * (texture - 0.85),
    }
    marrow = {"diploe": random.uniform(0.3, 0.55)}
    ideal = ndimage.gaussian_filter(tissues.paint({**_SIGNAL, **brain, **marrow}), random.uniform(0.4, 0.8))
    seen = ideal * bias_field(ideal.shape, random.uniform(0.05, 0.15), random)
    return np.clip(rician_noise(seen, random.uniform(0.01, 0.025), random), 0, 1).astype(np.float32)


def _skull_layers(skull: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Cortical bone along both faces of the ring, and the diploë that is left between them."""
    table = random.uniform(1.3, 2.0) + 0.2 * smooth_image(skull.shape, 30.0, random)
    depth = ndimage.distance_transform_edt(skull > 0.5)
    inner = np.clip(depth - table, 0, 1).astype(np.float32)
    return skull * (1 - inner), skull * inner


def _scalp_layers(scalp: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Fat between muscle on the bone and skin on the air."""
    solid = scalp > 0.5
    outside = _outside(solid)
    from_air = ndimage.distance_transform_edt(~outside)
    from_bone = ndimage.distance_transform_edt(solid | outside)
    skin = np.clip(2.0 - from_air, 0, 1)
    thickness = random.uniform(0.5, 2.5) + 0.6 * smooth_image(scalp.shape, 40.0, random)
    muscle = (1 - skin) * np.clip(thickness - from_bone, 0, 1)
    return tuple((scalp * layer).astype(np.float32) for layer in (1 - skin - muscle, muscle, skin))


def _outside(ring: np.ndarray) -> np.ndarray:
    """What lies beyond a closed ring: not on it and not within."""
    return ~ndimage.binary_fill_holes(ring)


def _air_cells(anatomy: SliceAnatomy, height_mm: float, random: np.random.Generator) -> np.ndarray:
    """Mastoid cells: bubbles of a few millimetres in the bone behind the ears, the more the lower the slice."""
    x, y = anatomy.points_mm[0], anatomy.points_mm[1]
    where = np.exp(-(((np.abs(x) - 68) / 14) ** 2) - ((y + 50) / 16) ** 2)
    amount = np.clip((12 - height_mm) / 20, 0, 1) * random.uniform(0.5, 1)
    bubbles = smooth_image(x.shape, 5.0, random)
    return np.clip(3 * (bubbles + 3 * amount * where - 2.6), 0, 1).astype(np.float32)


def _frontal_sinus(
    anatomy: SliceAnatomy, height_mm: float, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Air in the forehead on both sides of the midline, and the bone about it; gone above z = 20 mm or so."""
    empty = np.zeros_like(anatomy.skull)
    top = random.uniform(8, 22)
    size = np.sqrt(np.clip((top - height_mm) / 20, 0, 1))
    x = anatomy.points_mm[0]
    front = np.argwhere((anatomy.skull > 0.5) & (np.abs(x) < 4))
    if size < 0.2 or not len(front):
        return empty, empty
    # 2 mm of bone and all of the skin stay in front: the sinus grows inwards to the brain's fluid, no further
    row = front[:, 0].min() + 2
    rows = np.arange(x.shape[0])[:, None]
    nearest = np.full_like(x, np.inf)
    for side in (-1, 1):
        across, along = size * random.uniform(9, 14), size * random.uniform(4, 7)
        lobe = np.hypot((x - side * random.uniform(9, 12)) / across, (rows - row - along) / along)
        nearest = np.minimum(nearest, (lobe - 1) * min(across, along))
    allowed = np.clip(1 - anatomy.grey - anatomy.white - anatomy.scalp - anatomy.air, 0, 1)
    cavity = np.clip(0.5 - nearest, 0, 1) * allowed
    wall = np.clip(2.0 - nearest, 0, 1) * allowed
    return cavity.astype(np.float32), wall.astype(np.float32)


def _calcifications(anatomy: SliceAnatomy, random: np.random.Generator) -> np.ndarray:
    """Pineal gland and choroid plexus, where this person has them calcified and the slice meets them."""
    spots = np.zeros_like(anatomy.grey)
    for centre, chance in _CALCIFYING:
        present, radius = random.random() < chance, random.uniform(1.5, 4.0)
        shift = random.normal(0, 2.0, 3)
        if present:
            offset = anatomy.points_mm - (np.asarray(centre) + shift)[:, None, None]
            distance = np.sqrt((offset**2).sum(axis=0))
            spots = np.maximum(spots, np.clip(radius - distance + 0.5, 0, 1))
    return (spots * np.clip(anatomy.grey + anatomy.white + anatomy.fluid, 0, 1)).astype(np.float32)


def _fill(shares: dict[str, np.ndarray], name: str, amount: np.ndarray) -> dict[str, np.ndarray]:
    """Let `name` take `amount` (0..1) of each pixel from what is there."""
    left = {tissue: share * (1 - amount) for tissue, share in shares.items()}
    left[name] = left[name] + amount
    return left
