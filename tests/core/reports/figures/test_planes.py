"""Right and left, face and head stand where radiologists expect them, however the samples lie in the file."""

import itertools

import numpy as np
import pytest

from core.reports.figures.planes import Samples, plane_of
from core.scans.grid import Grid

SHAPE = (6, 7, 8)
#: Index of a sample that lies to the right, in front and above.
POINT = np.array([20.0, 30.0, 40.0])


def turned(order, signs):
    """A grid of 10 mm whose axis `order[world]` runs along a world axis, rising (1) or falling (-1)."""
    affine = np.zeros((4, 4))
    affine[3, 3] = 1
    for world, (axis, sign) in enumerate(zip(order, signs, strict=True)):
        affine[world, axis] = 10.0 * sign
        affine[world, 3] = -10.0 * sign * (SHAPE[axis] - 1) / 2
    return Grid(SHAPE, affine)


@pytest.mark.parametrize("order", itertools.permutations(range(3)))
@pytest.mark.parametrize("signs", itertools.product((1, -1), repeat=3))
@pytest.mark.parametrize(
    ("name", "letters", "axes"),
    [("axial", "RLAP", (0, 1)), ("coronal", "RLSI", (0, 2)), ("sagittal", "APSI", (1, 2))],
)
def test_letters_and_samples_agree_for_every_order_and_mirror(order, signs, name, letters, axes):
    grid = turned(order, signs)
    index = np.rint(np.linalg.inv(grid.affine) @ [*np.minimum(POINT, 20), 1]).astype(int)[:3]
    values = np.zeros(SHAPE)
    values[tuple(index)] = 1
    plane = plane_of(grid, name, int(index[plane_of(grid, name).through]))
    assert "".join(plane.letters) == letters
    cut = plane.cut(Samples(values, grid))
    ((row, column),) = np.argwhere(cut == 1)
    there = grid.affine @ [*index, 1]
    # letter on the side on which the sample lies: right and front and head are positive in RAS+
    from_middle = {"R": there[0], "L": -there[0], "A": there[1], "P": -there[1], "S": there[2], "I": -there[2]}
    assert (column < (cut.shape[1] - 1) / 2) == (from_middle[letters[0]] > 0)
    assert (row < (cut.shape[0] - 1) / 2) == (from_middle[letters[2]] > 0)
    assert plane.size == tuple(10.0 * SHAPE[order[axis]] for axis in axes)


def test_an_image_is_as_stored_and_has_letters_only_where_its_place_is_known():
    values = np.arange(12.0).reshape(3, 4)
    unknown = plane_of(Grid((3, 4), np.diag([0.5, 0.5, 1, 1])))
    assert unknown.letters == ("", "", "", "")
    assert (unknown.cut(Samples(values, unknown.grid)) == values).all()
    # a frontal film: columns run to the patient's left, rows down
    film = Grid((3, 4), np.array([[0, -0.2, 0, 10], [0, 0, 1, 0], [-0.2, 0, 0, 5], [0, 0, 0, 1.0]]))
    assert plane_of(film).letters == ("R", "L", "S", "I")
    mirrored = Grid((3, 4), film.affine @ np.diag([1, -1, 1, 1]))
    assert plane_of(mirrored).letters == ("L", "R", "S", "I")
    assert plane_of(film).size == pytest.approx((0.8, 0.6))


def test_layers_of_another_grid_are_cut_where_they_lie():
    fine = Grid((8, 8, 8), np.diag([1.0, 1, 1, 1]))
    coarse = Grid((2, 2, 2), np.array([[2.0, 0, 0, 2.5], [0, 2, 0, 2.5], [0, 0, 2, 2.5], [0, 0, 0, 1]]))
    cut = plane_of(fine, "axial", 3).cut(Samples(np.full((2, 2, 2), 7), coarse, scale=2, offset=1))
    assert np.isfinite(cut).sum() == 16
    assert set(cut[np.isfinite(cut)]) == {15.0}
    assert np.isfinite(cut[2:6, 2:6]).all()
