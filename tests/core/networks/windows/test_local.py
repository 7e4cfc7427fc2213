"""Convolutions and pooling, windowed, against the whole layer in float64."""

import pytest
import torch
from torch import nn

from tests.core.networks.windows.windowing import assert_exact, drawn


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
def test_convolutions_of_any_geometry_are_exact(seed, mode):
    g = drawn(seed, kernel=(1, 5), stride=(1, 3), padding=(0, 3), dilation=(1, 3), height=(13, 19), width=(13, 20))
    generator = torch.Generator().manual_seed(100 + seed)
    other = int(torch.randint(1, 4, (1,), generator=generator))
    network = nn.Conv2d(
        2,
        4,
        (g["kernel"], other),
        (g["stride"], 1),
        (g["padding"], 1),
        (g["dilation"], 2),
        groups=1 + seed % 2,
        padding_mode=mode,
    )
    assert_exact(network, (g["height"], g["width"]), seed=seed)


@pytest.mark.parametrize("kernel", [2, 3, 4])
@pytest.mark.parametrize("mode", ["zeros", "reflect"])
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("dilation", [1, 2])
def test_padding_given_by_a_word_is_exact(kernel, mode, padding, dilation):
    assert_exact(nn.Conv2d(2, 3, kernel, padding=padding, dilation=dilation, padding_mode=mode), (11, 12))


@pytest.mark.parametrize("seed", range(16))
def test_transposed_convolutions_of_any_geometry_are_exact(seed):
    g = drawn(seed, kernel=(1, 5), stride=(1, 3), padding=(0, 2), dilation=(1, 2), height=(5, 9), width=(5, 9))
    padding = min(g["padding"], (g["kernel"] - 1) * g["dilation"])
    extra = min(seed % 2, max(g["stride"], g["dilation"]) - 1)
    network = nn.ConvTranspose2d(
        2, 4, (g["kernel"], 3), (g["stride"], 2), (padding, 1), (extra, 1), 1 + seed % 2, dilation=(g["dilation"], 1)
    )
    assert_exact(network, (g["height"], g["width"]), seed=seed)


@pytest.mark.parametrize("dilation", [1, 2, 3])
@pytest.mark.parametrize("stride", [2, 3, 4])
@pytest.mark.parametrize("kernel", [1, 2, 3])
def test_transposed_convolutions_that_leave_samples_unwritten_are_exact(kernel, stride, dilation):
    for padding in range((kernel - 1) * dilation + 2):
        for extra in {0, max(stride, dilation) - 1}:
            try:
                network = nn.ConvTranspose2d(2, 3, kernel, stride, padding, extra, dilation=dilation)
                network(torch.zeros(1, 2, 6, 7))
            except RuntimeError:
                continue  # nothing is left of the answer
            assert_exact(network, (6, 7), seed=padding)
            after = nn.Conv2d(3, 2, 3, padding=1)
            assert_exact(nn.Sequential(network, nn.ReLU(), after), (6, 7), seed=padding)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("ceil_mode", [False, True])
def test_max_pooling_is_exact(seed, ceil_mode):
    g = drawn(seed, kernel=(2, 4), stride=(1, 4), dilation=(1, 2), height=(9, 15), width=(9, 15))
    network = nn.MaxPool2d((g["kernel"], 3), (g["stride"], 2), (g["kernel"] // 2, 1), g["dilation"], False, ceil_mode)
    assert_exact(network, (g["height"], g["width"]), seed=seed)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("count_padding", [False, True])
@pytest.mark.parametrize("divisor", [None, 5])
def test_average_pooling_is_exact(seed, ceil_mode, count_padding, divisor):
    g = drawn(seed, kernel=(2, 4), stride=(1, 4), height=(9, 15), width=(9, 15))
    network = nn.AvgPool2d((g["kernel"], 3), (g["stride"], 2), (g["kernel"] // 2, 1), ceil_mode, count_padding, divisor)
    assert_exact(network, (g["height"], g["width"]), seed=seed)


@pytest.mark.parametrize("factor", [2, 3, (1, 2)])
@pytest.mark.parametrize("kernel", [2, 3, 5])
@pytest.mark.parametrize(("padding", "dilation"), [(0, 1), (1, 1), (3, 1), (1, 2)])
def test_a_convolution_of_an_up_sampled_image_works_on_the_small_one_and_is_exact(factor, kernel, padding, dilation):
    convolution = nn.Conv2d(3, 4, kernel, padding=padding, dilation=dilation)
    network = nn.Sequential(nn.Upsample(scale_factor=factor), convolution)
    responses, _ = assert_exact(network, (7, 6), channels=3)
    # sizes of kernels where the small grid is more work keep their two steps
    assert len(responses._steps) == 2 or kernel == 2 or dilation == 2


def test_a_convolution_to_many_channels_stays_on_the_up_sampled_image():
    responses, _ = assert_exact(nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(2, 5, 3, padding=1)), (7, 6))
    assert len(responses._steps) == 3


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv1d(2, 3, 3, padding=1),
        nn.ConvTranspose1d(2, 3, 3, stride=2),
        nn.MaxPool1d(3, 2),
        nn.AvgPool1d(3, 2, 1),
        nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv1d(2, 3, 3, padding=1)),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_layers_of_one_dimension_are_exact_and_local(layer):
    _, local = assert_exact(layer, (14,))
    assert local >= 3


def test_a_convolution_of_an_up_sampled_volume_is_exact():
    responses, _ = assert_exact(nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv3d(2, 3, 3, padding=1)), (4, 5, 3))
    assert len(responses._steps) == 2


def test_a_stride_that_skips_the_window_reaches_nothing():
    responses, _ = assert_exact(nn.Conv2d(2, 1, 1, stride=3), (9, 9))
    assert responses.footprint((slice(1, 3), slice(0, 9))) is None
