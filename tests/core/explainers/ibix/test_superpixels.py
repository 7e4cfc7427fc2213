import numpy as np
import pytest

from core.explainers.ibix.superpixels import (
    Superpixels,
    body_of,
    counts_by_level,
    nearest_first,
    superpixels_of,
    touching,
)
from tests.core.explainers.regressors import scan

SHAPES = {2: (40, 48), 3: (16, 18, 14)}


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_superpixels_part_the_body_without_gaps_or_overlaps(dimensions, channels):
    image = scan(SHAPES[dimensions], channels).array
    body = body_of(image)
    found = superpixels_of(image, 60, 10.0, (1.0,) * dimensions, body)
    np.testing.assert_array_equal(found.labels > 0, body)
    assert set(np.unique(found.labels)) == set(range(len(found) + 1))
    assert 20 < len(found) <= 90
    for k, window in enumerate(found.windows):
        assert (found.labels[window] == k + 1).sum() == found.sizes[k] == (found.labels == k + 1).sum()


def test_three_channels_are_not_taken_for_colours():
    image = scan((30, 30), 3).array
    plain = superpixels_of(image, 40, 0.1, (1, 1))
    turned = superpixels_of(image[::-1], 40, 0.1, (1, 1))
    np.testing.assert_array_equal(plain.labels, turned.labels)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_body_is_what_stands_out_from_the_background_holes_included(dimensions):
    image = scan(SHAPES[dimensions]).array
    middle = tuple(slice(n // 2 - 1, n // 2 + 1) for n in SHAPES[dimensions])
    image[(0, *middle)] = 0
    true = scan(SHAPES[dimensions]).array[0] > 0
    found = body_of(image + 0.1)
    assert found[middle].all()
    assert (found & true).sum() / (found | true).sum() > 0.85
    np.testing.assert_array_equal(body_of(2000 * (image + 0.1) - 1200), found)  # as of a CT, in other units


def test_an_image_without_background_is_body_everywhere():
    assert body_of(np.ones((1, 8, 8), dtype=np.float32)).all()


def test_thick_slices_make_supervoxels_of_fewer_slices():
    image = np.random.default_rng(0).random((1, 24, 24, 24)).astype(np.float32) * 1e-3 + 0.5

    def slices(thickness: float) -> float:
        found = superpixels_of(image, 40, 100.0, (1.0, 1.0, thickness))
        return float(np.mean([window[2].stop - window[2].start for window in found.windows]))

    assert slices(4.0) < slices(1.0)


def test_of_more_superpixels_than_pixels_are_made_as_many_as_there_can_be():
    image = np.random.default_rng(0).uniform(0, 1, (1, 8, 8)).astype(np.float32)
    most = superpixels_of(image, 64, 0.1, (1, 1))
    np.testing.assert_array_equal(superpixels_of(image, 500, 0.1, (1, 1)).labels, most.labels)
    assert 1 < len(most) <= 64


def test_superpixels_of_a_part_lie_in_it_on_the_whole():
    image = np.random.default_rng(0).uniform(0, 1, (1, 6, 7)).astype(np.float32)
    part, box = superpixels_of(image, 9, 1.0, (1, 1)), (slice(2, 8), slice(3, 10))
    whole = part.within((9, 12), box)
    np.testing.assert_array_equal(whole.labels[box], part.labels)
    assert not whole.labels.sum() - part.labels.sum()
    for k, window in enumerate(whole.windows):
        assert (whole.labels[window] == k + 1).sum() == whole.sizes[k] == (whole.labels == k + 1).sum()
    np.testing.assert_allclose(whole.centres, part.centres + np.array([2, 3]))


def test_levels_grow_by_equal_factors_and_never_start_finer_than_they_end():
    assert counts_by_level(49, 500, 1) == [500]
    assert counts_by_level(49, 500, 2) == [49, 500]
    assert counts_by_level(50, 800, 3) == [50, 200, 800]
    assert counts_by_level(49, 20, 2) == [20, 20]


def test_painting_touching_and_nearest_follow_the_labels():
    image = scan((32, 32)).array
    found = superpixels_of(image, 20, 10.0, (1, 1))
    values = np.arange(1.0, len(found) + 1)
    np.testing.assert_array_equal(found.paint(values), found.labels)
    chosen = values == 3
    over = found.paint(values, np.full((32, 32), -1.0, dtype=np.float32), chosen)
    np.testing.assert_array_equal(over == 3, found.labels == 3)
    assert (over[found.labels != 3] == -1).all()
    area = np.zeros((32, 32), dtype=bool)
    area[5, 5] = True
    np.testing.assert_array_equal(np.flatnonzero(touching(found, area)), [found.labels[5, 5] - 1])
    inside = superpixels_of(image, 20, 10.0, (1, 1), body_of(image))
    over = inside.paint(np.ones(len(inside)), np.full((32, 32), -1.0, dtype=np.float32), np.ones(len(inside), bool))
    np.testing.assert_array_equal(over == 1, inside.labels > 0)
    assert (over[inside.labels == 0] == -1).all()
    finer = np.repeat(np.repeat(area, 4, axis=0), 4, axis=1)
    np.testing.assert_array_equal(nearest_first(found, finer, (1, 1)), nearest_first(found, area, (1, 1)))
    first = nearest_first(found, area, (1, 1))[0]
    assert np.linalg.norm(found.centres[first] - [5, 5]) == np.linalg.norm(found.centres - [5, 5], axis=1).min()


def test_the_centre_of_a_sample_of_a_coarser_region_lies_between_the_samples_below_it():
    centres = np.array([[0.5, 1.2], [0.5, 3.7]])  # the region's is at (0.5, 2.5)
    given = Superpixels(np.zeros((4, 4), dtype=np.int32), [], np.ones(2), centres)
    region = np.array([[False, True], [False, False]])
    assert nearest_first(given, region, (1, 1)).tolist() == [1, 0]
    assert nearest_first(given, region.T, (1, 1)).tolist() == [0, 1]
