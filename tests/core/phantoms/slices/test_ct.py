"""MR and CT of one synthetic head: the physics that MR → CT is about."""

import numpy as np
import pytest

from core.phantoms.slices.anatomy import slice_anatomy
from core.phantoms.slices.ct import (
    CT_SHAPE,
    HU_RANGE,
    SlicePairsCT,
    mr_ct_cohort,
    mr_ct_images,
    paint_ct,
    slice_tissues,
)


def tissues(seed: int, height: float) -> tuple:
    random = np.random.default_rng(seed)
    anatomy = slice_anatomy(height, random, CT_SHAPE)
    return anatomy, slice_tissues(anatomy, height, random)


def test_the_same_seed_is_the_same_person_and_another_is_not() -> None:
    one, again, other = (mr_ct_images(np.random.default_rng(seed), 20.0) for seed in (1, 1, 2))
    for image, same, different in zip(one, again, other, strict=True):
        np.testing.assert_array_equal(image, same)
        assert np.abs(image - different).mean() > 0.01


def test_values_stay_in_their_ranges() -> None:
    mr, ct = mr_ct_images(np.random.default_rng(0))
    assert mr.shape == ct.shape == CT_SHAPE
    assert mr.dtype == ct.dtype == np.float32
    assert (mr.min() >= 0, mr.max() <= 1) == (True, True)
    assert HU_RANGE[0] <= ct.min() and ct.max() <= HU_RANGE[1]


@pytest.mark.parametrize("height", [-10.0, 10.0, 45.0])
def test_shares_of_tissue_fill_every_pixel(height: float) -> None:
    _, made = tissues(3, height)
    total = sum(made.shares.values())
    np.testing.assert_allclose(total, 1, atol=1e-3)
    assert all(share.min() >= -1e-6 for share in made.shares.values())


def test_each_tissue_has_its_own_hu() -> None:
    _, made = tissues(4, 20.0)
    ct = paint_ct(made, np.random.default_rng(0))
    median = {name: float(np.median(ct[share > 0.95])) for name, share in made.shares.items() if (share > 0.95).any()}
    assert median["air"] == pytest.approx(-1000, abs=15)
    assert median["white"] == pytest.approx(28, abs=5)
    assert median["grey"] == pytest.approx(37, abs=5)
    assert median["fluid"] < 60
    assert median["cortical"] > 600 > median["diploe"] > 200


def test_the_skull_is_a_closed_ring_with_brighter_edges() -> None:
    """From the middle of the head outwards: bone is met, denser at both faces than between them."""
    anatomy, made = tissues(5, 40.0)
    ring = made.shares["cortical"] + made.shares["diploe"]
    row = int(np.argwhere(anatomy.head)[:, 0].mean())
    for line in (ring[row, 128:], ring[row, 128::-1]):
        bone = np.flatnonzero(line > 0.5)
        assert 2 <= len(bone) <= 15
        assert np.all(np.diff(bone) == 1)
    cortical = made.shares["cortical"] / np.maximum(ring, 1e-6)
    right = np.flatnonzero(ring[row, 128:] > 0.5) + 128
    middle = right[len(right) // 2]
    assert cortical[row, right[0]] > 0.8 < cortical[row, right[-1]]
    assert cortical[row, middle] < 0.3


def test_cortical_bone_and_air_are_both_black_in_mr_and_opposite_in_ct() -> None:
    mr, ct = mr_ct_images(np.random.default_rng(6), 30.0)
    air, bone, soft = ct < -900, ct > 800, np.abs(ct - 30) < 20
    assert bone.sum() > 200
    assert np.median(mr[air]) < 0.06
    assert np.median(mr[bone]) < 0.25 < np.median(mr[soft])


def test_low_slices_have_air_within_the_skull_and_high_ones_do_not() -> None:
    def enclosed_air(height: float) -> float:
        found = []
        for seed in range(4):
            anatomy, made = tissues(seed, height)
            found.append(float((made.shares["air"] - anatomy.air).sum()))
        return float(np.mean(found))

    assert enclosed_air(-8.0) > 60 > 30 > enclosed_air(45.0)


def test_some_people_have_a_calcified_pineal_gland() -> None:
    volumes = [float(tissues(seed, 6.0)[1].shares["calcification"].sum()) for seed in range(12)]
    assert 0 in [round(v) for v in volumes]
    assert max(volumes) > 10


def test_a_cohort_of_phantoms_has_other_people_in_each_split_and_says_its_units() -> None:
    cohort = mr_ct_cohort(SlicePairsCT(train=2, test=1, size=64))
    assert [pair.split for pair in cohort.pairs] == ["train", "train", "test"]
    assert len({pair.case for pair in cohort.pairs}) == 3
    mr, ct = cohort.load(cohort.pairs[2])
    assert (mr.units, ct.units, mr.shape, ct.shape) == ("16-bit", "HU", (64, 64), (64, 64))
    np.testing.assert_array_equal(ct.array, np.round(ct.array))
    np.testing.assert_array_equal(mr.array, cohort.load(cohort.pairs[2])[0].array)
    assert not np.array_equal(mr.array, cohort.load(cohort.pairs[0])[0].array)
