import numpy as np
import pytest

from core.metrics.parcellation import MIDLINE, PAIRED, REACH_MM, parcellate, region_names
from core.scans.grid import Grid

MNI_3MM = np.array([[3.0, 0, 0, -90], [0, 3, 0, -126], [0, 0, 3, -72], [0, 0, 0, 1]])
GRID = Grid((61, 73, 61), MNI_3MM)


def naive_label(point):
    """Straight from the module's text: smallest power distance, no name beyond the reach."""
    numbers = {name: label for label, name in region_names().items()}
    best = None
    for structure, landmarks in PAIRED.items():
        for x, y, z, radius in landmarks:
            for side, sign in (("right", 1), ("left", -1)):
                distance = np.linalg.norm(point - np.array([sign * x, y, z]))
                best = min(best or (np.inf,), (distance**2 - radius**2, distance, radius, f"{side} {structure}"))
    for structure, landmarks in MIDLINE.items():
        for x, y, z, radius in landmarks:
            distance = np.linalg.norm(point - np.array([x, y, z]))
            best = min(best, (distance**2 - radius**2, distance, radius, structure))
    _, distance, radius, name = best
    return numbers[name] if distance <= radius + REACH_MM else 0


def test_the_fast_labels_equal_the_naive_ones():
    labels = parcellate(GRID)
    generator = np.random.default_rng(0)
    for index in generator.integers(0, GRID.shape, size=(200, 3)):
        point = MNI_3MM[:3, :3] @ index + MNI_3MM[:3, 3]
        if point[0] == 0:
            continue  # both sides are equally near
        assert labels[tuple(index)] == naive_label(point)


@pytest.mark.parametrize(
    ("point", "name"),
    [
        ((-26, -18, -16), "left hippocampus"),
        ((23, -4, -19), "right amygdala"),
        ((0, -26, -32), "brain stem"),
        ((30, -56, -30), "right cerebellum"),
        ((-10, -18, 8), "left thalamus"),
    ],
)
def test_known_places_have_their_names(point, name):
    index = tuple(np.round((np.array(point) - MNI_3MM[:3, 3]) / 3).astype(int))
    assert region_names()[int(parcellate(GRID)[index])] == name


def test_left_and_right_are_mirror_images():
    off_every_tie = MNI_3MM.copy()
    off_every_tie[:3, 3] += (0.37, 0.23, 0.11)  # no voxel is equally near to two landmarks
    names = region_names()
    number = {name: label for label, name in names.items()}
    other_side = [0]
    opposite = {"left": "right", "right": "left"}
    for label in sorted(names):
        side, _, rest = names[label].partition(" ")
        other_side.append(number.get(f"{opposite.get(side)} {rest}", label))
    labels = parcellate(Grid(GRID.shape, off_every_tie))
    mirrored = parcellate(Grid(GRID.shape, np.diag([-1.0, 1, 1, 1]) @ off_every_tie))
    assert np.array_equal(mirrored, np.array(other_side)[labels])


def test_a_name_ends_twelve_millimetres_beyond_its_landmarks_sphere():
    """The lowest landmark of the brain stem is at (0, −38, −50), 9 mm wide; nothing lies below it."""
    below = np.eye(4)
    below[:3, 3] = (0, -38, -50 - 30)
    names = [region_names().get(int(label), "") for label in parcellate(Grid((1, 1, 30), below)).ravel()]
    assert names == [""] * 9 + ["brain stem"] * 21


def test_air_outside_the_head_has_no_name():
    assert parcellate(GRID)[0, 0, 0] == 0
    assert parcellate(GRID)[60, 72, 60] == 0
