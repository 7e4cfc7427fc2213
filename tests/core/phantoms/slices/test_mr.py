"""Synthetic T1/T2 pairs: what is bright where, and that no look-up of intensities solves them."""

import numpy as np
import pytest

from core.phantoms.slices.anatomy import slice_anatomy
from core.phantoms.slices.mr import SlicePairs, SliceSubject, draw_subject, t1_t2_cohort, t1_t2_pair

SUBJECT = SliceSubject(height_mm=16.0, ventricles=0.2, lesions=0)
SEED = [5, 1]


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    t1, t2 = t1_t2_pair(SUBJECT, SEED)
    return t1.array[0] / 65535, t2.array[0] / 65535


def test_slices_are_sixteen_bit_pictures_of_whole_numbers() -> None:
    for scan in t1_t2_pair(SUBJECT, SEED):
        assert scan.units == "16-bit"
        assert scan.shape == (232, 200)
        np.testing.assert_array_equal(scan.array, np.round(scan.array))
        assert 0 <= scan.array.min() < scan.array.max() <= 65535


def test_contrast_turns_round_from_t1_to_t2(pair: tuple[np.ndarray, np.ndarray]) -> None:
    anatomy = slice_anatomy(SUBJECT.height_mm, np.random.default_rng([*SEED, 1]), ventricles=SUBJECT.ventricles)
    t1, t2 = ({n: image[getattr(anatomy, n) > 0.9].mean() for n in ("grey", "white", "fluid")} for image in pair)
    assert t1["white"] > t1["grey"] > t1["fluid"]
    assert t2["fluid"] > t2["grey"] > t2["white"]
    air = anatomy.air > 0.99
    assert pair[0][air].mean() < 0.05 > pair[1][air].mean()


def test_one_t1_value_has_many_t2_values(pair: tuple[np.ndarray, np.ndarray]) -> None:
    dark = (pair[0] > 0.05) & (pair[0] < 0.2)
    low, high = np.percentile(pair[1][dark], (10, 90))
    assert high - low > 0.4


def test_lesions_change_both_slices_and_only_white_matter() -> None:
    plain = t1_t2_pair(SUBJECT, SEED)
    ill = t1_t2_pair(SliceSubject(16.0, 0.2, lesions=4), SEED)
    anatomy = slice_anatomy(16.0, np.random.default_rng([*SEED, 1]), ventricles=0.2)
    for before, after in zip(plain, ill, strict=True):
        changed = np.abs(after.array[0] - before.array[0]) > 0.1 * 65535
        assert 20 < changed.sum() < 3000
        assert not changed[(anatomy.skull > 0.9) | (anatomy.scalp > 0.9) | (anatomy.air > 0.9)].any()


def test_a_slice_without_white_matter_gets_no_lesion() -> None:
    shape = (32, 32)
    empty = SliceSubject(height_mm=200.0, ventricles=0.0, lesions=3)
    plain = SliceSubject(height_mm=200.0, ventricles=0.0, lesions=0)
    np.testing.assert_array_equal(t1_t2_pair(empty, SEED, shape)[0].array, t1_t2_pair(plain, SEED, shape)[0].array)


def test_the_cohort_has_its_splits_repeats_with_its_seed_and_every_subject_is_another() -> None:
    settings = SlicePairs(seed=2, train=3, validation=1, test=2, rows=64, columns=56)
    cohort = t1_t2_cohort(settings)
    assert [len(cohort.part(split)) for split in ("train", "validation", "test")] == [3, 1, 2]
    assert len({pair.case for pair in cohort.pairs}) == 6
    first, second = (cohort.load(pair)[0].array for pair in cohort.pairs[:2])
    assert first.shape == (1, 64, 56)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, t1_t2_cohort(settings).load(cohort.pairs[0])[0].array)
    assert draw_subject(settings, 0) != draw_subject(settings.model_copy(update={"seed": 3}), 0)
