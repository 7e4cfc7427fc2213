"""Paper 1's network on any grid."""

import pytest
import torch
from torch import nn

from core.models.zoo import build


@pytest.mark.parametrize("shape", [(61, 73, 61), (41, 49, 41), (9, 5, 3), (121, 121), (61, 61), (7, 30)])
def test_the_network_answers_for_any_grid_in_two_and_three_dimensions(shape: tuple[int, ...]) -> None:
    network = build("block-cnn", {"shape": shape, "classes": 3}).eval()
    with torch.inference_mode():
        assert network(torch.rand(2, 1, *shape)).shape == (2, 3)


def test_on_the_three_millimetre_grid_it_has_the_papers_1_2_million_parameters() -> None:
    network = build("block-cnn", {"shape": (61, 73, 61)})
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(1.2e6, rel=0.02)
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv3d)]
    assert [c.out_channels for c in convolutions] == [8, 16, 32, 32, 64, 64] + [64] * 9


def test_the_healthy_mean_itself_is_seen_as_zero() -> None:
    network = build("block-cnn", {"shape": (8, 8)})
    mean = torch.rand(1, 1, 8, 8)
    network.centring.mean.copy_(mean)
    network.centring.gain.fill_(3)
    torch.testing.assert_close(network.centring(mean), torch.zeros(1, 1, 8, 8))
    torch.testing.assert_close(network.centring(mean + 0.5), torch.full((1, 1, 8, 8), 1.5))


def test_every_activation_is_its_own_module_and_leaves_its_input_alone() -> None:
    network = build("block-cnn", {"shape": (8, 8)})
    activations = [m for _, m in network.named_modules(remove_duplicate=False) if isinstance(m, nn.LeakyReLU)]
    assert len(activations) == 15 == len({id(a) for a in activations})
    assert not any(a.inplace for a in activations)
