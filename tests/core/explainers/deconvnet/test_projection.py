"""The fast deconvnet against the one written out as loops, and against Captum's Deconvolution on the same target."""

import warnings

import numpy as np
import pytest
import torch
from captum.attr import Deconvolution
from torch import nn

from core.explainers.deconvnet.chain import chain_to
from core.explainers.deconvnet.projection import Projection
from core.models.zoo.anatomy_cnn import AnatomyCNN
from tests.oracles import deconvnet as oracle


def norm(kind: type[nn.Module], channels: int) -> nn.Module:
    layer = kind(channels)
    nn.init.uniform_(layer.weight, -1.0, 1.5)
    nn.init.uniform_(layer.bias, -0.2, 0.2)
    layer.running_mean.uniform_(-0.2, 0.2)
    layer.running_var.uniform_(0.3, 2.0)
    return layer


NETWORKS = {
    "plain": lambda: [nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 5, 3), nn.ReLU()],
    "norms and channels": lambda: [
        nn.Conv2d(3, 4, 3, padding=1),
        norm(nn.BatchNorm2d, 4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout2d(0.5),
        nn.Conv2d(4, 6, 3, padding=1, bias=False),
        norm(nn.BatchNorm2d, 6),
        nn.ReLU(),
    ],
    "norm before the convolution": lambda: [
        norm(nn.BatchNorm2d, 2),
        nn.Conv2d(2, 4, 3),
        nn.ReLU(),
        norm(nn.BatchNorm2d, 4),
        nn.Conv2d(4, 3, 3),
    ],
    "strides, dilation, wide padding": lambda: [
        nn.Conv2d(1, 4, (3, 2), stride=(2, 3), padding=(1, 2)),
        nn.ReLU(),
        nn.Conv2d(4, 4, 2, dilation=2, padding=3),
        nn.LeakyReLU(0.2),
        nn.Conv2d(4, 5, 1, padding=1),
        nn.ReLU(),
    ],
    "stride in the last convolution": lambda: [
        nn.Conv2d(5, 6, 3, padding="same"),
        nn.ReLU(),
        nn.Conv2d(6, 5, 2, stride=2),
        nn.ReLU(),
    ],
    "same padding of even filters": lambda: [
        nn.Conv2d(2, 4, 4, padding="same"),
        nn.ReLU(),
        nn.Conv2d(4, 3, 2, padding="same"),
    ],
    "groups": lambda: [
        nn.Conv2d(4, 8, 3, groups=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, groups=4, padding="valid"),
        nn.ReLU(),
    ],
    "pooling that overlaps": lambda: [
        nn.Conv2d(1, 3, 3),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2, padding=1),
        nn.Conv2d(3, 4, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2, stride=1, dilation=2),
        nn.Conv2d(4, 4, 1),
        nn.ReLU(),
    ],
    "dilated windows that share places": lambda: [
        nn.Conv2d(1, 6, 1),
        nn.ReLU(),
        nn.MaxPool2d(2, stride=2, dilation=2),
        nn.Conv2d(6, 4, 2),
        nn.ReLU(),
    ],
    "ceiled pooling and one with gaps": lambda: [
        nn.Conv2d(1, 3, 2),
        nn.ReLU(),
        nn.MaxPool2d(2, ceil_mode=True),
        nn.Conv2d(3, 4, 1),
        nn.ReLU(),
        nn.MaxPool2d((1, 2), stride=(2, 3)),
        nn.Conv2d(4, 3, 1),
        nn.ReLU(),
    ],
    "average pooling": lambda: [
        nn.Conv2d(1, 3, 3),
        nn.ReLU(),
        nn.AvgPool2d(2, stride=1, padding=1),
        nn.Conv2d(3, 4, 3),
        nn.ReLU(),
    ],
    "volume": lambda: [
        nn.Conv3d(2, 3, 3, padding=1),
        norm(nn.BatchNorm3d, 3),
        nn.ReLU(),
        nn.MaxPool3d(2, ceil_mode=True),
        nn.Conv3d(3, 3, 2, padding="same"),
        nn.LeakyReLU(),
        nn.MaxPool3d(2, stride=1),
        nn.Conv3d(3, 4, 2),
        nn.ReLU(),
    ],
}


def small(name: str) -> tuple[list[nn.Module], Projection, torch.Tensor, str]:
    """Layers in float64, their projection for a random image, the image, and the last convolution's name."""
    torch.manual_seed(len(name))
    layers = NETWORKS[name]()
    network = nn.Sequential(*layers).double().eval().requires_grad_(False)
    convolutions = [(n, m) for n, m in network.named_modules() if isinstance(m, nn.Conv2d | nn.Conv3d)]
    first = next(m for m in layers if not isinstance(m, nn.ReLU))
    channels = first.num_features if hasattr(first, "num_features") else first.in_channels
    shape = (11, 9) if isinstance(convolutions[0][1], nn.Conv2d) else (7, 6, 5)
    x = torch.randn(1, channels, *shape, dtype=torch.float64)
    return layers, Projection(chain_to(network, convolutions[-1][0]), x), x, convolutions[-1][0]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_filter_goes_down_as_in_the_loops_of_the_oracle(name):
    layers, projection, x, _ = small(name)
    activation, levels = oracle.up(layers, x)
    np.testing.assert_allclose(projection.activation[0].numpy(), activation, rtol=1e-12, atol=1e-13)
    everything = range(len(activation))
    expected = [oracle.one_filter(activation, levels, number).sum(axis=0) for number in everything]
    largest = max(np.abs(values).max() for values in expected)
    assert largest > 0
    for chunk in (1, 3, len(expected)):
        found = dict(projection.single(list(everything), chunk))
        assert list(found) == list(everything)
        for number in everything:
            np.testing.assert_allclose(found[number], expected[number], rtol=0, atol=1e-12 * largest)
    two = np.zeros_like(activation)
    two[[0, 2]] = activation[[0, 2]]
    jointly = oracle.down(two, levels).sum(axis=0)
    np.testing.assert_allclose(projection.together([2, 0]), jointly, rtol=0, atol=1e-12 * largest)


