"""Shapes of radiographs: thickness along the beam against geometry, outlines against brute force."""

import numpy as np
import pytest
from skimage.measure import points_in_poly

from core.phantoms.radiographs.shapes import (
    Box,
    Ellipse,
    Outline,
    Part,
    Tube,
    shell_and_core,
    thickness,
    toward,
    turned,
)


def _grid(reach: float = 20.0, size: int = 81) -> np.ndarray:
    axis = np.linspace(-reach, reach, size, dtype=np.float32)
    return np.stack(np.meshgrid(axis, axis))


def test_a_straight_tube_is_as_thick_as_the_chord_through_a_cylinder() -> None:
    points = _grid()
    depth, half = Tube([(0, -100), (0, 100)], 8.0).at(points)
    chord = 2 * np.sqrt(np.maximum(8.0**2 - points[0] ** 2, 0))
    np.testing.assert_allclose(thickness(depth, half), chord, atol=2e-3)


def test_a_tapered_tube_has_the_radius_of_each_joint() -> None:
    depth, _ = Tube([(-10, 0), (10, 0)], [2.0, 6.0]).at(np.array([[[-10.0, 0.0, 10.0]], [[0.0, 0.0, 0.0]]], np.float32))
    np.testing.assert_allclose(depth[0], [2, 4, 6], atol=1e-5)


def test_an_ellipsoid_is_as_thick_as_its_chord() -> None:
    points = _grid()
    depth, half = Ellipse((1, 2), (12, 7), half=5).at(points)
    left = 1 - ((points[0] - 1) / 12) ** 2 - ((points[1] - 2) / 7) ** 2
    np.testing.assert_allclose(thickness(depth, half), 10 * np.sqrt(np.maximum(left, 0)), atol=5e-3)


def test_shell_and_core_make_up_the_whole_and_the_shell_shows_at_the_rim() -> None:
    points = _grid()
    depth, half = Tube([(0, -100), (0, 100)], 10.0).at(points)
    shell, core = shell_and_core(depth, half, 3.0)
    np.testing.assert_allclose(shell + core, thickness(depth, half), rtol=1e-5)
    row = shell[40]
    middle, rim = row[40], row[np.argmin(np.abs(points[0, 40] - 7.5))]
    assert middle == pytest.approx(6.0, abs=1e-3)  # two walls
    assert rim > 1.8 * middle


def test_an_outline_is_as_deep_as_the_nearest_point_of_its_curve() -> None:
    shape = Outline([(-12, -10), (14, -12), (10, 12), (0, 3), (-9, 14)], half=5)
    points = _grid(size=41)
    depth, _ = shape.at(points)
    ends = np.roll(shape.corners, -1, axis=0)
    curve = np.concatenate([shape.corners + t * (ends - shape.corners) for t in np.linspace(0, 1, 200)])
    nearest = np.sqrt(((points[:, :, :, None] - curve.T[:, None, None]) ** 2).sum(axis=0)).min(axis=-1)
    np.testing.assert_allclose(np.abs(depth), nearest, atol=0.05)
    inside = points_in_poly(points.reshape(2, -1).T, shape.corners).reshape(41, 41)
    clear = nearest > 0.1
    np.testing.assert_array_equal((depth > 0)[clear], inside[clear])


def test_a_box_has_its_sides_where_it_says_and_turns_clockwise() -> None:
    places = np.array([[[9.0, 10.0, 11.0]], [[0.0, 4.0, 0.0]]], np.float32)
    x_side, corner, beyond = Box((0, 0), (10, 4), 2).at(places)[0][0].tolist()
    assert (x_side, beyond) == pytest.approx((1.0, -1.0))
    assert corner < 0
    right_down = np.array([[[6.0]], [[6.0]]], np.float32)
    assert Box((0, 0), (10, 3), 1, angle=45).at(right_down)[0].item() > 0
    assert Box((0, 0), (10, 3), 1, angle=-45).at(right_down)[0].item() < 0


def test_parts_that_meet_melt_and_their_bounds_hold_them() -> None:
    part = Part((Ellipse((-6, 0), (8, 8)), Ellipse((6, 0), (8, 8))), blend=2.0)
    points = _grid()
    depth, _ = part.at(points)
    single = np.maximum(*(shape.at(points)[0] for shape in part.shapes))
    assert (depth >= single - 1e-5).all()
    low, high = part.bounds()
    inside = points[:, depth > 0]
    assert (inside.min(axis=1) >= low).all() and (inside.max(axis=1) <= high).all()


def test_up_is_zero_degrees_and_turns_agree_with_directions() -> None:
    np.testing.assert_allclose(toward((1, 1), 0, 5), (1, -4), atol=1e-12)
    np.testing.assert_allclose(toward((1, 1), 90, 5), (6, 1), atol=1e-12)
    up = np.array([0.0, -1.0])
    np.testing.assert_allclose(turned(up, 30), toward((0, 0), 30, 1), atol=1e-6)
