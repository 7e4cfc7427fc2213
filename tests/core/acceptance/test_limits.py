"""Limits by which all signs together refuse one held-out scan in a hundred."""

import numpy as np
import pytest

from core.acceptance.limits import REFUSED, Usual

_COMMON = np.array([[1.0, 0.5, 0.0, 0.0], [0.0, 1.0, 0.0, 0.3], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])


def _spread(random, count):
    """Four signs of different spread and tails, two of which depend on another."""
    heavy = np.sign(random.normal(size=(count, 1))) * random.exponential(1, size=(count, 1))
    return np.concatenate([random.normal(size=(count, 3)), heavy], axis=1) @ _COMMON * (0.1, 0.5, 0.02, 0.3)


def _refused(usual, scans):
    return (usual.with_sum(scans) > usual.limits()).any(axis=1)


@pytest.mark.parametrize("count", [99, 400])
def test_all_signs_together_refuse_one_new_scan_in_a_hundred(count):
    random = np.random.default_rng(count)
    shares = [_refused(Usual(_spread(random, count)), _spread(random, 2000)).mean() for _ in range(12)]
    assert 0.5 * REFUSED < np.mean(shares) < 1.35 * REFUSED


def test_no_sign_refuses_nearly_all_of_them():
    random = np.random.default_rng(1)
    usual, fresh = Usual(_spread(random, 400)), _spread(random, 40_000)
    each = (usual.with_sum(fresh) > usual.limits()).mean(axis=0)
    assert each.max() < REFUSED
    assert (each > 0).sum() >= 4  # and each has its share, heavy tail or not


def test_every_sign_counts_alone():
    random = np.random.default_rng(2)
    usual = Usual(_spread(random, 400))
    middle, spread = usual.held_out.mean(axis=0), usual.held_out.std(axis=0)
    assert not _refused(usual, middle[None]).any()
    for sign in range(4):
        assert _refused(usual, (middle + np.eye(4)[sign] * 10 * spread)[None]).all()
        assert not _refused(usual, (middle - np.eye(4)[sign] * 10 * spread)[None]).any()  # near is never too near


def test_a_little_of_everything_is_refused_too():
    usual = Usual(np.random.default_rng(6).normal(size=(400, 8)))
    little = usual.held_out.mean(axis=0) + 2 * usual.held_out.std(axis=0)
    by_sign = usual.with_sum(little[None])[0] > usual.limits()
    assert by_sign.tolist() == [False] * 8 + [True]


@pytest.mark.parametrize("count", [20, 60])
def test_limits_told_from_few_hold_for_new_scans(count):
    random = np.random.default_rng(count)
    beyond = []
    for _ in range(60):
        limit = Usual(0.2 * random.normal(size=(count, 1))).limits()[0]
        beyond.append(np.mean(0.2 * random.normal(size=2000) > limit))
    assert np.mean(beyond) < 0.002
    assert np.median(beyond) < 0.001


def test_limits_of_few_lie_beyond_the_furthest_where_these_are_not_spread_normally():
    tailed = np.random.default_rng(0).standard_t(2, size=(98, 2))
    assert (Usual(tailed).limits()[:2] > tailed.max(axis=0)).all()


@pytest.mark.parametrize("count", [20, 400])
def test_held_out_scans_that_are_all_alike_have_limits(count):
    usual = Usual(np.zeros((count, 3)))
    assert np.isfinite(usual.limits()).all()
    assert not _refused(usual, np.zeros((1, 3))).any()
    assert _refused(usual, np.ones((1, 3))).all()