def test_a_layer_after_the_last_convolution_can_be_followed_too():
    torch.manual_seed(1)
    layers = [nn.Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d(3, stride=2), nn.BatchNorm2d(3), nn.AvgPool2d(2)]
    network = nn.Sequential(*layers).double().eval()
    x = torch.randn(1, 1, 12, 12, dtype=torch.float64)
    activation, levels = oracle.up(layers, x)
    projection = Projection(chain_to(network, "4"), x)
    for number, values in projection.single([0, 1, 2]):
        np.testing.assert_allclose(values, oracle.one_filter(activation, levels, number)[0], atol=1e-12)


class LayerScore(nn.Module):
    """Σ a · a.detach() over some filters of a stretch of layers: its ReLU-override gradient is the deconvnet."""

    def __init__(self, network: AnatomyCNN, filters: list[int]) -> None:
        super().__init__()
        layers = [module for block in network.features for module in block]
        self.stretch, self.filters = nn.Sequential(*layers[:-1]), filters

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        activation = self.stretch(x)[:, self.filters]
        return (activation * activation.detach()).flatten(1).sum(dim=1)


def by_captum(network: AnatomyCNN, x: torch.Tensor, filters: list[int]) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Setting backward hooks on ReLU")
        gradient = Deconvolution(LayerScore(network, filters)).attribute(x.clone().requires_grad_())
    return gradient[0].sum(dim=0).detach().numpy()


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-12)])
@pytest.mark.parametrize("variant", ["shallow", "deeper", "regularised"])
@pytest.mark.parametrize("shape", [(48, 40), (16, 16, 18)])
def test_it_is_captums_deconvolution_filter_by_filter_and_jointly_for_all_three_networks(
    variant, shape, dtype, tolerance
):
    torch.manual_seed(3)
    network = AnatomyCNN(shape, 4, 2, variant).to(dtype).eval().requires_grad_(False)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d):
            module.running_mean.uniform_(-0.05, 0.05)
            module.running_var.uniform_(0.05, 0.2)
            module.weight.uniform_(0.5, 1.5)
    x = torch.rand(1, 2, *shape, dtype=dtype)
    last = [name for name, module in network.named_modules() if isinstance(module, nn.Conv2d | nn.Conv3d)][-1]
    projection = Projection(chain_to(network, last), x)
    top = projection.ranking("sum").order[:3]
    for number, values in projection.single(top):
        expected = by_captum(network, x, [number])
        assert np.abs(expected).max() > 0
        assert np.abs(values - expected).max() <= tolerance * np.abs(expected).max()
    expected = by_captum(network, x, list(top))
    assert np.abs(projection.together(top) - expected).max() <= tolerance * np.abs(expected).max()


def test_filters_are_ranked_by_sum_maximum_or_mean_of_their_rectified_activation():
    network = nn.Sequential(nn.Conv2d(1, 4, 1, bias=False)).eval().requires_grad_(False)
    # x, its size everywhere below zero, twice x in a filter, and nothing
    network[0].weight[:] = torch.tensor([1.0, -1.0, 2.0, 0.0]).view(4, 1, 1, 1)
    x = torch.tensor([[[[1.0, 2.0], [-4.0, 0.0]]]])
    projection = Projection(chain_to(network, "0"), x)
    by_sum = projection.ranking("sum")
    assert by_sum.order == (2, 1, 0, 3)
    np.testing.assert_array_equal(by_sum.scores, [3, 4, 6, 0])
    by_maximum = projection.ranking("max")
    assert by_maximum.order == (1, 2, 0, 3)  # of equals the first
    np.testing.assert_array_equal(by_maximum.scores, [2, 4, 4, 0])
    np.testing.assert_array_equal(projection.ranking("mean").scores, [0.75, 1, 1.5, 0])
    assert by_maximum.share([1, 0]) == 7 / 13


def test_the_scan_is_not_written_into_by_rectifiers_in_place():
    network = nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(1, 2, 1), nn.ReLU(inplace=True)).eval()
    x = torch.full((1, 1, 3, 3), -1.0)
    projection = Projection(chain_to(network, "1"), x)
    before = projection.activation.clone()
    dict(projection.single([0, 1]))
    projection.together([0, 1])
    assert (x == -1).all()
    assert torch.equal(projection.activation, before)
