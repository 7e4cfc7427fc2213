"""Layers and functions that a network may be made of, windowed, against the whole network in float64."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from tests.core.networks.windows.windowing import Function, assert_exact


@pytest.mark.parametrize(
    "layer",
    [
        nn.ReLU(inplace=True),
        nn.LeakyReLU(0.2, inplace=True),
        nn.ELU(),
        nn.SiLU(inplace=True),
        nn.GELU(),
        nn.Sigmoid(),
        nn.Tanh(),
        nn.Softplus(),
        nn.PReLU(2),
        nn.Hardtanh(),
        nn.Identity(),
        nn.Dropout(),
        nn.Dropout2d(),
        nn.BatchNorm2d(2),
        nn.BatchNorm2d(2, affine=False),
        nn.InstanceNorm2d(2, affine=True, track_running_stats=True),
        nn.Softmax(dim=1),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_layers_at_each_position_keep_the_window(layer):
    network = nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), layer, nn.Conv2d(2, 1, 1))
    responses, _ = assert_exact(network, (9, 8))
    assert responses.footprint((slice(4, 5), slice(3, 4))) == (slice(3, 6), slice(2, 5))


@pytest.mark.parametrize(
    "layer",
    [nn.InstanceNorm2d(2), nn.GroupNorm(1, 2), nn.LayerNorm([2, 9, 8]), nn.Softmax(dim=-1), nn.AdaptiveMaxPool2d(3)],
    ids=lambda layer: type(layer).__name__,
)
def test_layers_that_look_at_all_of_space_reach_everything(layer):
    responses, _ = assert_exact(nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), layer), (9, 8))
    assert responses.footprint((slice(4, 5), slice(3, 4))) == tuple(slice(0, n) for n in responses.output.shape[2:])


@pytest.mark.parametrize(
    "function",
    [
        lambda self, x: F.softmax(x, 1),
        lambda self, x: F.log_softmax(x, -3),
        lambda self, x: x.mean(1, keepdim=True),
        lambda self, x: x.sum([1], keepdim=True),
        lambda self, x: x.amax((1,), True),
        lambda self, x: F.batch_norm(x, self.mean, self.mean.abs()),
        lambda self, x: F.instance_norm(x, self.mean, self.mean.abs(), use_input_stats=False),
        lambda self, x: torch.cat([x, self.plane], 1),
        lambda self, x: x[:, 1:],
        lambda self, x: x[..., :, :],
        lambda self, x: F.conv2d(x, self.kernel),
        lambda self, x: F.max_pool2d(x, 1),
        lambda self, x: F.avg_pool2d(x, 1),
        lambda self, x: torch.clamp(x, 0, 1),
    ],
)
def test_functions_at_each_position_keep_the_window(function):
    network = Function(function, mean=torch.zeros(2), plane=torch.zeros(1, 1, 9, 8), kernel=torch.zeros(2, 2, 1, 1))
    responses, _ = assert_exact(network, (9, 8))
    assert responses.footprint((slice(4, 5), slice(3, 4))) == (slice(4, 5), slice(3, 4))


@pytest.mark.parametrize(
    "function",
    [
        lambda self, x: F.softmax(x, 2),
        lambda self, x: F.log_softmax(x, -1),
        lambda self, x: x.mean(2, keepdim=True),
        lambda self, x: x.mean(1),
        lambda self, x: F.instance_norm(x),
        lambda self, x: torch.cat([x, 2 * x], 2),
    ],
)
def test_functions_that_look_along_space_reach_everything(function):
    responses, _ = assert_exact(Function(function), (9, 8))
    assert responses.footprint((slice(4, 5), slice(3, 4))) == tuple(slice(0, n) for n in responses.output.shape[2:])


@pytest.mark.parametrize(
    "function",
    [
        lambda self, x: F.relu(x, True) * 2 - 1,
        lambda self, x: 1 - torch.sigmoid(x) / 3,
        lambda self, x: x.add(1).mul_(x).tanh(),
        lambda self, x: F.leaky_relu(x, 0.1, True) + F.softplus(x),
        lambda self, x: torch.cat([x, F.pad(x, (1, 0, -1, 1)).relu()[:, :, :, 1:]], 1),
        lambda self, x: (x - self.mean) * self.gain,
        lambda self, x: x * self.row + self.gain,
        lambda self, x: x * self.column / self.channel,
        lambda self, x: torch.rsub(x, 2) + x,
        lambda self, x: F.pad(x, (1, 2)),
        lambda self, x: x * torch.sigmoid(F.adaptive_avg_pool2d(x, 1)),
        lambda self, x: x * x.mean((2, 3), keepdim=True),
        lambda self, x: x * torch.sigmoid(x.mean(1, keepdim=True)),
        lambda self, x: F.max_pool2d(x, 2) + F.avg_pool2d(x, 2),
        lambda self, x: F.interpolate(F.max_pool2d(x, 2), size=x.shape[2:]) + x,
        lambda self, x: F.conv2d(x, self.kernel, None, 1, "same"),
        lambda self, x: F.conv_transpose2d(x, self.kernel, stride=2, padding=1, output_padding=1),
        lambda self, x: x[:, 1:, 2:-1, ::2],
        lambda self, x: x[..., 1:] * 2,
        lambda self, x: F.dropout(x, 0.5, self.training) + F.elu(x),
        lambda self, x: x.view(x.size(0), -1).softmax(1).reshape(x.shape),
        lambda self, x: F.batch_norm(x, self.mean[0, :, 0, 0], self.gain.abs().expand(2)),
        lambda self, x: torch.maximum(x, self.mean) ** 2,
        lambda self, x: -x,
        lambda self, x: x[:, 1:, 1],
    ],
)
def test_functions_are_exact(function):
    buffers = {"mean": torch.zeros(1, 2, 10, 8), "gain": torch.tensor(1.0), "row": torch.zeros(8)}
    buffers |= {"column": torch.zeros(10, 1), "channel": torch.zeros(2, 1, 1)}
    assert_exact(Function(function, kernel=torch.zeros(2, 2, 3, 3), **buffers), (10, 8))
