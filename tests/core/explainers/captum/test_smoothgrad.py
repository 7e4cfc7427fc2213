import numpy as np
import pytest
import torch

from core.explainers.captum.smoothgrad import SmoothGrad
from tests.oracles import maps as oracle


def test_smoothgrad_is_the_mean_gradient_over_noisy_copies(question):
    """Captum draws the noise: seen from inside, its copies give the same map through the plain loop."""
    copies: list[torch.Tensor] = []
    handle = question.model.network.register_forward_pre_hook(
        lambda module, inputs: copies.extend(c[None].detach().clone() for c in inputs[0])
    )
    try:
        found = SmoothGrad().attribute(question, SmoothGrad.parameters(values={"samples": 5, "signed": True}))
    finally:
        handle.remove()
    assert len(copies) == 5
    expected = oracle.smoothgrad(question.model.network, copies, 1)[0]
    np.testing.assert_allclose(found.values, expected, atol=1e-4)
    spread = torch.cat(copies).sub(question.prepared.tensor).std()
    range_of_scan = question.prepared.tensor.max() - question.prepared.tensor.min()
    assert float(spread) == pytest.approx(0.1 * float(range_of_scan), rel=0.1)


def test_smoothgrad_draws_the_same_noise_for_the_same_seed_and_leaves_the_worlds_generator_alone(question):
    torch.manual_seed(3)
    first = SmoothGrad().attribute(question, SmoothGrad.parameters(values={"samples": 2})).values
    after = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(torch.rand(1), after)
    again = SmoothGrad().attribute(question, SmoothGrad.parameters(values={"samples": 2})).values
    other = SmoothGrad().attribute(question, SmoothGrad.parameters(values={"samples": 2, "seed": 1})).values
    np.testing.assert_array_equal(first, again)
    assert first.min() >= 0  # sizes, unless signs are asked for
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("kind", ["smoothgrad_sq", "vargrad"])
def test_squares_and_variances_have_no_sign_whatever_is_asked(question, kind):
    parameters = SmoothGrad.parameters(values={"samples": 3, "kind": kind, "signed": True})
    found = SmoothGrad().attribute(question, parameters)
    assert found.values.min() >= 0
    assert found.values.max() > 0
    assert not found.diverging
    assert found.unit == "(Δ logit / Δ intensity)²"
