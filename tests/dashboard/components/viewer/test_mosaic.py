"""The mosaic's choice of slices and tiles, in the scripts of the viewer themselves."""

import numpy as np
import pytest

pytestmark = pytest.mark.browser

OCCUPIED = """
  const { Volume } = await load("space/volumes.js"), { occupied } = await load("space/mosaic.js");
  const affine = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]];
  const facts = { shape: given.shape, affine, dtype: "float32", scale: 1, offset: 0 };
  const volume = new Volume(facts, Float32Array.from(given.values).buffer);
  return occupied(volume, given.axis, given.floor, given.rest, given.enough);
"""
ARRANGED = """
  const { arrangement } = await load("space/mosaic.js");
  return arrangement(given.count, given.available, 1, given.width, given.height);
"""


@pytest.mark.parametrize(("axis", "span"), [(0, [2, 4]), (1, [3, 8]), (2, [5, 10])])
def test_slices_without_anything_in_them_are_left_out(script, axis, span):
    values = np.full((8, 10, 12), -1000.0, np.float32)
    values[2:5, 3:9, 5:11] = 40.0
    told = {
        "shape": values.shape,
        "values": values.ravel(order="F").tolist(),
        "floor": 100,
        "rest": -1000,
        "enough": 0.01,
    }
    assert script(OCCUPIED, {**told, "axis": axis}) == span


def test_a_map_of_negative_values_is_something_and_of_none_everything_is_shown(script):
    values = np.zeros((4, 4, 9), np.float32)
    told = {"shape": values.shape, "axis": 2, "floor": 0.1, "rest": 0, "enough": 0}
    assert script(OCCUPIED, {**told, "values": values.ravel(order="F").tolist()}) == [0, 8]
    values[1, 2, 6] = -0.5
    assert script(OCCUPIED, {**told, "values": values.ravel(order="F").tolist()}) == [6, 6]


@pytest.mark.parametrize("count", [4, 6, 12, 30])
def test_as_many_tiles_as_were_chosen_fit_into_the_panel(script, count):
    found = script(ARRANGED, {"count": count, "available": 100, "width": 400, "height": 300})
    assert found["count"] == count
    assert found["columns"] * found["rows"] >= count
    assert found["columns"] * found["wide"] <= 400.001
    assert found["rows"] * found["wide"] <= 300.001


def test_there_are_never_more_tiles_than_slices(script):
    assert script(ARRANGED, {"count": 30, "available": 3, "width": 400, "height": 300})["count"] == 3
    assert script(ARRANGED, {"count": 0, "available": 3, "width": 400, "height": 300})["count"] <= 3
