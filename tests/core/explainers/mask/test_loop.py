import numpy as np
import pytest
import torch

from core.explainers.hiding import fill_image
from core.explainers.mask.equations import margin
from core.explainers.mask.loop import MaskLoop
from core.explainers.mask.parameters import MaskParameters
from core.networks.fast import fast_network
from tests.oracles import mask_equations as oracle


def start_loop(trained, **values) -> tuple[MaskLoop, torch.Tensor, torch.Tensor]:
    model = trained.model
    prepared = model.prepare(trained.scan(100))
    parameters = MaskParameters(precision="float32", **values)
    fill = fill_image(model, prepared, parameters.mu, parameters.mu_value)
    support = model.references["support"] > 0.5
    network = fast_network(model.network, trained.dimensions, "float32")
    return MaskLoop(network, prepared.tensor, fill, support, 1, prepared.spacing_mm, parameters), prepared.tensor, fill


def test_robust_preset_sums_up_the_published_recipe(trained):
    """Loss, its ramp and the adapting weight k, step by step, against the plain-Python recipe."""
    loop, x, fill = start_loop(trained, iterations=25)
    with torch.no_grad():
        first = trained.model.network(x)[0].tolist()
    probabilities, losses, expected = [], [], []
    pulls: list[float] = []
    for iteration in range(24):
        step, hidden = loop.step()
        m = 1 - loop.whole(hidden)
        changed = torch.from_numpy(oracle.masked(x[0].numpy(), m, fill[0].numpy()))[None]
        with torch.no_grad():
            logits = trained.model.network(changed)[0].tolist()
        probabilities.append(oracle.probability(logits, 1))
        assert step.probability == pytest.approx(probabilities[-1], abs=1e-3)
        pulls = oracle.adapted_pulls(probabilities, 0.04)
        losses.append(step.loss)
        expected.append(oracle.robust_loss(m, logits, first, 1, (6.0,) * trained.dimensions, iteration, pulls[-1]))
    np.testing.assert_allclose(losses, expected, rtol=2e-3, atol=2e-4)
    assert pulls[-1] != 1, "k must have adapted for the test to mean something"


def test_paper_preset_is_equation_2_from_all_ones(trained):
    from core.explainers.mask.explainer import Mask

    parameters = Mask.parameters("paper", {"precision": "float32", "reduction": "voxels", "lambda_1": 1e-6})
    model = trained.model
    prepared = model.prepare(trained.scan(101))
    fill = fill_image(model, prepared, "constant", 1.0)
    everywhere = np.ones(prepared.tensor.shape[2:], dtype=bool)
    loop = MaskLoop(model.network, prepared.tensor, fill, everywhere, 1, prepared.spacing_mm, parameters)
    step, hidden = loop.step()
    assert not hidden.any()
    assert step.size == step.smoothness == 0
    loop._nodes.data.uniform_(0, 1, generator=torch.Generator().manual_seed(0))
    step, hidden = loop.step()
    m = 1 - loop.whole(hidden).astype(np.float64)
    assert step.size == pytest.approx(100 * 1e-6 * oracle.size(m, 0.1, 0.01), rel=1e-4)
    assert step.smoothness == pytest.approx(100 * 1e-2 * oracle.smoothness(m, 1, 0, (1,) * m.ndim), rel=1e-4)
    changed = torch.from_numpy(oracle.masked(prepared.tensor[0].numpy(), m.astype(np.float32), fill[0].numpy()))[None]
    assert step.score == pytest.approx(model.probabilities(changed)["AD"], abs=1e-4)
    assert step.loss == pytest.approx(step.size + step.smoothness + step.score, rel=1e-5)


def test_gradient_of_the_loop_is_that_of_the_loss(trained):
    """One step of plain gradient descent moves a control point against a finite difference of the loss."""
    values = {"optimiser": "sgd", "learning_rate": 1e-3, "start": "flip", "straight_through": False, "warm_up": 0}
    loop, _, _ = start_loop(trained, **values)
    before = loop._nodes.detach().clone()
    loop.step()
    moved = (before - loop._nodes.detach()) / 1e-3
    place = tuple(np.argwhere(np.abs(moved.numpy()) > 1e-3)[0])
    losses = []
    for sign in (1, -1):
        fresh, _, _ = start_loop(trained, **values)
        fresh._nodes.data[place] += sign * 1e-2
        losses.append(fresh.step()[0].loss)
    assert float(moved[place]) == pytest.approx((losses[0] - losses[1]) / 2e-2, rel=0.1, abs=2e-3)


class Unmoved(torch.nn.Module):
    """Less sure of class 1 the brighter the scan, and never of another."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        brightness = x.flatten(1).mean(dim=1)
        return torch.stack([torch.zeros_like(brightness), 10 - brightness], dim=1)


def test_loop_starts_at_the_fill_that_comes_closest_where_none_flips_the_class(trained):
    prepared = trained.model.prepare(trained.scan(200))
    fill, everywhere = torch.full_like(prepared.tensor, 2.0), np.ones(prepared.tensor.shape[2:], dtype=bool)
    parameters = MaskParameters(precision="float32", start="flip")
    brighter = MaskLoop(Unmoved(), prepared.tensor, fill, everywhere, 1, prepared.spacing_mm, parameters)
    assert brighter.first_fill == 1.0
    darker = MaskLoop(Unmoved(), prepared.tensor, -fill, everywhere, 1, prepared.spacing_mm, parameters)
    assert 0 < darker.first_fill < 0.1


def test_loop_starts_at_the_smallest_even_fill_that_flips_the_class(trained):
    loop, x, fill = start_loop(trained)
    support = torch.from_numpy(trained.model.references["support"])

    def margin_at(share: float) -> float:
        with torch.no_grad():
            return float(margin(trained.model.network(x + share * support * (fill - x)), 1)[0])

    assert margin_at(loop.first_fill) < 0
    finer = {share: margin_at(share) for share in np.arange(1, 161) / 160 if share <= loop.first_fill + 1e-6}
    assert oracle.uniform_flip(finer) == pytest.approx(loop.first_fill, abs=1 / 80)


def test_mask_stays_in_its_range_and_its_support_whatever_the_learning_rate(trained):
    for control_mm in (0.0, 15.0):
        loop, _, _ = start_loop(trained, learning_rate=5.0, control_mm=control_mm)
        outside = trained.model.references["support"] < 0.5
        for _ in range(5):
            _, hidden = loop.step()
            whole = loop.whole(hidden)
            assert whole.min() >= 0
            assert whole.max() <= 1
            assert not whole[outside].any()


def test_control_points_are_interpolated_linearly_between_the_ends_of_the_box(trained):
    loop, _, _ = start_loop(trained, control_mm=20.0, straight_through=False)
    loop._nodes.data.uniform_(0, 1, generator=torch.Generator().manual_seed(1))
    box = tuple(loop._support.shape[2:])
    expected = oracle.linear_interpolation(loop._nodes.detach()[0, 0].double().numpy(), box)
    expected *= loop._support[0, 0].numpy()
    np.testing.assert_allclose(loop.hidden().detach()[0, 0].numpy(), expected, atol=1e-5)
    spacing = [(n - 1) * 6.0 / (k - 1) for n, k in zip(box, loop._nodes.shape[2:], strict=True)]
    assert max(spacing) <= 20.0


def test_the_loop_asks_the_network_once_an_iteration(trained):
    calls = []
    loop, _, _ = start_loop(trained)
    network = loop.network
    loop.network = lambda x: (calls.append(1), network(x))[1]
    for _ in range(4):
        loop.step()
    assert len(calls) == 4
