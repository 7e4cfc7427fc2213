"""Which networks are a plain chain, and what is said of those that are not."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from core.errors import BadInput
from core.explainers.deconvnet.chain import NoSuchLayerError, NotAChainError, chain_to
from core.explainers.deconvnet.projection import Projection
from core.explainers.deconvnet.steps import Scaling
from tests.oracles import deconvnet as oracle


class AsFunctions(nn.Module):
    """The same network as `AS_LAYERS`, with everything but the convolutions written as functions."""

    def __init__(self, layers: list[nn.Module]) -> None:
        super().__init__()
        self.first, self.second, self.third = (layer for layer in layers if isinstance(layer, nn.Conv2d))
        self.register_buffer("mean", torch.tensor(0.25))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = (x - self.mean) / (2 * torch.sqrt(self.mean))
        x = functional.relu(1 - self.first(x), inplace=True)
        x = functional.max_pool2d(functional.dropout(x, 0.5, self.training), 3, 2, ceil_mode=True)
        x = functional.leaky_relu_(self.second(x), 0.1)
        x = torch.max_pool2d(functional.avg_pool2d(x, 2, stride=1), 2, stride=1)
        return self.third(x).relu().flatten(1)


def test_functions_are_followed_like_layers():
    torch.manual_seed(0)
    layers = [
        nn.Conv2d(1, 3, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.Conv2d(3, 4, 3),
        nn.LeakyReLU(0.1),
        nn.AvgPool2d(2, stride=1),
        nn.MaxPool2d(2, stride=1),
        nn.Conv2d(4, 3, 2),
        nn.ReLU(),
    ]
    network = AsFunctions(copy.deepcopy(layers)).double().eval().requires_grad_(False)
    x = torch.randn(1, 1, 12, 12, dtype=torch.float64)
    projection = Projection(chain_to(network, "third"), x)
    # 1 − f is a layer with its filters turned round; (x − 0.25) / 1 only shifts
    nn.Sequential(*layers).double().requires_grad_(False)
    layers[0].weight.neg_()
    layers[0].bias.neg_().add_(1)
    activation, levels = oracle.up(layers, x - 0.25)
    np.testing.assert_allclose(projection.activation[0].numpy(), activation, atol=1e-12)
    for number, values in projection.single([0, 1, 2]):
        np.testing.assert_allclose(values, oracle.one_filter(activation, levels, number)[0], atol=1e-12)


def test_a_constant_scales_on_the_way_down_and_one_added_does_not():
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 1, bias=False)
            self.register_buffer("gain", torch.arange(1.0, 5.0).view(1, 1, 2, 2))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.conv((x + 10) * self.gain * 3 / 2)

    network = Scaled().eval().requires_grad_(False)
    network.conv.weight[:] = 1.0
    x = torch.zeros(1, 1, 2, 2)
    ((_, values),) = Projection(chain_to(network, "conv"), x).single([0])
    np.testing.assert_allclose(values, (1.5 * network.gain[0, 0].numpy()) ** 2 * 10)


class Wired(nn.Module):
    """Two convolutions with something between them."""

    def __init__(self, between) -> None:
        super().__init__()
        self.first, self.second, self.between = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 2, 3), between
        self.norm, self.shared = nn.GroupNorm(1, 2), nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.between(self, self.first(x)))


@pytest.mark.parametrize(
    ("between", "factor"),
    [
        (lambda n, x: x + 2, None),
        (lambda n, x: 2 + x, None),
        (lambda n, x: x - 2, None),
        (lambda n, x: 2 - x, -1),
        (lambda n, x: torch.sub(2, x), -1),
        (lambda n, x: x * 4, 4),
        (lambda n, x: 4 * x, 4),
        (lambda n, x: torch.multiply(x, 4), 4),
        (lambda n, x: x / 4, 0.25),
        (lambda n, x: x.div_(4), 0.25),
    ],
)
def test_arithmetic_with_a_constant_goes_down_by_its_derivative(between, factor):
    step = chain_to(Wired(between).eval(), "second").steps()[1]
    assert isinstance(step, Scaling)
    assert (None if step.factor is None else float(step.factor)) == factor
    x = torch.full((1, 2, 1, 1), 3.0, requires_grad=True)
    (slope,) = torch.autograd.grad(between(None, x * 1).sum(), x)
    torch.testing.assert_close(step.down(torch.ones(1, 2, 1, 1)), slope)


def _in_place_on_the_side(network: nn.Module, x: torch.Tensor) -> torch.Tensor:
    torch.relu_(x)
    return network.shared(x)


@pytest.mark.parametrize(
    ("between", "reason"),
    [
        (lambda n, x: x + n.shared(x), "joins branches .the operation add"),
        (lambda n, x: x * x, "calls mul"),
        (lambda n, x: torch.cat([x[:, :1], x[:, 1:]], 1), "joins branches .the operation cat"),
        (lambda n, x: n.norm(x), "GroupNorm at norm"),
        (lambda n, x: torch.sigmoid(x), "calls sigmoid"),
        (lambda n, x: 1 / x, "calls truediv"),
        (lambda n, x: functional.dropout(x, 0.5), "calls dropout"),
        (lambda n, x: functional.interpolate(x, scale_factor=2), "calls interpolate"),
        (_in_place_on_the_side, "writes in place into what it reads elsewhere"),
        (lambda n, x: n.shared(x) if x.sum() > 0 else x, "cannot be followed by torch.fx"),
    ],
)
def test_what_is_no_chain_is_named(between, reason):
    with pytest.raises(NotAChainError, match=reason):
        chain_to(Wired(between).eval(), "second")


def test_branches_behind_the_layer_do_not_matter():
    network = Wired(lambda n, x: x + n.shared(x)).eval()
    assert [node.name for node in chain_to(network, "first").nodes] == ["first"]


class Standardised(nn.Conv2d):
    """A convolution with code of its own."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.conv2d(x, self.weight - self.weight.mean(), self.bias)


