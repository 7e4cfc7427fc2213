"""What IBIX says of a map beside its values: title, caveat, how it was computed."""

import pytest

from core.explainers.ibix.explainer import Ibix


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "forward map |F|"),
        ({"direction": "backward"}, "backward map |B|"),
        ({"sums": "signed"}, "forward map F"),
        ({"mode": "gradient"}, "derivative"),
        ({"variant": "published_code", "direction": "backward"}, "backward, published code"),
    ],
)
def test_a_map_is_named_for_what_it_is(changes, name):
    plain = {"direction": "forward", "mode": "finite_difference", "variant": "paper", "sums": "absolute"}
    assert Ibix.brief({**plain, **changes}) == name


@pytest.mark.parametrize(
    ("numbers", "beside"), [({}, "not compared with it"), ({"gradient_correlation": 0.934}, "correlation with it 0.93")]
)
def test_a_derivative_is_told_first_to_be_another_quantity(numbers, beside):
    assert Ibix.caveat({"mode": "gradient"}, numbers) == f"derivative, not the paper's eq. 5 · {beside}"
    assert Ibix.caveat({"mode": "finite_difference"}, numbers) == ""


def test_how_a_map_was_computed_is_told_as_far_as_it_is_known():
    parameters = {"direction": "backward", "mode": "finite_difference"}
    numbers = {
        "superpixels": 48.0,
        "superpixels_asked": 49.0,
        "superpixels_evaluated": 30.0,
        "superpixels_skipped": 18.0,
        "evaluations": 1200.0,
        "windows_used": 1.0,
        "reach": 3.0,
    }
    assert Ibix.told(parameters, numbers) == (
        ("mapping", "backward, finite difference"),
        ("superpixels", "48 of 49 asked for"),
        ("evaluated", "30; 18 cannot reach it"),
        ("changed inputs asked", "1,200"),
        ("engine", "windows of each layer (exact)"),
    )
    assert Ibix.told(parameters, {}) == (("mapping", "backward, finite difference"),)


def test_slopes_are_effects_by_class():
    assert Ibix.effects({"slope AD": 0.5, "slope CN": -0.1, "evaluations": 3.0}) == {"AD": 0.5, "CN": -0.1}
