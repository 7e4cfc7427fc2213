"""What a network's own layers make of an input."""

import numpy as np
import pytest
import torch
from torch import nn

from core.acceptance.features import chosen_layers, pooled_features


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ((), ()),
        (("a",), ("a",)),
        (tuple("abcd"), tuple("abcd")),
        (tuple("abcde"), tuple("bcde")),
        (tuple("abcdefghi"), tuple("cegi")),
    ],
)
def test_at_most_four_layers_are_looked_at_the_last_one_always(names, chosen):
    assert chosen_layers(names) == chosen


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 36, 2)).eval()


def test_mean_and_spread_of_every_channel_for_each_input_of_a_batch():
    asked, tensor = network(), torch.rand((4, 1, 8, 8), generator=torch.Generator().manual_seed(0))
    found = pooled_features(asked, ("0", "3"), tensor)
    maps = asked[0](tensor).detach().flatten(2)
    assert found.shape == (4, 3 + 3 + 2 + 2)
    assert found[:, :3] == pytest.approx(maps.mean(dim=2).numpy(), abs=1e-6)
    assert found[:, 3:6] == pytest.approx(maps.std(dim=2, unbiased=False).numpy(), abs=1e-6)
    assert found[:, 6:8] == pytest.approx(asked(tensor).detach().numpy(), abs=1e-6)  # no space: itself,
    assert found[:, 8:] == pytest.approx(np.zeros((4, 2)))  # and no spread


def test_nothing_is_left_behind():
    asked, tensor = network(), torch.rand((1, 1, 8, 8))
    before = tensor.clone()
    pooled_features(asked, ("0",), tensor)
    assert torch.equal(tensor, before)
    assert not any(module._forward_hooks for module in asked.modules())


def test_a_network_that_writes_into_its_input_is_given_a_copy():
    class Writes(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Conv2d(1, 1, 1)

        def forward(self, image):
            image -= image.mean()
            return self.layer(image)

    tensor = torch.rand((1, 1, 8, 8))
    before = tensor.clone()
    pooled_features(Writes(), ("layer",), tensor)
    assert torch.equal(tensor, before)


def test_hooks_go_also_where_the_network_fails():
    class Fails(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Conv2d(1, 1, 1)

        def forward(self, image):
            raise ValueError("no")

    fails = Fails()
    with pytest.raises(ValueError, match="no"):
        pooled_features(fails, ("layer",), torch.rand((1, 1, 8, 8)))
    assert not fails.layer._forward_hooks
