"""Measurements, in the scripts of the viewer themselves, against the same figures from NumPy."""

import numpy as np
import pytest

pytestmark = pytest.mark.browser

MEASURED = """
  const { Volume } = await load("space/volumes.js"), { samplesIn, sizeOf } = await load("marking/measures.js");
  const { shape, affine, values, plane, position, kind, points, radiological } = given;
  const facts = { shape, affine, dtype: "float32", scale: 1, offset: 0 };
  const volume = new Volume(facts, Float32Array.from(values).buffer);
  const measure = { kind, points, position, grid: volume.grid, plane: volume.grid.plane(plane, radiological) };
  const axes = [measure.plane.u, measure.plane.v, measure.plane.n];
  const area = kind === "ellipse" || kind === "rectangle";
  return { size: sizeOf(measure), samples: area ? samplesIn(measure, volume) : null, axes };
"""
TURN = np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
AFFINES = {
    "even": np.diag([1.0, 1.0, 1.0, 1.0]),
    "uneven": np.diag([0.5, 2.0, 3.0, 1.0]),
    "mirrored": np.diag([-0.7, 0.7, 5.0, 1.0]),
    "oblique": np.block([[TURN @ np.diag([0.5, 0.9, 4.0]), np.array([[5.0], [6.0], [7.0]])], [0, 0, 0, 1]]),
}
VALUES = np.random.default_rng(5).normal(1000, 3, size=(20, 24, 6)).astype(np.float32)


def measured(script, affine, kind, points, plane="axial", position=2, radiological=True, values=VALUES):
    told = {"shape": values.shape, "affine": affine.tolist(), "values": values.ravel(order="F").tolist()}
    told |= {"kind": kind, "points": points, "plane": plane, "position": position, "radiological": radiological}
    return script(MEASURED, told)


def place(affine, axes, point, position=2):
    index = np.zeros(3)
    index[axes] = [*point, position]
    return affine[:3, :3] @ index + affine[:3, 3]


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
@pytest.mark.parametrize("plane", ["axial", "coronal"])
@pytest.mark.parametrize("radiological", [True, False])
def test_a_distance_is_that_between_the_two_points_in_the_body(script, affine, plane, radiological):
    points = [[1.5, 2.0], [7.25, 4.5]]
    found = measured(script, affine, "distance", points, plane, radiological=radiological)
    a, b = (place(affine, found["axes"], point) for point in points)
    assert found["size"] == pytest.approx(np.linalg.norm(b - a))


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_an_angle_is_that_of_its_arms_in_the_body(script, affine):
    points = [[10.0, 2.0], [3.0, 3.0], [4.0, 12.0]]
    found = measured(script, affine, "angle", points)
    a, b, c = (place(affine, found["axes"], point) for point in points)
    cosine = (a - b) @ (c - b) / np.linalg.norm(a - b) / np.linalg.norm(c - b)
    assert found["size"] == pytest.approx(np.degrees(np.arccos(cosine)))


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
@pytest.mark.parametrize("kind", ["ellipse", "rectangle"])
@pytest.mark.parametrize("position", [0, 5])
def test_an_area_has_the_samples_whose_middle_lies_in_it(script, affine, kind, position):
    (u0, v0), (u1, v1) = points = [[12.4, 3.2], [4.6, 15.8]]
    found = measured(script, affine, kind, points, position=position)
    assert found["axes"] == [0, 1, 2]
    u, v = np.mgrid[:20, :24]
    across, down = (u - (u0 + u1) / 2) / abs(u1 - u0) * 2, (v - (v0 + v1) / 2) / abs(v1 - v0) * 2
    inside = across**2 + down**2 <= 1 if kind == "ellipse" else (abs(across) <= 1) & (abs(down) <= 1)
    samples = VALUES[..., position][inside].astype(float)
    expected = {"count": samples.size, "mean": samples.mean(), "deviation": samples.std(ddof=1)}
    expected |= {"least": samples.min(), "most": samples.max()}
    assert found["samples"] == pytest.approx(expected)
    sides = np.cross(affine[:3, 0] * (u1 - u0), affine[:3, 1] * (v1 - v0))
    assert found["size"] == pytest.approx(np.linalg.norm(sides) * (np.pi / 4 if kind == "ellipse" else 1))


def test_an_area_beyond_the_image_has_only_what_there_is(script):
    found = measured(script, AFFINES["even"], "rectangle", [[-5.0, -5.0], [1.2, 0.4]])
    assert found["samples"]["count"] == 2
    assert measured(script, AFFINES["even"], "rectangle", [[-5.0, -5.0], [-2.0, -2.0]])["samples"] is None


LISTED = """
  const { Measures } = await load("marking/measures.js"), measures = new Measures();
  for (const scan of ["a", "a", "b"]) measures.add({ scan });
  const numbers = () => measures.list.map(({ number }) => number), seen = [numbers()];
  measures.remove(2); seen.push(numbers());
  measures.clear("a"); seen.push(numbers());
  for (let i = 0; i < 5; i++) { measures.undo(); seen.push(numbers()); }
  return [...seen, measures.undo()];
"""


def test_every_change_of_the_list_can_be_taken_back(script):
    assert script(LISTED) == [[1, 2, 3], [1, 3], [3], [1, 3], [1, 2, 3], [1, 2], [1], [], False]