def test_a_convolution_with_code_of_its_own_or_that_is_not_used_is_named():
    network = nn.Sequential(nn.Conv2d(1, 2, 1), Standardised(2, 2, 1)).eval()
    assert chain_to(network, "0").filters == 2
    with pytest.raises(NotAChainError, match=r"has Standardised at 1, which its input does not reach or which is no"):
        chain_to(network, "1")
    unused = Wired(lambda n, x: x)
    unused.spare = nn.Conv2d(1, 2, 3)
    with pytest.raises(NotAChainError, match="has Conv2d at spare, which its input does not reach"):
        chain_to(unused.eval(), "spare")


@pytest.mark.parametrize("place", ["first", "shared"])
def test_layers_with_hooks_are_refused_since_hooks_may_change_what_they_answer(place):
    for hook in ("register_forward_hook", "register_forward_pre_hook"):
        network = Wired(lambda n, x: n.shared(x)).eval()
        getattr(network.get_submodule(place), hook)(lambda module, *given: None)
        with pytest.raises(NotAChainError, match=rf"has hooks on a layer \(.* at {place}\)"):
            chain_to(network, "second")


def test_padding_that_is_not_of_zeros_and_norms_over_the_image_are_refused():
    reflecting = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, padding_mode="reflect")).eval()
    with pytest.raises(NotAChainError, match=r"pads by reflect \(Conv2d at 0"):
        chain_to(reflecting, "0")
    whole = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2, track_running_stats=False)).eval()
    with pytest.raises(NotAChainError, match="BatchNorm2d at 1"):
        chain_to(whole, "1")


def test_a_layer_must_be_there_and_have_a_convolution_before_it():
    network = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(1, 2, 3), nn.Flatten()).eval()
    with pytest.raises(NoSuchLayerError):
        chain_to(network, "7")
    with pytest.raises(NotAChainError, match="no convolution on the way to 0"):
        chain_to(network, "0")
    with pytest.raises(NotAChainError, match="Flatten at 2"):
        chain_to(network, "2")


def test_norm_and_rectifier_that_follow_belong_to_the_layer_and_a_second_norm_does_not():
    layers = [nn.Conv2d(1, 2, 1), nn.Dropout(), nn.BatchNorm2d(2), nn.ReLU(), nn.BatchNorm2d(2), nn.MaxPool2d(2)]
    network = nn.Sequential(*layers).eval()
    assert len(chain_to(network, "0").nodes) == 4
    assert len(chain_to(network, "3").nodes) == 4
    assert len(chain_to(network, "5").nodes) == 6
    # a group of layers is its last one
    assert len(chain_to(nn.Sequential(network, nn.Conv2d(2, 2, 1)).eval(), "0").nodes) == 6


def test_a_constant_that_changes_the_shape_is_refused():
    network = Wired(lambda n, x: x + torch.zeros(1, 2, 1, 1)).eval()
    Projection(chain_to(network, "second"), torch.rand(1, 1, 5, 5))
    network = Wired(lambda n, x: x + torch.zeros(3, 2, 1, 1)).eval()
    with pytest.raises(BadInput, match=r"shape \(3, 2, 5, 5\) of \(1, 2, 5, 5\)"):
        Projection(chain_to(network, "second"), torch.rand(1, 1, 5, 5))


@pytest.mark.parametrize(
    ("rectifier", "unhookable"),
    [
        (lambda n, x: n.shared(x), False),
        (lambda n, x: n.shared(n.shared(x)), True),
        (lambda n, x: functional.relu(x), True),
        (lambda n, x: x.relu_(), True),
        (lambda n, x: nn.functional.leaky_relu(x), True),
        (lambda n, x: x.clone(), False),
        (lambda n, x: x, False),
    ],
)
def test_rectifiers_that_hooks_would_miss_are_known(rectifier, unhookable):
    assert chain_to(Wired(rectifier).eval(), "second").unhookable == unhookable
    for alone in (nn.ReLU(inplace=True), nn.LeakyReLU()):
        assert chain_to(nn.Sequential(nn.Conv2d(1, 2, 1), alone).eval(), "0").unhookable


def test_a_convolution_that_serves_twice_is_followed_to_its_last_place():
    torch.manual_seed(7)
    once, narrow = nn.Conv2d(2, 2, 3), nn.Conv2d(2, 2, 1)
    network = nn.Sequential(once, nn.ReLU(), narrow, nn.ReLU(), once, nn.ReLU()).double().eval().requires_grad_(False)
    x = torch.randn(1, 2, 9, 9, dtype=torch.float64)
    chain = chain_to(network, "0")
    assert (len(chain.nodes), chain.filters) == (6, 2)
    activation, levels = oracle.up(list(network), x)
    for number, values in Projection(chain, x).single([0, 1]):
        np.testing.assert_allclose(values, oracle.one_filter(activation, levels, number).sum(axis=0), atol=1e-12)
