"""How far something lies from what was seen."""

import numpy as np
import pytest

from core.acceptance.distance import Neighbourhood, Orientation


def _cloud(count, seed, size=6):
    random = np.random.default_rng(seed)
    mixing = np.eye(size) + 0.2 * np.random.default_rng(1).normal(size=(size, size))
    return random.normal(size=(count, size)) @ mixing


def test_of_few_directions_it_is_the_mahalanobis_distance():
    vectors = _cloud(400, 0)
    tried = _cloud(20, 2) * 3
    found = Neighbourhood.of(vectors, np.zeros(400, int)).distances(tried)
    centred = tried - vectors.mean(axis=0)
    scale = vectors.std(axis=0)
    covariance = np.cov((vectors / scale).T)
    expected = np.sqrt(np.einsum("ni,ij,nj->n", centred / scale, np.linalg.inv(covariance), centred / scale) / 6)
    assert found == pytest.approx(expected, rel=2e-2)


def test_the_nearest_class_counts():
    near, far = _cloud(200, 3), _cloud(200, 4) + 100
    labels = np.repeat([0, 1], 200)
    both = Neighbourhood.of(np.concatenate([near, far]), labels)
    tried = np.array([np.zeros(6), np.full(6, 100.0), np.full(6, 50.0)])
    distances = both.distances(tried)
    assert distances[:2].max() < 1
    assert distances[2] > 5


def test_a_direction_that_never_varied_counts_when_it_is_left():
    vectors = np.concatenate([_cloud(100, 5, 3), np.zeros((100, 2))], axis=1)
    known = Neighbourhood.of(vectors, np.zeros(100, int))
    tried = np.zeros((2, 5))
    tried[1, 4] = 10 * vectors[:, :3].std()
    assert known.distances(tried)[0] < 1.5 < 10 < known.distances(tried)[1]


def test_it_tells_more_numbers_than_vectors():
    random = np.random.default_rng(0)
    known = Neighbourhood.of(random.normal(size=(40, 300)), np.zeros(40, int))
    assert np.isfinite(known.distances(random.normal(size=(5, 300)))).all()


def _brighter_above(count, seed, shape):
    """Ramps that are bright at the top, with noise, as rows."""
    ramp = np.linspace(1, 0, shape[0]).reshape(-1, *[1] * (len(shape) - 1)) * np.ones(shape)
    return (ramp + 0.1 * np.random.default_rng(seed).normal(size=(count, *shape))).reshape(count, -1)


@pytest.mark.parametrize("shape", [(6, 6), (4, 4, 4)])
def test_what_is_turned_would_lie_nearer_the_other_way_round(shape):
    upright = Neighbourhood.of(_brighter_above(200, 0, shape), np.zeros(200, int))
    hung, tried = Orientation(upright, shape), _brighter_above(20, 1, shape)
    assert hung.distances(tried).max() < 1.4  # mirrored left to right they are much the same
    arrays = tried.reshape(20, *shape)
    for turned in (arrays[:, ::-1], np.rot90(arrays, axes=(1, 2)), arrays.swapaxes(1, len(shape))):
        assert hung.distances(np.ascontiguousarray(turned).reshape(20, -1)).min() > 1.5


def test_what_looks_alike_from_all_sides_has_no_wrong_side():
    upright = Neighbourhood.of(np.random.default_rng(0).normal(size=(200, 36)), np.zeros(200, int))
    ratio = Orientation(upright, (6, 6)).distances(np.ones((1, 36)))
    assert ratio == pytest.approx([1])


@pytest.mark.parametrize(("shape", "count"), [((3, 3), 7), ((2, 2, 2), 47)])
def test_every_orientation_is_tried_once(shape, count):
    hung = Orientation(
        Neighbourhood.of(np.random.default_rng(0).normal(size=(40, np.prod(shape))), np.zeros(40)), shape
    )
    one = np.arange(float(np.prod(shape)))[None]
    found = {tuple(turned[0]) for turned in hung._turned(one)}
    assert len(found) == count
    assert tuple(one[0]) not in found
