import numpy as np
import pytest

from core.metrics.leakage import MassByDistance, distance_from, without_rounding


def leak(values, region, spacing_mm, distance_mm):
    return MassByDistance.of(values, region, spacing_mm).farther_than([distance_mm])[0]


def test_mass_farther_than_the_distance_has_leaked():
    values = np.zeros((9, 9))
    values[4, 4], values[4, 6], values[0, 4] = 5.0, -3.0, 2.0
    region = np.zeros((9, 9), dtype=bool)
    region[4, 4] = True
    assert leak(values, region, (1.0, 1.0), 0.0) == pytest.approx(0.5)
    assert leak(values, region, (1.0, 1.0), 2.0) == pytest.approx(0.2)
    assert leak(values, region, (1.0, 1.0), 4.0) == 0.0


def test_distances_are_millimetres_on_each_axis():
    region = np.zeros((3, 4, 5), dtype=bool)
    region[0, 0, 0] = True
    distance = distance_from(region, (1.0, 2.0, 3.0))
    assert distance[2, 0, 0] == 2.0
    assert distance[0, 2, 0] == 4.0
    assert distance[0, 3, 2] == pytest.approx(np.hypot(6, 6))


def test_the_curve_falls_and_equals_single_distances():
    random = np.random.default_rng(0)
    values, region = random.standard_normal((12, 14)), random.random((12, 14)) > 0.95
    distances = [0.0, 1.0, 2.5, 4.0, 100.0]
    curve = MassByDistance.of(values, region, (1.5, 0.5)).farther_than(distances)
    far = distance_from(region, (1.5, 0.5))
    expected = [np.abs(values)[far > d].sum() / np.abs(values).sum() for d in distances]
    np.testing.assert_allclose(curve, expected, atol=1e-12)
    assert (np.diff(curve) <= 0).all()


def test_the_distance_that_holds_a_share_holds_it_and_no_smaller_one_does():
    random = np.random.default_rng(1)
    values, region = random.random((10, 10)), np.zeros((10, 10), dtype=bool)
    region[2, 3] = True
    found = MassByDistance.of(values, region, (1.0, 1.0)).holding(0.5)
    assert leak(values, region, (1.0, 1.0), found) <= 0.5 < leak(values, region, (1.0, 1.0), found - 1e-9)


def test_a_map_that_lies_at_the_far_end_alone_is_held_there():
    values, region = np.array([[0.0, 0.0, 3.0]]), np.array([[True, False, False]])
    found = MassByDistance.of(values, region, (1.0, 1.0))
    assert found.holding(0.5) == 2.0
    assert found.holding(1 + 1e-12) == 2.0  # shares summed up may end just above 1
    np.testing.assert_array_equal(found.farther_than([1.0, 2.0]), [1.0, 0.0])


def test_a_map_of_small_values_is_measured_like_a_large_one():
    random = np.random.default_rng(2)
    values, region = random.random((4, 5)), np.eye(4, 5, dtype=bool)
    large, small = (MassByDistance.of(factor * values, region, (1.0, 1.0)) for factor in (1, 1e-6))
    assert small.holding(0.7) == large.holding(0.7)
    np.testing.assert_allclose(small.farther_than([0.0, 1.0]), large.farther_than([0.0, 1.0]))


def test_an_empty_map_leaks_nothing_that_could_be_measured():
    assert np.isnan(leak(np.zeros((3, 3)), np.eye(3, dtype=bool), (1, 1), 1.0))
    assert np.isnan(MassByDistance.of(np.zeros((3, 3)), np.eye(3, dtype=bool), (1, 1)).holding(1.0))


def test_a_region_that_is_empty_or_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="empty"):
        leak(np.ones((3, 3)), np.zeros((3, 3), dtype=bool), (1, 1), 1.0)
    with pytest.raises(ValueError, match="differ"):
        leak(np.ones((3, 3)), np.ones((3, 4), dtype=bool), (1, 1), 1.0)
    with pytest.raises(ValueError, match="differ"):
        leak(np.ones((3, 4)), np.ones((3, 3), dtype=bool), (1, 1), 1.0)


def test_rounding_beside_the_largest_value_is_no_mass():
    values = np.array([[-2.0, 1e-3], [-1e-6, 1e-7]])
    np.testing.assert_array_equal(without_rounding(values), [[2.0, 1e-3], [0.0, 0.0]])
    assert not without_rounding(np.zeros((2, 2))).any()
