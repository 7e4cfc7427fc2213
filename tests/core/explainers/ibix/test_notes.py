import numpy as np
import pytest
import torch
from torch import nn

from core.errors import BadInput
from core.explainers import explain
from core.explainers.ibix.explainer import Ibix
from core.wording import percent
from tests.core.explainers import regressors
from tests.core.explainers.regressors import (
    BOXES,
    SHAPES,
    H,
    Matrix,
    Opaque,
    region,
    scan,
    smooth,
    trace,
)


class Shrinking(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :, : 16 if float(x.max()) < 0.7 else 12]


class Fragile(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sqrt(x)


@pytest.mark.parametrize(
    ("network", "values", "words"),
    [
        (smooth(2), {"jitters": 7}, "odd"),
        (smooth(2), {"jitter_percent": 0.0}, "is 0"),
        (smooth(2), {"perturbation": "multiply", "jitter_range": 3.0}, "jitter_percent"),
        (smooth(2), {"output_channel": 1}, "output_channel=1"),
        (smooth(2), {"input_channel": 1}, "input_channel=1"),
        (Opaque(Shrinking()), {}, "changes its shape"),
        (Opaque(Fragile()), {"jitter_percent": 90.0}, "no finite answer to the changed scan"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(network, values, words):
    with pytest.raises(BadInput, match=words) as refused:
        trace(network, **values)
    assert str(refused.value).endswith(".")


def test_a_missing_or_misplaced_region_is_refused_and_one_outside_the_body_is_warned_of():
    made, shape = regressors.model(smooth(2)), SHAPES[2]
    parameters = Ibix.parameters_for(made, Ibix.parameters(values={"jitters": 4}))
    for marked, words in (
        (None, "Nothing is marked"),
        (np.zeros(shape, bool), "empty"),
        (np.ones((3, 3), bool), "shape"),
    ):
        with pytest.raises(BadInput, match=words):
            Ibix().run(regressors.question(made, scan(shape), marked), parameters)
    corner = regressors.question(made, scan(shape), region(shape, slice(0, 1), slice(0, 1)))
    assert any("outside the body" in warning for warning in Ibix().run(corner, parameters).warnings)


def test_jitters_that_leave_the_range_are_warned_of_unless_clipped():
    loose = trace(smooth(2), jitters=4, jitter_percent=90.0)
    assert any("beyond the range" in warning for warning in loose.warnings)
    assert not trace(smooth(2), jitters=4, jitter_percent=90.0, clip=True).warnings


def test_a_change_that_reaches_everything_is_said_to_be_slow():
    warnings = trace(Matrix(SHAPES[2]), jitters=4).warnings
    assert any("whole" in warning for warning in warnings)


def _zero(module: nn.Module) -> None:
    nn.init.zeros_(module.weight)


def test_a_hidden_effect_is_told_as_nothing_changed():
    found = explain(
        scan((16, 20)), regressors.model(nn.Conv2d(1, 1, 1).apply(_zero)), "ibix", region=region((16, 20), *BOXES[2])
    )
    assert found.sentence == "Changing the marked pixels changes nothing in the model's answer."


@pytest.mark.parametrize(("size", "shown"), [(1.0, False), (0.3, False), (0.0, True)])
def test_what_is_no_larger_than_rounding_is_no_finding(size, shown):
    """An instance norm takes a shift of the whole image away: nothing is left but last digits, shared out as a map."""
    norm = nn.InstanceNorm2d(1, affine=True)
    nn.init.constant_(norm.bias, size)
    layers = [norm, nn.Conv2d(1, 1, 3, padding=1), nn.Tanh(), nn.Conv2d(1, 1, 3, padding=1)]
    torch.manual_seed(0)
    network = nn.Sequential(*layers[1:]) if shown else nn.Sequential(*layers)
    everywhere = np.ones((16, 20), dtype=bool)
    found = explain(scan((16, 20)), regressors.model(network), "ibix", region=everywhere)
    assert found.arrays["map"].values.any() == shown
    assert (found.sentence == "Changing the marked pixels changes nothing in the model's answer.") != shown
    assert any("no larger than rounding" in warning for warning in found.warnings) != shown


def test_a_jitter_range_lost_in_rounding_is_warned_of():
    assert any("rounding" in warning for warning in trace(smooth(2), jitters=4, jitter_percent=0.001).warnings)
    assert not any("rounding" in warning for warning in trace(smooth(2), jitters=4, jitter_percent=0.1).warnings)


def test_the_numbers_of_a_trace_say_what_was_asked_and_what_of_it_leaves_the_range():
    found = trace(smooth(2), jitters=6)
    inside = scan(SHAPES[2]).array[0][region(SHAPES[2], *BOXES[2])]
    leaving = ((inside - H < 0) | (inside + H > 1)).mean()
    assert 0 < leaving < 1
    assert found.numbers["share_leaving_range"] == pytest.approx(leaving)
    assert f"{percent(leaving)} of the changed values beyond the range the model was made for, 0…1" in found.warnings[0]
    # two convolutions around a pooling of 2: a change of 3 × 3 pixels reaches 12 × 12 of 16 × 20
    wanted = {"evaluations": 6, "jitters": 6, "jitter_largest": H, "windows_used": 1, "region_outside_body": 0}
    wanted["footprint_share"] = 12 * 12 / (16 * 20)
    assert {name: found.numbers[name] for name in wanted} == pytest.approx(wanted)
    quiet = trace(smooth(2), jitters=4, jitter_percent=5.0)
    assert quiet.warnings == ()
    assert "share_leaving_range" not in quiet.numbers


def test_the_numbers_of_a_backward_trace_count_what_was_asked():
    found = trace(smooth(2), jitters=6, direction="backward", superpixels=30, levels=1).numbers
    assert found["superpixels_asked"] == 30
    assert found["superpixels_skipped"] > 0
    assert found["superpixels"] == found["superpixels_evaluated"] + found["superpixels_skipped"]
    assert found["evaluations"] == 6 * found["superpixels_evaluated"]
    assert found["levels"] == 1
    assert 0 < found["footprint_share"] < 1


def test_a_model_asked_for_whole_images_because_that_was_chosen_is_no_warning():
    asked, found = (trace(Opaque(smooth(2)), jitters=4, clip=True, engine=e).warnings for e in ("batches", "auto"))
    assert asked == ()
    assert "asked for whole images, which is slower" in found[0]


def test_values_that_leave_the_range_at_its_lower_end_count_too():
    made, shape = regressors.model(smooth(2), low=0.2, high=5.0), SHAPES[2]
    asked = regressors.question(made, scan(shape), region(shape, *BOXES[2]))
    parameters = Ibix.parameters_for(made, Ibix.parameters(values={"jitters": 4, "jitter_range": 0.3}))
    inside = scan(shape).array[0][region(shape, *BOXES[2])]
    leaving = (inside < 0.5).mean()
    assert 0 < leaving < 1
    assert Ibix().run(asked, parameters).numbers["share_leaving_range"] == pytest.approx(leaving)
