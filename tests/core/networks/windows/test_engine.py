"""Whole networks, windowed, against the network itself in float64."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from core.networks.windows.engine import Unwindowable, WindowResponses
from tests.core.networks.windows.windowing import MEMORY, Function, assert_exact, ready, windows_of


def test_a_deep_chain_with_a_skip_is_exact_and_local():
    network = Function(
        lambda self, x: self.last(torch.cat([self.up(self.deep(self.pool(self.first(x)))), self.first(x)], 1)),
        first=nn.Sequential(nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(True)),
        pool=nn.MaxPool2d(2, ceil_mode=True),
        deep=nn.Sequential(nn.Conv2d(4, 6, 3, padding=1, padding_mode="reflect"), nn.ReLU(True), nn.Conv2d(6, 4, 1)),
        up=nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(4, 4, 3, padding=1)),
        last=nn.Sequential(nn.Conv2d(8, 1, 3, padding=1), nn.Tanh()),
    )
    _, local = assert_exact(network, (22, 26))
    assert local >= 5


class UNetBlock(nn.Module):
    """One level of pix2pix: its in-place activation also changes what its own skip connection hands on."""

    def __init__(self, outer, inner, inside=None, channels=None):
        super().__init__()
        outermost = channels is not None
        down = nn.Conv2d(channels or outer, inner, 4, 2, 1, bias=False)
        up = nn.ConvTranspose2d(inner if inside is None else 2 * inner, outer, 4, 2, 1, bias=outermost)
        before = [] if outermost else [nn.LeakyReLU(0.2, True)]
        norm = [] if outermost or inside is None else [nn.BatchNorm2d(inner)]
        after = [nn.Tanh()] if outermost else [nn.BatchNorm2d(outer), nn.Dropout(0.5)]
        middle = [] if inside is None else [inside]
        self.model = nn.Sequential(*before, down, *norm, *middle, nn.ReLU(True), up, *after)
        self.outermost = outermost

    def forward(self, x):
        return self.model(x) if self.outermost else torch.cat([x, self.model(x)], 1)


def unet(depth, width=4):
    block = UNetBlock(width, width)
    for _ in range(depth - 2):
        block = UNetBlock(width, width, block)
    return UNetBlock(1, width, block, channels=2)


def test_a_unet_down_to_one_pixel_is_exact():
    assert_exact(unet(5), (32, 32))


def test_a_network_in_three_dimensions_is_exact_and_local():
    network = nn.Sequential(
        nn.Conv3d(1, 3, 3, padding=1),
        nn.BatchNorm3d(3),
        nn.ReLU(True),
        nn.MaxPool3d(2, ceil_mode=True),
        nn.Conv3d(3, 4, 3, padding=1, padding_mode="replicate"),
        nn.LeakyReLU(),
        nn.Upsample(scale_factor=2, mode="trilinear"),
        nn.ConvTranspose3d(4, 2, 3, padding=1),
        nn.AvgPool3d(3, 1, 1),
    )
    _, local = assert_exact(network, (11, 12, 9), channels=1)
    assert local >= 4


@pytest.mark.parametrize("shape", [(20, 17), (12, 9, 11)])
def test_the_zoos_classifier_is_exact(shape):
    from core.models.zoo.block_cnn import BlockCNN

    network = BlockCNN(shape, blocks=((3, 1), (4, 2), (4, 1)))
    responses, _ = assert_exact(network, shape, channels=1)
    assert responses.footprint(tuple(slice(0, 1) for _ in shape)) == ()


@pytest.mark.parametrize(("dimensions", "shape"), [(2, (24, 16)), (3, (16, 12, 16))])
def test_the_zoos_autoencoder_is_exact_and_local(dimensions, shape):
    from core.models.zoo.autoencoder import Autoencoder

    network = Autoencoder(widths=(4, 3) if dimensions == 2 else (3, 2), dimensions=dimensions)
    responses, _ = assert_exact(network, shape, channels=1)
    corner = responses.footprint(tuple(slice(0, 1) for _ in shape))
    assert all(axis.stop < n for axis, n in zip(corner, shape, strict=True))


def test_the_zoos_unet_is_exact():
    from core.models.zoo.pix2pix_unet import Pix2PixUNet

    assert_exact(Pix2PixUNet(channels=3, width=3, levels=5), (32, 32), channels=3)


def test_repeated_calls_leave_the_kept_activations_alone():
    network = ready(unet(4))
    x = torch.randn(1, 2, 16, 16, dtype=torch.float64)
    responses = WindowResponses(network, x, MEMORY)
    window, values = (slice(3, 8), slice(5, 16)), torch.randn(4, 2, 5, 11, dtype=torch.float64)
    box, first = responses.changed(window, values)
    first = first.clone()
    for other in windows_of((16, 16)):
        _, answers = responses.changed(other, torch.randn(2, 2, *(a.stop - a.start for a in other)).double())
        answers.fill_(float("nan"))
    again = responses.changed(window, values)
    assert again[0] == box
    assert torch.equal(again[1], first)
    torch.testing.assert_close(responses.output, network(x))


def test_an_answer_that_is_the_input_can_be_overwritten_without_changing_what_was_given():
    responses = WindowResponses(nn.Identity(), torch.zeros(1, 1, 4, 4), MEMORY)
    values = torch.ones(2, 1, 2, 2)
    _, answers = responses.changed((slice(0, 2), slice(0, 2)), values)
    answers.zero_()
    assert values.min() == 1


def test_chunks_that_fit_little_memory_give_equal_answers():
    network = ready(nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 1, 3)))
    x = torch.randn(1, 1, 20, 20, dtype=torch.float64)
    window, values = (slice(4, 12), slice(5, 11)), torch.randn(23, 1, 8, 6, dtype=torch.float64)
    roomy, tight = WindowResponses(network, x, MEMORY), WindowResponses(network, x, 40_000)
    assert roomy.jitters_at_once(window) >= 23
    assert 1 <= tight.jitters_at_once(window) < 12
    box, answers = tight.changed(window, values)
    expected = roomy.changed(window, values)
    assert box == expected[0]
    torch.testing.assert_close(answers, expected[1])


@pytest.mark.parametrize(
    ("network", "numbers"),
    [
        # the window, twice the patch (12 × 10) below its outputs, and twice these (10 × 8)
        (nn.Conv2d(3, 2, 3, padding=1), 3 * 8 * 6 + 2 * 3 * 12 * 10 + 2 * 2 * 10 * 8),
        # no patch: the window, and twice its outputs
        (nn.ReLU(), 3 * 3 * 8 * 6),
        # the patch is all of the image, and the outputs are two numbers
        (nn.Sequential(nn.Flatten(), nn.Linear(1200, 2)), 3 * 8 * 6 + 2 * 1200 + 2 * 1200),
    ],
    ids=["neighbours", "one position", "everything"],
)
def test_as_many_changes_are_worked_on_at_once_as_memory_holds(network, numbers):
    network, one = ready(network), 8 * numbers
    x = torch.randn(1, 3, 20, 20, dtype=torch.float64)
    window = (slice(4, 12), slice(5, 11))
    for memory, rows in ((7 * one, 7), (7 * one - 1, 6), (one - 1, 1)):
        assert WindowResponses(network, x, memory).jitters_at_once(window) == rows


def test_a_network_left_in_training_mode_is_asked_in_eval_mode_and_left_as_it_was():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout())
    x = torch.randn(1, 1, 8, 8)
    responses = WindowResponses(network, x, MEMORY)
    assert network.training
    assert network[1].num_batches_tracked == 0
    torch.testing.assert_close(responses.output, network.eval()(x))


class Branching(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


class Two(nn.Module):
    def forward(self, x, y):
        return x + y


class Twice(nn.Module):
    def forward(self, x):
        return torch.relu(x) + 2 * x


class Scaled(nn.Module):
    def forward(self, x, scale=3.0):
        return x * scale


class PartWritten(nn.Module):
    def forward(self, x):
        y = x + 1
        y[:, :1].relu_()
        return y


def test_what_two_steps_read_is_not_written_over_by_the_first():
    layer = nn.Conv2d(2, 2, 3, padding=1)
    assert_exact(Function(lambda self, x: self.twice(self.layer(x)), layer=layer, twice=Twice()), (9, 8))


def test_a_second_input_with_a_default_is_a_constant():
    assert_exact(nn.Sequential(nn.Conv2d(2, 1, 3), Scaled()), (9, 8))
    assert_exact(Scaled(), (9, 8))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_network_whose_answer_is_infinite_in_places_is_followed(sign):
    network = ready(Function(lambda self, x: sign * torch.log(F.relu(self.layer(x))), layer=nn.Conv2d(1, 1, 3)))
    x, window = torch.randn(1, 1, 12, 12, dtype=torch.float64), (slice(5, 8), slice(5, 8))
    box, answers = WindowResponses(network, x, MEMORY).changed(window, torch.zeros(1, 1, 3, 3, dtype=torch.float64))
    changed = x.clone()
    changed[..., 5:8, 5:8] = 0
    expected = network(changed)[(0, slice(None), *box)]
    assert expected.isinf().any()
    torch.testing.assert_close(answers[0], expected)


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (Branching(), "traced"),
        (Two(), "cannot be traced"),
        (Function(lambda self, x: torch.fft.fft2(x).abs()), "fft_fft2"),
        (Function(lambda self, x: x - x.mean(0, keepdim=True)), "mixes the images"),
        (Function(lambda self, x: x - x.mean()), "first axis"),
        (Function(lambda self, x: x * torch.rand(1)), "."),
        (Function(lambda self, x: F.dropout(x)), "dropout"),
        (Function(lambda self, x: torch.cat([x, x], 0)), "cat"),
        (Function(lambda self, x: x * x.shape[0]), "mul"),
        (Function(lambda self, x: torch.cat([x, self.plane], 2), plane=torch.zeros(1, 2, 1, 8)), "cat"),
        (Function(lambda self, x: {"answer": x}), "not one tensor"),
        (Function(lambda self, x: x[x > 0]), "."),
        (nn.Sequential(nn.BatchNorm2d(2, track_running_stats=False)), "mixes the images"),
        (nn.Sequential(nn.MaxPool2d(2, return_indices=True)), "MaxPool2d"),
        (nn.Sequential(nn.Fold((4, 4), 2)), "."),
        (PartWritten(), "writes into a part"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_a_reason(network, reason):
    with pytest.raises(Unwindowable, match=reason):
        WindowResponses(network.eval(), torch.randn(1, 2, 8, 8), MEMORY)


def test_a_wrong_footprint_is_found_out_by_the_first_check():
    conv = nn.Conv2d(1, 1, 3, padding=1)
    # torch.fx's stand-in for a tensor is none: the graph lacks what is added
    network = Function(
        lambda self, x: self.conv(x) + (x.mean() ** 2 if type(x) is torch.Tensor else 0), conv=conv
    ).eval()
    with pytest.raises(Unwindowable, match="differs from what its layers say"):
        WindowResponses(network, torch.randn(1, 1, 9, 9), MEMORY)


def test_a_layer_with_code_hooked_on_it_is_refused_by_name():
    network = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.ReLU()).eval()
    network[0].register_forward_hook(lambda module, inputs, output: output + inputs[0].mean() ** 2)
    with pytest.raises(Unwindowable, match=r"the layer Conv2d \(0\.0\) has hooks|the layer Conv2d \(0\) has hooks"):
        WindowResponses(network, torch.randn(1, 1, 9, 9), MEMORY)
