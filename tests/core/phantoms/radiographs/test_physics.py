"""From solids to a film: handling undone, Beer-Lambert's sums, grain, collimator and side marker."""

from dataclasses import replace

import numpy as np
import pytest

from core.phantoms.radiographs.body import Anatomy
from core.phantoms.radiographs.physics import Handling, SideMarker, body_points, develop, film_points, project
from core.phantoms.radiographs.shapes import Ellipse, Part

SIZE = 64
PLAIN = Handling(
    degrees=0.0,
    scale=1.0,
    shift=(0.0, 0.0),
    mirrored=False,
    stretch=1.0,
    photons=1e9,
    scatter=0.0,
    blur=0.003,
    gamma=1.0,
    window=(0.0, 100.0),
    level=0.0,
    shutters=(-0.1, -0.1, -0.1, -0.1),
    shutter_degrees=0.0,
    border=0.0,
)
FLESH = Part((Ellipse((0, 0), (400, 400), half=50),))
BALL = Part((Ellipse((0, 0), (20, 20)),), cortex=2.0, spongy=0.25)
BODY = Anatomy(field=200.0, flesh=(FLESH,), bones=(), middle=(5.0, -3.0))


def random() -> np.random.Generator:
    return np.random.default_rng(0)


def looked_at(**handling: object) -> np.ndarray:
    return body_points(film_points(SIZE), BODY, replace(PLAIN, **handling), random())


def bend() -> np.ndarray:
    """What the smooth deformation adds, mm: the same for every handling."""
    return looked_at() - 200 * film_points(SIZE)


@pytest.mark.parametrize(
    "handling, expected",
    [
        ({"shift": (0.1, -0.2)}, lambda x, y: (x - 20, y + 40)),
        ({"mirrored": True}, lambda x, y: (-x, y)),
        ({"scale": 2.0}, lambda x, y: (x / 2, y / 2)),
        ({"stretch": 1.25}, lambda x, y: (x, y / 1.25)),
        ({"degrees": 90.0}, lambda x, y: (y, -x)),
    ],
    ids=["moved right and up", "mirrored", "twice as large", "taller", "turned clockwise"],
)
def test_each_pixel_looks_where_handling_brought_the_body(handling: dict, expected: object) -> None:
    found = looked_at(**handling) - bend()
    np.testing.assert_allclose(found, expected(*(200 * film_points(SIZE))), atol=1e-3)


def test_the_middle_of_the_film_shows_the_middle_of_the_anatomy_bent_by_little() -> None:
    moved = bend() - np.array([5.0, -3.0])[:, None, None]
    assert 0.5 < moved.std() < 4
    assert np.abs(moved).max() < 0.06 * 200


def test_attenuation_adds_up_along_the_beam() -> None:
    points = 200 * film_points(SIZE)
    tissue, no_bone = project(BODY, points, random())
    assert not no_bone.any()
    middle = (slice(28, 36), slice(28, 36))
    assert tissue[middle].mean() == pytest.approx(0.020 * 100, rel=0.1)  # 100 mm, its fibres by chance
    with_bone, bone = project(replace(BODY, bones=(BALL,)), points, random())
    np.testing.assert_array_equal(bone, np.hypot(*points) < 20)
    np.testing.assert_array_equal(with_bone[~bone], tissue[~bone])
    # a shell of 2 mm twice, and of the 36 mm between them a quarter
    assert (with_bone - tissue)[middle].mean() == pytest.approx(0.038 * (4 + 0.25 * 36), rel=0.1)
    both, _ = project(replace(BODY, bones=(BALL, BALL)), points, random())
    np.testing.assert_allclose(both - tissue, 2 * (with_bone - tissue), atol=1e-5)
    aired, _ = project(replace(BODY, air=(replace(BALL, cortex=0.0),)), points, random())
    assert aired[middle].mean() == pytest.approx(0.020 * 60, rel=0.1)


def test_what_lets_less_through_is_brighter_and_fewer_photons_make_more_grain() -> None:
    attenuation = np.full((SIZE, SIZE), 1.5, np.float32)
    attenuation[:, SIZE // 2 :] = 3.0
    grain = {}
    for photons in (100.0, 10_000.0):
        film, opening, plate = develop(attenuation, replace(PLAIN, photons=photons), None, random())
        assert opening.all() and not plate.any()
        assert film[:, 40:].mean() > film[:, :24].mean() + 0.2
        grain[photons] = float(film[:, 44:].std(axis=0).mean())
    assert grain[100.0] > 3 * grain[10_000.0]


def test_beyond_the_collimator_is_its_grey_and_the_marker_stays_within() -> None:
    attenuation = np.full((SIZE, SIZE), 1.5, np.float32)
    handling = replace(PLAIN, shutters=(0.25, -0.1, -0.1, -0.1), border=0.3)
    marker = SideMarker("L", place=(-0.22, 0.0), height=0.2, degrees=0.0)
    film, opening, plate = develop(attenuation, handling, marker, random())
    np.testing.assert_array_equal(opening, np.broadcast_to(np.arange(SIZE) >= SIZE // 4, opening.shape))
    np.testing.assert_allclose(film[:, : SIZE // 4 - 2], 0.3, atol=1e-3)
    assert plate.any() and not (plate & ~opening).any()
    assert film[plate].max() > film[opening & ~plate].mean() + 0.3  # lead is brightest
