import pytest

from core.explainers.base import Check
from core.explainers.mask.parameters import PAPER, MaskParameters
from core.explainers.mask.telling import VEIL_REMEDY, goal_remedy, not_applicable, remedy_of


@pytest.mark.parametrize(
    ("values", "said", "unsaid"),
    [
        ({"mu": "healthy_mean"}, ["another μ fill (a constant, or blur)", "a smaller λ₁"], ["preset", "iterations"]),
        ({"mu": "blur"}, ["(a constant, or the mean healthy scan"], ["or blur"]),
        ({**PAPER, "iterations": 20}, ["the preset robust", "(blur, or the mean", "more iterations"], ["a constant"]),
    ],
)
def test_what_to_try_after_a_missed_goal_is_nothing_that_was_tried(values, said, unsaid):
    remedy = goal_remedy(MaskParameters(**values).model_dump())
    for words in said:
        assert words in remedy
    for words in unsaid:
        assert words not in remedy


def test_a_passed_check_of_what_is_no_place_does_not_apply_and_a_failed_one_still_fails():
    passed = not_applicable(Check("swap", "Swap test", 0.1, "It fell.", passed=True), "the mask is a veil")
    assert (passed.passed, passed.applies, passed.sentence) == (None, False, "Not applicable: the mask is a veil.")
    failed = Check("swap", "Swap test", 0.9, "It did not fall.", passed=False)
    assert not_applicable(failed, "the mask is a veil") == failed


@pytest.mark.parametrize(
    ("name", "value", "passed", "remedy"),
    [
        ("goal", 0.6, False, "preset robust"),
        ("empty", 0.0, False, "preset robust"),
        ("empty", 700.0, False, VEIL_REMEDY),
        ("goal", 0.03, True, ""),
        ("swap", 0.9, False, ""),
    ],
)
def test_checks_of_older_records_know_what_to_try(name, value, passed, remedy):
    found = remedy_of({"name": name, "value": value, "passed": passed}, PAPER, before=None)
    assert remedy in found
    assert bool(found) == bool(remedy)
