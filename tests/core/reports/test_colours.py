"""Ranges and colours of maps are those of the screen."""

import numpy as np
import pytest

from core.reports.colours import colour_table, display_range, largest_size, sizes


@pytest.mark.parametrize(
    ("kind", "neutral", "expected"),
    [
        ("attribution", None, (-2, 5)),
        ("attribution", 0.0, (-5, 5)),
        ("attribution", 4.0, (-2, 10)),
        ("mask", None, (0, 1)),
        ("labels", None, (0, 5)),
    ],
)
def test_a_map_has_the_range_that_its_kind_has(kind, neutral, expected):
    assert display_range(np.array([[-2.0, 0], [3, 5]]), kind, neutral) == expected


@pytest.mark.parametrize("kind", ["image", "answer"])
def test_an_image_has_the_viewer_s_first_window(kind):
    values = np.arange(1001.0)
    assert display_range(values, kind) == pytest.approx((10, 995))
    assert display_range(np.full(5, 3.0), kind) == (3, 3)


def test_sizes_are_distances_from_what_means_nothing():
    np.testing.assert_array_equal(sizes(np.array([-1, 0, 3], np.float32), 1.0), [2, 1, 2])
    assert sizes(np.zeros(3), 1.0).dtype == np.float32
    assert largest_size(3, 4) == 3  # one sample may leave the scale
    assert largest_size(0, 4) == 0.4  # and all others must not lie in the dark


def test_each_kind_has_its_table():
    assert [colour_table(kind, signed=False) for kind in ("attribution", "mask", "labels", "image", "answer")] == [
        "magma",
        "magma",
        "magma",
        "gray",
        "gray",
    ]
    assert colour_table("attribution", signed=True) == "coolwarm"
