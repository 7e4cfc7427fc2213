import numpy as np
import pytest

from core.metrics.together import agreement, overlap, strongest, thinned


def test_the_strongest_share_of_a_map_is_counted_over_all_samples():
    sizes = np.arange(100, dtype=np.float32).reshape(10, 10)
    marked = strongest(sizes, 0.05)
    assert sorted(sizes[marked]) == [95, 96, 97, 98, 99]
    assert strongest(sizes, 1.0).sum() == 99  # what the map says nothing of is not marked


def test_what_is_as_strong_as_the_weakest_of_them_is_marked_too():
    sizes = np.zeros((10, 10), np.float32)
    sizes[:3] = 0.7
    assert strongest(sizes, 0.05).sum() == 30


def test_a_map_that_is_zero_nearly_everywhere_marks_what_it_has_and_an_empty_one_nothing():
    sizes = np.zeros((10, 10), np.float32)
    sizes[2, 3] = 0.1
    assert np.argwhere(strongest(sizes, 0.2)).tolist() == [[2, 3]]
    assert not strongest(np.zeros((4, 4)), 0.5).any()


def test_agreement_is_the_share_of_maps_that_mark_a_sample():
    one, other, third = (np.array(row, bool) for row in ([1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, 0]))
    np.testing.assert_allclose(agreement([one, other, third]), [1, 1 / 3, 1 / 3, 0])
    assert agreement([one]).dtype == np.float32
    for wrong in ([], [one, other[:2]]):
        with pytest.raises(ValueError, match="one shape"):
            agreement(wrong)


def test_overlap_is_the_dice_coefficient():
    one, other = np.array([1, 1, 1, 0], bool), np.array([0, 1, 0, 0], bool)
    assert overlap(one, other) == pytest.approx(2 * 1 / 4)
    assert overlap(one, one) == 1
    assert overlap(one, ~one) == 0
    assert np.isnan(overlap(np.zeros(3, bool), np.zeros(3, bool)))


def test_thinning_leaves_enough_and_touches_nothing_small():
    values = np.arange(8 * 9 * 10.0).reshape(8, 9, 10)
    assert thinned(values) is not None and thinned(values).shape == values.shape
    few = thinned(values, 100)
    assert few.size <= 100
    np.testing.assert_array_equal(few, values[::2, ::2, ::2])
