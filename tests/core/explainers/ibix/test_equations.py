import numpy as np
import pytest
import torch

from core.errors import BadInput
from core.explainers.ibix.equations import (
    RegionSums,
    add_slopes,
    quick_jitters,
    region_sums,
    representative_order,
    shares,
    uniform_jitters,
)


def test_jitters_are_even_steps_on_both_sides_without_zero():
    jitters = uniform_jitters(100.0, 100)
    np.testing.assert_allclose(jitters.sizes, [*range(-100, 0, 2), *range(2, 101, 2)])
    assert len(jitters) == 100
    assert jitters.weights.sum() == pytest.approx(1)
    one_sided = uniform_jitters(1.0, 5, one_sided=True)
    np.testing.assert_allclose(one_sided.sizes, [0.2, 0.4, 0.6, 0.8, 1.0])


def test_quick_jitters_average_any_polynomial_as_all_sizes_do():
    for one_sided in (False, True):
        jitters = quick_jitters(2.0, one_sided)
        low = 0.0 if one_sided else -2.0
        for power in range(8):
            exact = (2.0 ** (power + 1) - low ** (power + 1)) / (power + 1) / (2.0 - low)
            assert (jitters.weights * jitters.sizes**power).sum() == pytest.approx(exact)
        assert (jitters.sizes != 0).all()


def test_odd_jitters_and_a_range_of_zero_are_refused():
    with pytest.raises(BadInput, match="take 98 or 100"):
        uniform_jitters(1.0, 99)
    for make in (lambda: uniform_jitters(0.0, 2), lambda: quick_jitters(0.0)):
        with pytest.raises(BadInput, match="is 0"):
            make()


@pytest.mark.parametrize("count", [2, 3, 16, 100])
def test_every_beginning_of_the_order_is_spread_over_all_jitters(count):
    order = representative_order(count)
    assert sorted(order) == list(range(count))
    if count == 100:
        for beginning in (8, 20, 50):
            assert abs(order[:beginning].mean() - 49.5) < 0.5
            assert np.diff(sorted(order[:beginning])).max() <= 3 * 100 / beginning


def test_slopes_are_exactly_zero_where_the_answer_did_not_change():
    unchanged = torch.rand(2, 5, 5) * 1e3
    answers = unchanged.repeat(7, 1, 1, 1)
    answers[:, :, 2, 2] += torch.linspace(1, 2, 7)[:, None]
    slopes = torch.zeros(2, 5, 5)
    add_slopes(slopes, answers, unchanged, torch.linspace(-3, 3, 7) + 0.1)
    changed = slopes != 0
    assert changed[:, 2, 2].all()
    assert changed.sum() == 2


def test_the_sum_of_slopes_is_the_same_to_the_last_bit_however_jitters_are_parted():
    answers, unchanged, coefficients = torch.randn(40, 2, 5, 5), torch.randn(2, 5, 5), torch.randn(40)
    found = []
    for size in (1, 3, 16, 40):
        total = torch.zeros(2, 5, 5)
        for start in range(0, 40, size):
            part = slice(start, start + size)
            add_slopes(total, answers[part].clone(), unchanged, coefficients[part])
        found.append(total)
    assert all(torch.equal(total, found[0]) for total in found)
    torch.testing.assert_close(found[0], torch.tensordot(coefficients, answers - unchanged, 1))


def test_sums_tell_inside_from_everywhere_and_sizes_from_signs():
    slopes = torch.tensor([[[1.0, -2.0], [4.0, -8.0]]])
    marked = torch.tensor([[True, True], [False, False]])
    assert region_sums(slopes, marked) == RegionSums(-1.0, 3.0, -5.0, 15.0)


def test_shares_floor_only_what_is_next_to_nothing():
    sums = [RegionSums(1, 2, 3, 4), RegionSums(-1e-5, 1e-5, 1e-5, 1e-5), RegionSums(0, 0, 900, 900), RegionSums()]
    np.testing.assert_allclose(shares(sums, "absolute", 0.1), [0.5, 1e-5 / 0.4, 0, 0])
    np.testing.assert_allclose(shares(sums, "signed", 0.1), [0.25, -1e-5 / 0.4, 0, 0])
    np.testing.assert_allclose(shares(sums, "literal", 0.1), [1 / 3, -1, 0, 0])
    np.testing.assert_allclose(shares(sums, "absolute", 0.0), [0.5, 1, 0, 0])
