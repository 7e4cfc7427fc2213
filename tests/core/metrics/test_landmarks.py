import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput
from core.metrics.landmarks import Overlap, overlaps
from tests.oracles.landmarks import share_and_area


def test_an_overlap_is_the_one_counted_by_hand():
    values = np.array([[1.0, -2.0], [0.0, 5.0]], np.float32)
    left = np.array([[True, False], [True, False]])
    corner = np.array([[False, False], [False, True]])
    assert overlaps(values, {"left": left, "corner": corner}) == (
        Overlap("left", 0.125, 0.5, 0.25, 2),
        Overlap("corner", 0.625, 0.25, 2.5, 1),
    )


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from([(7, 5), (3, 4, 5)]))
def test_overlaps_are_those_of_a_loop_over_all_samples(seed, shape):
    random = np.random.default_rng(seed)
    values, place = random.normal(size=shape).astype(np.float32), random.random(shape) < 0.3
    place.flat[0] = True
    (found,) = overlaps(values, {"place": place})
    share, area = share_and_area(values, place)
    assert (found.share, found.area) == (pytest.approx(share, rel=1e-9), area)
    assert found.ratio == pytest.approx(share / area)


def test_a_map_of_small_values_has_the_shares_of_a_large_one():
    values, place = np.array([[0.002, 0.001], [0.0, 0.001]]), np.array([[True, False], [False, False]])
    assert [overlaps(factor * values, {"place": place})[0].share for factor in (1, 1000)] == pytest.approx([0.5, 0.5])


def test_a_map_that_is_the_same_everywhere_has_the_share_of_the_area():
    place = np.zeros((8, 8), bool)
    place[2:5, 1:6] = True
    (found,) = overlaps(np.full((8, 8), -0.3, np.float32), {"place": place})
    assert found.share == pytest.approx(found.area)
    assert found.ratio == pytest.approx(1)


def test_an_empty_map_has_no_share_and_keeps_the_area():
    (found,) = overlaps(np.zeros((2, 2)), {"place": np.eye(2, dtype=bool)})
    assert math.isnan(found.share)
    assert math.isnan(found.ratio)
    assert (found.area, found.samples) == (0.5, 2)


def test_a_landmark_that_marks_nothing_or_lies_elsewhere_is_refused():
    with pytest.raises(BadInput, match="landmark bone is empty"):
        overlaps(np.ones((2, 2)), {"bone": np.zeros((2, 2), bool)})
    with pytest.raises(BadInput, match=r"landmark bone has shape \(3, 2\) and the map \(2, 2\)"):
        overlaps(np.ones((2, 2)), {"bone": np.ones((3, 2), bool)})


def test_no_landmarks_have_no_overlaps():
    assert overlaps(np.ones((2, 2)), {}) == ()
