"""How far something lies from what was seen."""

import numpy as np
import pytest

from core.acceptance.distance import Neighbourhood


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
