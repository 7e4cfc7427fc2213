import numpy as np
import pytest
import torch

from core.explainers.mask.loop import Step
from core.explainers.mask.parameters import MaskParameters
from core.explainers.mask.stopping import Candidates, EarlyStop, Settling
from tests.oracles import mask_equations as oracle


def step(loss: float, probability: float, price: float) -> Step:
    return Step(0, loss, 0.0, price, 0.0, probability, 0.0)


def test_cheapest_mask_that_meets_the_goal_is_kept_first():
    kept = Candidates(MaskParameters())
    for number, (p, price) in enumerate([(0.9, 0.0), (0.03, 5.0), (0.01, 2.0), (0.02, 3.0), (0.2, 0.1)]):
        kept.offer(step(0.0, p, price), torch.tensor(float(number)))
    assert [float(mask) for mask in kept.masks()] == [2, 3, 1, 4, 0]


def test_lowest_loss_from_all_ones_returns_the_untouched_first_step():
    """The published rule, kept as an option: the reason it is not the default."""
    kept = Candidates(MaskParameters(selection="lowest_loss"))
    for loss, mask in [(1.0, 0.0), (1.4, 1.0), (1.01, 2.0)]:
        kept.offer(step(loss, loss, 0.0), torch.tensor(mask))
    assert float(kept.masks()[0]) == 0


def test_kept_masks_do_not_change_when_the_loop_goes_on():
    kept, hidden = Candidates(MaskParameters()), torch.ones(3)
    kept.offer(step(0.0, 0.5, 1.0), hidden)
    hidden.zero_()
    assert torch.equal(kept.masks()[0], torch.ones(3))


def test_a_kept_mask_says_whose_it_was():
    kept = Candidates(MaskParameters())
    for iteration, price in enumerate([5.0, 1.0, 3.0]):
        kept.offer(Step(iteration, 0.0, 0.0, price, 0.0, 0.01, 0.0), torch.tensor(price))
    assert [(one.iteration, float(one.hidden)) for one in kept.kept()] == [(1, 1.0), (2, 3.0), (0, 5.0)]


@pytest.mark.parametrize("seed", range(5))
def test_early_stopping_is_the_papers_rule(seed):
    losses = (np.random.default_rng(seed).random(200) * 0.2 + 1).tolist()
    stop = EarlyStop(3, 0.05)
    found = next((i for i, loss in enumerate(losses) if stop(loss)), None)
    assert found == oracle.early_stop(losses, 3, 0.05)
    assert found is not None


def test_a_loss_that_stands_still_to_the_last_digit_stops_the_loop():
    stop = EarlyStop(4, 0.01)
    assert [stop(1.0) for _ in range(6)] == [False, False, False, False, True, True]


def test_without_tolerance_a_loss_that_keeps_falling_never_stops_the_loop():
    stop = EarlyStop(3, 0.0)
    assert not any(stop(10.0 - step) for step in range(9))


def prices(goal_from: int, falling: float, floor: float):
    """Steps whose price falls by a share each, down to a floor, and that meet the goal from one of them on."""
    for number in range(400):
        yield step(0.0, 0.01 if number >= goal_from else 0.9, max(floor, (1 - falling) ** number))


@pytest.mark.parametrize(("falling", "floor", "stops"), [(0.01, 0.3, 150), (0.02, 0.5, 64), (0.0, 1.0, 60)])
def test_a_mask_has_settled_once_its_price_stands_still(falling, floor, stops):
    settling = Settling(goal=0.04, within=0.0)
    never = [settling(one) for one in prices(5, falling, floor)]
    assert not any(never)
    settling = Settling(goal=0.04, within=0.02)
    found = next(i for i, one in enumerate(prices(5, falling, floor)) if settling(one))
    assert found == pytest.approx(stops, abs=2)
    assert settling.improved <= 0.02


def test_a_price_that_keeps_falling_never_settles_and_says_by_how_much_it_fell():
    settling = Settling(goal=0.04, within=0.02)
    assert not any(settling(one) for one in prices(0, 0.01, 0.0))
    assert settling.improved == pytest.approx(1 - 0.99**30)


def test_a_dearer_mask_or_one_that_misses_the_goal_is_no_improvement_and_a_first_that_meets_it_is():
    settling = Settling(goal=0.04, within=0.02)
    for number in range(80):
        settling(step(0.0, 0.9 if number % 2 else 0.02, 5.0 if number > 3 else 1.0))
    assert settling.improved == 0
    late = Settling(goal=0.04, within=0.02)
    assert not any(late(step(0.0, 0.9 - number / 100, 1.0)) for number in range(60))
    late(step(0.0, 0.02, 1.0))
    assert late.improved == 1


def test_while_no_mask_meets_the_goal_a_probability_that_stands_still_ends_the_iterations():
    settling = Settling(goal=0.04, within=0.02)
    found = next(i for i in range(400) if settling(step(0.0, 0.999, float(i))))
    assert found == 60
