import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.explainers.mask.equations import (
    margin,
    masked,
    objective_value,
    size_term,
    smoothness_term,
    straight_through,
    threshold_hidden,
    weights,
)
from tests.oracles import mask_equations as oracle

SHAPES = [(5, 7), (4, 5, 3)]


def batch(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array)[None, None].double()


@pytest.mark.parametrize("shape", SHAPES)
def test_masked_input_is_equation_1_in_every_channel(shape):
    random = np.random.default_rng(0)
    x, mu, m = random.normal(size=(2, *shape)), random.normal(size=(2, *shape)), random.random(shape)
    found = masked(torch.from_numpy(x)[None], batch(1 - m), torch.from_numpy(mu)[None])
    np.testing.assert_allclose(found[0].numpy(), oracle.masked(x, m, mu), atol=1e-12)


@pytest.mark.parametrize("beta", [0.1, 0.5, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_size_term_is_the_papers_norm(shape, beta):
    m = np.random.default_rng(1).random(shape)
    m.flat[::3] = 1
    assert float(size_term(batch(1 - m), beta, 1e-3)) == pytest.approx(oracle.size(m, beta, 1e-3), rel=1e-9)


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_smoothness_term_is_the_papers_sum_of_differences(shape, beta):
    m = np.random.default_rng(2).random(shape)
    faces = (1.0, 0.5, 2.0)[: len(shape)]
    found = float(smoothness_term(batch(1 - m), beta, 1e-3, faces))
    assert found == pytest.approx(oracle.smoothness(m, beta, 1e-3, faces), rel=1e-9)


def test_epsilon_keeps_the_gradient_finite_where_the_papers_exponent_makes_it_nan():
    untouched = torch.zeros(1, 1, 4, 4, requires_grad=True)
    (untouched.abs().pow(0.1) * 0).sum().backward()
    assert torch.isnan(untouched.grad).all(), "the literal form must fail, or ε would not be needed"
    untouched.grad = None
    (size_term(untouched, 0.1, 1e-2) + smoothness_term(untouched, 0.1, 1e-2, (1, 1))).backward()
    assert torch.isfinite(untouched.grad).all()
    assert (untouched.grad > 0).all()


@given(st.lists(st.floats(0, 1), min_size=6, max_size=6), st.floats(0.5, 1))
def test_threshold_sets_to_one_exactly_what_lies_above_it(values, threshold):
    m = np.array(values).reshape(2, 3)
    expected = oracle.threshold(m, threshold)
    hidden = threshold_hidden(batch(1 - m), threshold)[0, 0].numpy()
    clear = np.abs(m - threshold) > 1e-9  # 1 − (1 − m) may round across the threshold itself
    np.testing.assert_allclose((1 - hidden)[clear], expected[clear], atol=1e-12)


@pytest.mark.parametrize("threshold", [0.5, 0.9, 0.95, 0.99])
def test_a_mask_value_at_the_threshold_itself_stays(threshold):
    at = torch.tensor([1 - threshold], dtype=torch.float32)
    assert torch.equal(threshold_hidden(at, threshold), at)
    above = torch.nextafter(at, torch.zeros(1))  # less hidden: a mask value above the threshold
    assert threshold_hidden(above, threshold).item() == 0


def test_straight_through_thresholds_forward_and_passes_the_gradient_unchanged():
    hidden = torch.tensor([0.01, 0.04, 0.06, 0.9], requires_grad=True)
    out = straight_through(hidden, 0.95)
    assert out.tolist() == pytest.approx([0, 0, 0.06, 0.9])
    (out * torch.tensor([1.0, 2.0, 3.0, 4.0])).sum().backward()
    assert hidden.grad.tolist() == [1, 2, 3, 4]


@given(st.lists(st.floats(-20, 20), min_size=2, max_size=5), st.integers(0, 1))
def test_margin_is_the_log_odds_of_the_softmax(logits, target):
    p = oracle.probability(logits, target)
    found = float(margin(torch.tensor([logits], dtype=torch.float64), target)[0])
    assert 1 / (1 + math.exp(-found)) == pytest.approx(p, abs=1e-9)


def test_objectives_are_the_four_readings_of_f():
    logits, first = [0.3, 1.9, -0.4], [0.1, 4.0, 0.2]
    tensor = torch.tensor([logits], dtype=torch.float64)
    d0 = float(margin(torch.tensor([first], dtype=torch.float64), 1)[0])
    p = oracle.probability(logits, 1)
    expected = {
        "probability": p,
        "log_probability": math.log(p),
        "logit": 1.9,
        "hinge": oracle.hinge(logits, 1, first, 3.5),
    }
    for objective, value in expected.items():
        found = objective_value(tensor, margin(tensor, 1)[0], 1, objective, 3.5, d0)
        assert float(found) == pytest.approx(value)


def test_hinge_starts_at_one_and_rests_at_zero_once_the_margin_is_reached():
    for logits, expected in ([0.0, 6.0], 1), ([3.6, 0.0], 0):
        tensor = torch.tensor([logits])
        assert float(objective_value(tensor, margin(tensor, 1)[0], 1, "hinge", 3.5, 6.0)) == pytest.approx(expected)


def test_gradient_of_the_edge_term_made_by_hand_is_that_of_autograd():
    hidden = batch(np.random.default_rng(3).random((4, 5, 3))).requires_grad_(True)
    faces = (1.0, 0.5, 2.0)
    (3 * smoothness_term(hidden, 1, 0, faces)).backward()
    made, hidden.grad = hidden.grad, None
    (3 * sum(face * hidden.diff(dim=axis + 2).abs().sum() for axis, face in enumerate(faces))).backward()
    torch.testing.assert_close(made, hidden.grad)


@pytest.mark.parametrize("spacing", [(3.0, 3.0, 3.0), (1.0, 2.0, 4.0), (1.5, 3.0)])
def test_physical_prices_are_those_of_cubic_centimetres_whatever_the_grid(spacing):
    shape = tuple(int(24 / s) for s in spacing)
    hidden = np.zeros(shape)
    hidden[tuple(slice(int(6 / s), int(18 / s)) for s in spacing)] = 1  # a 12 mm box
    prices = weights(0.05, 0.003, "physical", spacing, hidden.size)
    axes = len(spacing)
    assert prices.size * float(size_term(batch(hidden), 1, 0)) == pytest.approx(0.05 * 1.2**axes)
    surface = 2 * axes * 1.2 ** (axes - 1)
    assert float(smoothness_term(batch(hidden), 1, 0, prices.faces)) == pytest.approx(0.003 * surface)


def test_lambda_counts_voxels_means_or_the_papers_voxels():
    assert weights(2.0, 3.0, "voxels", (3, 3, 3), 100) == weights(2.0, 3.0, "voxels", (1, 1, 1), 5)
    mean = weights(2.0, 3.0, "mean", (3, 3, 3), 100)
    assert mean.size == pytest.approx(0.02)
    assert mean.faces == pytest.approx((0.03,) * 3)
    # on the paper's own grid its λ count voxels; one voxel of 3 mm holds eight of them and has four of their faces
    own, coarse = (weights(2.0, 3.0, "paper_grid", (s, s, s), 100) for s in (1.5, 3.0))
    assert (own.size, own.faces) == (2.0, (3.0,) * 3)
    assert (coarse.size, coarse.faces[0]) == pytest.approx((16.0, 12.0))
