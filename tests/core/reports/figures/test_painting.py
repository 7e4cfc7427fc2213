import numpy as np
import pytest

from core.reports.figures.painting import Layer, colour_scale, painted
from core.reports.figures.planes import Samples, plane_of
from core.scans.grid import Grid

GRID = Grid((1, 5), np.eye(4))


def layer(values, role="image", **more):
    return Layer(Samples(np.array([values], dtype=np.float64), GRID), role, **more)


def row(*layers):
    return painted(layers, plane_of(GRID))[0].astype(int)


def test_an_image_is_grey_in_its_window():
    assert row(layer([-50, 0, 50, 100, 200], low=0, high=100))[:, 0] == pytest.approx([0, 0, 127.5, 255, 255], abs=1)


def test_a_map_begins_above_its_threshold_fades_in_and_lets_the_image_through():
    grey = layer([50] * 5, low=0, high=100)
    over = layer([0, 0.2, 0.25, 0.3, 1], "map", threshold=0.2, fade=0.1, opacity=0.5)
    shown = row(grey, over)
    assert (shown[:2] == row(grey)[:2]).all()
    # the end of magma at half the cover
    assert shown[4] == pytest.approx((0.5 * 255 * np.array([0.987, 0.991, 0.750]) + 0.5 * 127.5), abs=1.5)
    full, half = np.abs(shown[3] - 127.5).sum(), np.abs(shown[2] - 127.5).sum()
    assert 0 < half < full


def test_signs_have_two_colours_and_a_threshold_of_magnitude():
    over = layer([-1, -0.1, 0, 0.1, 1], "map", low=-1, high=1, signed=True, colours="diverging", threshold=0.2)
    shown = row(layer([0] * 5), over)
    assert shown[0][2] > 150 > shown[0][0]  # blue
    assert shown[4][0] > 150 > shown[4][2]  # red
    assert (shown[1:4] == 0).all()
    scale = colour_scale(over)
    assert (scale[0, 0] == shown[0]).all()
    assert (scale[0, -1] == shown[4]).all()


def test_a_mask_tints_what_is_above_zero():
    shown = row(layer([0] * 5), layer([0, 1, 2, 0, -1], "mask", colour="#ff8000", opacity=1.0))
    assert shown.tolist() == [[0, 0, 0], [255, 128, 0], [255, 128, 0], [0, 0, 0], [0, 0, 0]]
