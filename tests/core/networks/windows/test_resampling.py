"""Padding, up- and down-sampling, windowed, against the whole layer in float64."""

import pytest
import torch.nn.functional as F  # noqa: N812
from torch import nn

from tests.core.networks.windows.windowing import Function, assert_exact


@pytest.mark.parametrize(
    "options",
    [
        {"scale_factor": 2},
        {"scale_factor": (3, 1)},
        {"scale_factor": 1.7},
        {"size": (17, 23)},
        {"size": (5, 4)},
        {"scale_factor": 2.5, "mode": "nearest-exact"},
        {"scale_factor": 2, "mode": "bilinear"},
        {"scale_factor": (1.3, 2.6), "mode": "bilinear"},
        {"size": (20, 9), "mode": "bilinear", "align_corners": True},
        {"scale_factor": 2, "mode": "bicubic"},
        {"size": (14, 27), "mode": "bicubic", "align_corners": True},
        {"size": (5, 6), "mode": "area"},
    ],
)
@pytest.mark.parametrize("form", ["layer", "function"])
def test_resampling_is_exact_given_by_scale_or_size(options, form):
    function = Function(lambda self, x: F.interpolate(x, **options))
    network = nn.Upsample(**options) if form == "layer" else function
    _, local = assert_exact(network, (9, 11))
    assert local > 0


@pytest.mark.parametrize("size", [1, 3, (4, None)])
def test_adaptive_average_pooling_is_exact(size):
    assert_exact(nn.AdaptiveAvgPool2d(size), (9, 11))


@pytest.mark.parametrize(
    "layer",
    [
        nn.ZeroPad2d((1, 2, 0, 3)),
        nn.ZeroPad2d((-1, 2, 1, -2)),
        nn.ConstantPad2d(2, 0.7),
        nn.ReflectionPad2d((3, 1, 2, 4)),
        nn.ReplicationPad2d(3),
        nn.CircularPad2d((2, 3, 1, 1)),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_padding_layers_are_exact(layer):
    assert_exact(nn.Sequential(layer, nn.Conv2d(2, 2, 3)), (9, 8))
