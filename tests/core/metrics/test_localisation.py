import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.metrics.localisation import holding_half, rank_regions, share_inside

NAMES = {1: "one", 2: "two", 3: "three", 9: "not on this grid"}


@settings(max_examples=50)
@given(st.integers(0, 10_000))
def test_shares_of_regions_add_up_to_the_whole_map(seed):
    random = np.random.default_rng(seed)
    values, labels = random.random((6, 7)), random.integers(0, 4, (6, 7))
    rows = rank_regions(values, labels, NAMES)
    assert sum(row.share for row in rows) == pytest.approx(1)
    assert [row.share for row in rows] == sorted((row.share for row in rows), reverse=True)


def test_share_and_density_of_a_region_are_those_counted_by_hand():
    labels = np.array([[1, 1, 2], [0, 2, 2]])
    values = np.array([[1.0, 0.0, 0.5], [2.0, 0.5, 0.0]])
    rows = {row.name: row for row in rank_regions(values, labels, NAMES)}
    assert (rows["one"].share, rows["one"].density, rows["one"].voxels) == (0.25, 0.5, 2)
    assert (rows["two"].share, rows["two"].density, rows["two"].voxels) == (0.25, pytest.approx(1 / 3), 3)
    outside = rows["outside the atlas"]
    assert (outside.share, outside.density, outside.voxels) == (0.5, 2.0, 1)
    assert "not on this grid" not in rows


def test_only_mass_at_label_0_lies_outside_and_only_labels_above_0_are_regions():
    labels, names = np.array([[1, 0, 0]]), {-1: "below", 0: "background", 1: "one"}
    assert [row.name for row in rank_regions(np.array([[2.0, 0, 0]]), labels, names)] == ["one"]
    assert [row.name for row in rank_regions(np.array([[0, 0.5, 0]]), labels, names)] == ["outside the atlas", "one"]


def test_an_empty_map_has_no_share_anywhere():
    labels = np.ones((2, 2), dtype=int)
    assert rank_regions(np.zeros((2, 2)), labels, NAMES)[0].share == 0
    assert math.isnan(share_inside(np.zeros((2, 2)), labels > 0))


def test_share_inside_is_the_part_of_the_maps_mass_in_the_truth():
    assert share_inside(np.array([1.0, 2.0, 1.0]), np.array([True, False, True])) == 0.5


def test_map_and_labels_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match="differ in shape"):
        rank_regions(np.zeros((2, 3)), np.zeros((3, 2), dtype=int), NAMES)
    with pytest.raises(ValueError, match="differ in shape"):
        rank_regions(np.zeros((3, 2)), np.zeros((2, 3), dtype=int), NAMES)


def test_half_is_held_by_the_fewest_that_hold_it():
    assert holding_half(np.array([1.0, 5.0, 2.0, 2.0])) == 1
    assert holding_half(np.array([[1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])) == 2
    assert holding_half(np.zeros(3)) == 0
