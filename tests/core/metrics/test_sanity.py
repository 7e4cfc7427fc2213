import numpy as np
import pytest
import torch
from torch import nn

from core.metrics.sanity import Drop, likeness, randomisation_check, swap_test, with_random_weights
from tests.oracles import similarity as oracle


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 2)).eval()


def test_swap_test_asks_about_the_scan_with_healthy_tissue_in_every_masked_voxel():
    random = np.random.default_rng(0)
    x, healthy = random.random((2, 1, 1, 8, 8)).astype(np.float32)
    hidden = np.where(random.random((8, 8)) < 0.3, random.random((8, 8)), 0)
    asked = []
    probability = lambda tensor: asked.append(tensor.numpy().copy()) or float(tensor.mean())  # noqa: E731
    drop = swap_test(probability, torch.from_numpy(x), hidden, torch.from_numpy(healthy))
    np.testing.assert_array_equal(asked[0], x)
    np.testing.assert_array_equal(asked[1], oracle.swapped(x, hidden, healthy))
    assert (drop.before, drop.after) == pytest.approx((x.mean(), oracle.swapped(x, hidden, healthy).mean()))


def test_a_drop_is_relative_so_that_a_low_start_passes_nothing():
    assert Drop(0.9, 0.3).enough
    assert not Drop(0.04, 0.03).enough
    assert not Drop(0.0, 0.0).enough


def test_random_weights_change_every_layer_and_the_original_not_at_all():
    trained = network()
    before = {name: value.clone() for name, value in trained.state_dict().items()}
    changed = with_random_weights(trained, 1)
    assert not torch.equal(changed[0].weight, before["0.weight"])
    assert not torch.equal(changed[4].weight, before["4.weight"])
    assert all(torch.equal(value, before[name]) for name, value in trained.state_dict().items())
    assert not changed.training
    assert not any(weights.requires_grad for weights in changed.parameters())
    assert torch.equal(with_random_weights(trained, 1)[0].weight, changed[0].weight)
    assert not torch.equal(with_random_weights(trained, 2)[0].weight, changed[0].weight)


def test_likeness_is_one_for_a_scaled_map_and_zero_for_a_constant_one():
    values = np.random.default_rng(0).normal(size=(5, 6))
    assert likeness(values, -3 * values) == pytest.approx(1)
    assert likeness(values, np.ones((5, 6))) == 0
    inside = np.zeros((5, 6), dtype=bool)
    inside[:2] = True
    assert likeness(values, np.where(inside, values, 99), inside) == pytest.approx(1)


def test_a_map_of_the_weights_passes_and_a_map_of_the_scan_alone_fails():
    x = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(0))

    def saliency(model: nn.Module) -> np.ndarray:
        watched = x.clone().requires_grad_(True)
        model(watched)[0, 0].backward()
        return watched.grad[0, 0].numpy()

    assert randomisation_check(saliency, network()).enough
    assert not randomisation_check(lambda model: x[0, 0].numpy(), network()).enough


def test_an_empty_map_is_refused_since_it_would_pass_emptily():
    with pytest.raises(ValueError, match="emptily"):
        randomisation_check(lambda model: np.zeros((3, 3)), network())
