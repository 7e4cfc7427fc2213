import pytest
import torch
from torch import nn

from core.networks.fast import fast_network, unchanged_known
from tests.core.networks.userland import MAKERS, userland


def test_folded_copy_answers_like_the_network(trained):
    x = trained.model.prepare(trained.scan(300)).tensor
    with torch.no_grad():
        expected = trained.model.network(x)
        exact, half = (fast_network(trained.model.network, trained.dimensions, p)(x) for p in ("float32", "bfloat16"))
    torch.testing.assert_close(exact, expected, atol=1e-3, rtol=1e-3)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, expected, atol=0.3, rtol=0.05)


@pytest.mark.parametrize(("dimensions", "last"), [(2, torch.channels_last), (3, torch.channels_last_3d)])
def test_only_in_bfloat16_are_channels_last_in_memory(dimensions, last):
    convolution = (nn.Conv2d, nn.Conv3d)[dimensions - 2]
    network = nn.Sequential(convolution(2, 3, 3), nn.ReLU())
    plain, half = (fast_network(network, dimensions, precision) for precision in ("float32", "bfloat16"))
    assert (plain.dtype, plain.layout) == (torch.float32, torch.contiguous_format)
    assert (half.dtype, half.layout) == (torch.bfloat16, last)
    assert plain.module[0].weight.is_contiguous()
    assert half.module[0].weight.is_contiguous(memory_format=last)
    assert not half.module[0].weight.is_contiguous()
    assert half.ready(torch.rand(1, 2, *[5] * dimensions)).is_contiguous(memory_format=last)


def test_inputs_equal_to_the_known_one_are_not_asked_again(trained):
    asked = []

    def network(x: torch.Tensor) -> torch.Tensor:
        asked.append(len(x))
        return x.flatten(1)[:, :2] * 2

    x = torch.rand(1, 1, 3, 3)
    known = unchanged_known(network, x)
    changed = x.clone()
    changed[0, 0, 0, 0] += 1
    out = known(torch.cat([x, changed, x]))
    torch.testing.assert_close(out, torch.cat([x, changed, x]).flatten(1)[:, :2] * 2)
    assert asked == [1, 1]
    assert torch.equal(known(x), x.flatten(1)[:, :2] * 2)
    assert asked == [1, 1]


@pytest.mark.parametrize("name", MAKERS)
def test_a_network_as_people_write_them_is_asked_rightly(name):
    network = userland(name)
    fast = fast_network(network, 2, "float32")
    for shape in [(17, 19), (21, 16)]:
        x = torch.randn(5, 1, *shape)
        torch.testing.assert_close(fast(x.clone()), network(x.clone()), rtol=1e-4, atol=1e-5)


class Counting(nn.Module):
    """Counts how often it is asked; copies count for themselves."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.asked = []

    def forward(self, x):
        self.asked.append(len(x))
        return self.layers(x)


def test_the_network_itself_is_asked_once_for_each_shape_and_state_of_its_weights():
    network = Counting().eval().requires_grad_(False)

    def asked():
        fast = fast_network(network, 2, "float32")
        before = len(network.asked)
        for size in (9, 9, 11, 9):
            fast(torch.rand(3, 1, size, size))
        return len(network.asked) - before

    # a traced copy shares nothing with it but the weights
    assert (asked(), asked()) == (2, 0)
    network.layers[0].weight.mul_(2)
    assert asked() == 2


def test_a_copy_that_differs_is_not_used_in_half_precision_either():
    network = userland("a guard")
    x = torch.randn(4, 1, 17, 19)
    half = fast_network(network, 2, "bfloat16")(x)
    assert (half - network(x)).abs().max() < 0.1 * network(x).abs().max()
