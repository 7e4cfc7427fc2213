import re

import numpy as np
import pytest
import torch
from torch import nn

from core.errors import BadInput
from core.explainers import explain
from core.progress import Progress
from core.scans.scan import Scan
from tests.core.explainers import regressors
from tests.core.explainers.regressors import (
    BOXES,
    SHAPES,
    input_of,
    region,
    scan,
    smooth,
    trace,
)
from tests.core.explainers.toys import Toy
from tests.oracles import ibix as oracle


def test_the_derivative_is_equation_7_and_says_that_it_is_another_quantity():
    network = smooth(2, seed=4)
    found = trace(network, mode="gradient", direction="backward", sums="signed", coarse_superpixels=20)
    marked, f, x = region(SHAPES[2], *BOXES[2]), oracle.function(network), input_of(2)
    for at in ((7, 9), (5, 10), (9, 8)):
        assert found.arrays["map"].values[at] == pytest.approx(oracle.derivative_sum(f, x, marked, (0, *at)), abs=1e-4)
    assert "derivative" in found.arrays["map"].title
    assert any("another quantity" in warning for warning in found.warnings)
    assert found.checks[0].value == found.numbers["gradient_correlation"] > 0.8


@pytest.mark.parametrize("channel", [-1, 0, 1])
def test_the_derivative_is_of_the_channel_asked_for_or_of_all(channel):
    network = smooth(2, channels_out=2, seed=4)
    found = trace(
        network,
        channels_out=2,
        mode="gradient",
        direction="backward",
        sums="signed",
        output_channel=channel,
        compare=False,
    )
    x = torch.from_numpy(scan(SHAPES[2]).array)[None].requires_grad_()
    answer = network(x)[0][:, torch.from_numpy(region(SHAPES[2], *BOXES[2]))]
    (expected,) = torch.autograd.grad((answer if channel < 0 else answer[channel]).sum(), x)
    np.testing.assert_allclose(found.arrays["map"].values, expected[0, 0].numpy(), atol=1e-5)


def test_the_forward_derivative_is_equation_4_and_its_likeness_to_real_changes_is_measured():
    network = smooth(2, seed=4)
    found = trace(network, mode="gradient", sums="signed")
    mask = region(SHAPES[2], *BOXES[2]).astype(np.float64)
    expected = oracle.single_perturbation(oracle.function(network), input_of(2), mask, 1e-6)[0]
    np.testing.assert_allclose(found.arrays["map"].values, expected, atol=1e-4)
    close = trace(network, mode="gradient", sums="signed", jitter_percent=1.0)
    assert close.numbers["gradient_correlation"] > 0.999
    assert found.numbers["gradient_correlation"] < close.numbers["gradient_correlation"]
    alone = trace(network, mode="gradient", compare=False)
    assert not alone.checks
    assert any("not compared" in warning for warning in alone.warnings)


def test_while_a_derivative_is_compared_the_derivative_is_what_is_shown():
    seen: list[Progress] = []
    made, shape = regressors.model(smooth(2)), (48, 48)
    marked = region(shape, slice(20, 24), slice(20, 24))
    values = {"mode": "gradient", "direction": "backward"}
    found = explain(scan(shape), made, "ibix", region=marked, report=seen.append, **values)
    pictures = [p.preview for p in seen if p.preview is not None]
    assert pictures
    for picture in pictures:
        np.testing.assert_array_equal(picture, found.arrays["map"].values)


def test_the_derivative_of_a_tiny_image_is_compared_over_as_many_pieces_as_it_has_pixels():
    tiny = Scan(np.linspace(0.2, 0.8, 9, dtype=np.float32).reshape(1, 3, 3), np.eye(4))
    given = {"region": np.eye(3, dtype=bool), "mode": "gradient", "direction": "backward"}
    found = explain(tiny, regressors.model(nn.Conv2d(1, 1, 3, padding=1)), "ibix", **given)
    assert found.numbers["gradient_correlation"] == pytest.approx(1.0, abs=1e-3)


class Steps(nn.Module):
    """Answers in steps: no derivative, but real changes."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x > 0.6).float()


def test_a_derivative_of_zero_is_not_told_as_nothing_changed():
    # "changes nothing in the model's answer" stood under a network that answers in steps
    given = {"region": region((16, 20), *BOXES[2]), "mode": "gradient", "jitters": 4}
    found = explain(scan((16, 20)), regressors.model(Steps()), "ibix", direction="forward", **given)
    assert found.sentence.startswith("The derivative of the model's answer is 0")
    with pytest.raises(BadInput, match="has no derivative"):
        explain(scan((16, 20)), regressors.model(Steps()), "ibix", direction="backward", **given)


def test_a_classifiers_derivative_is_told_in_a_sentence_and_kept_to_the_region(trained: Toy):
    # it ended in a KeyError, and the region was not looked at
    given = {"direction": "backward", "mode": "gradient", "superpixels": 20, "coarse_superpixels": 5}
    everywhere = explain(trained.scan(400), trained.model, "ibix", **given)
    assert re.search(r"half of how much it reacts lies on [\d.]+% of the (pixels|voxels)\.$", everywhere.sentence)
    assert everywhere.technical == "Backward map by the derivative at the scan itself."
    share = everywhere.numbers["share_half"]
    size = np.sort(np.abs(everywhere.arrays["map"].values), axis=None)[::-1].astype(np.float64)
    assert size[: round(share * size.size)].sum() >= size.sum() / 2 > size[: round(share * size.size) - 1].sum()
    marked = trained.planted > 0
    kept = explain(trained.scan(400), trained.model, "ibix", region=marked, **given).arrays["map"].values
    np.testing.assert_array_equal(kept, np.where(marked, everywhere.arrays["map"].values, 0))
