"""Which layer Grad-CAM takes where nobody says."""

import pytest
import torch
from torch import nn

from core.networks.feature_maps import last_feature_map
from tests.core.networks.families import FAMILIES, ResNet, family
from tests.core.networks.userland import head


@pytest.mark.parametrize("name", FAMILIES)
def test_the_last_map_that_the_answer_rests_on_is_found_in_every_family(name):
    network = family(name)
    found = last_feature_map(network, torch.rand(1, 1, 128, 96))
    assert found == FAMILIES[name][1]
    # nothing is left on it, and nothing is asked of a network twice
    assert not any(layer._forward_hooks for layer in network.modules())
    network.forward = None
    assert last_feature_map(network, torch.rand(1, 1, 128, 96)) == found


@pytest.mark.parametrize("name", FAMILIES)
def test_what_is_found_lies_between_the_scan_and_the_answer_and_nothing_goes_past_it(name):
    """With the layer's answer held, the scan changes nothing any more; without, it does."""
    network = family(name)
    layer = network.get_submodule(last_feature_map(network, torch.rand(1, 1, 128, 96)))
    x = torch.rand(1, 1, 128, 96, requires_grad=True)
    kept = []
    layer.register_forward_hook(lambda module, inputs, output: kept.append(output) or output.detach())
    answer = network(x.clone())
    past = answer.requires_grad and torch.autograd.grad(answer.sum(), x, allow_unused=True)[0] is not None
    # no layer gives the sum where it is written as a function: there it is the branch with most layers
    assert past == (name == "by hand")
    assert min(kept[0].shape[2:]) > 1
    assert len(kept) == 1


def test_a_volume_has_its_last_map_too():
    assert last_feature_map(ResNet(2, 3).eval(), torch.rand(1, 1, 32, 33, 34)) == "layer2"


def test_a_network_of_convolutions_that_answer_nothing_has_none():
    class Beside(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.fc = nn.Conv2d(1, 2, 3), nn.Linear(64, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.seen = self.conv(x)
            return self.fc(x.flatten(1))

    assert last_feature_map(Beside().eval(), torch.rand(1, 1, 8, 8)) is None
    assert last_feature_map(nn.Sequential(nn.Flatten(), nn.Linear(64, 2)).eval(), torch.rand(1, 1, 8, 8)) is None


def test_a_network_without_a_derivative_gives_its_last_convolution():
    class Steps(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.conv2, self.head = nn.Conv2d(1, 2, 3), nn.Conv2d(2, 4, 3), head(4)

        @torch.no_grad()
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.conv2(self.conv1(x)))

    assert last_feature_map(Steps().eval(), torch.rand(1, 1, 8, 8)) == "conv2"


def test_weights_that_learn_change_nothing():
    network = ResNet(2).eval().requires_grad_(True)
    assert last_feature_map(network, torch.rand(1, 1, 64, 64)) == "layer2"
    assert all(weight.grad is None for weight in network.parameters())
