"""Every operation, windowed, against the whole network in float64."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from core.explainers._windows import Unwindowable, WindowResponses

MEMORY = 64 * 2**20


class Function(nn.Module):
    """A network written as one function, with layers it may use."""

    def __init__(self, function, **layers):
        super().__init__()
        self.function = function
        for name, layer in layers.items():
            if isinstance(layer, nn.Module):
                self.add_module(name, layer)
            else:
                self.register_buffer(name, layer)

    def forward(self, x):
        return self.function(self, x)


def windows_of(shape, seed=0, drawn=3):
    """All of the grid, one sample at each end, and some drawn."""
    generator = torch.Generator().manual_seed(seed)
    boxes = [
        tuple(slice(0, n) for n in shape),
        tuple(slice(0, 1) for _ in shape),
        tuple(slice(n - 1, n) for n in shape),
        tuple(slice(n // 2, n // 2 + 1) for n in shape),
    ]
    for _ in range(drawn):
        box = []
        for n in shape:
            a, b = sorted(torch.randint(0, n, (2,), generator=generator).tolist())
            box.append(slice(a, b + 1))
        boxes.append(tuple(box))
    return boxes


def ready(network, seed=0):
    """float64, eval, every weight and statistic drawn."""
    torch.manual_seed(seed)
    network = network.double().eval()
    for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
        if tensor.is_floating_point():
            tensor.data = torch.rand_like(tensor) + 0.5 if "var" in name else 0.5 * torch.randn_like(tensor)
    return network


def assert_exact(network, shape, channels=2, seed=0, windows=None, x=None):
    network = ready(network, seed)
    if x is None:
        x = torch.randn(1, channels, *shape, dtype=torch.float64)
    untouched = x.clone()
    responses = WindowResponses(network, x, MEMORY)
    assert torch.equal(x, untouched)
    original = network(x.clone())
    torch.testing.assert_close(responses.output, original, rtol=1e-9, atol=1e-11)
    local = 0
    for window in windows or windows_of(shape, seed):
        values = torch.randn(3, channels, *(a.stop - a.start for a in window), dtype=torch.float64)
        kept = values.clone()
        footprint = responses.footprint(window)
        box, answers = responses.changed(window, values)
        assert torch.equal(values, kept)
        if footprint is None:
            assert answers.numel() == 0
        else:
            assert footprint == box
            local += box != tuple(slice(0, n) for n in original.shape[2:])
        for value, answer in zip(values, answers, strict=True):
            changed = x.clone()
            changed[(0, slice(None), *window)] = value
            expected = original.clone()
            if footprint is not None:
                expected[(0, slice(None), *box)] = answer
            torch.testing.assert_close(expected, network(changed), rtol=1e-9, atol=1e-10)
    return responses, local


def drawn(seed, **ranges):
    """One number of each range, per axis."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: int(low + torch.randint(0, high - low + 1, (1,), generator=generator))
        for name, (low, high) in ranges.items()
    }


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
def test_padding_given_by_a_word_is_exact(kernel, mode, padding):
    assert_exact(nn.Conv2d(2, 3, kernel, padding=padding, dilation=2, padding_mode=mode), (11, 12))


@pytest.mark.parametrize("seed", range(16))
def test_transposed_convolutions_of_any_geometry_are_exact(seed):
    g = drawn(seed, kernel=(1, 5), stride=(1, 3), padding=(0, 2), dilation=(1, 2), height=(5, 9), width=(5, 9))
    padding = min(g["padding"], (g["kernel"] - 1) * g["dilation"])
    extra = min(seed % 2, max(g["stride"], g["dilation"]) - 1)
    network = nn.ConvTranspose2d(
        2, 4, (g["kernel"], 3), (g["stride"], 2), (padding, 1), (extra, 1), 1 + seed % 2, dilation=(g["dilation"], 1)
    )
    assert_exact(network, (g["height"], g["width"]), seed=seed)


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


@pytest.mark.parametrize("factor", [2, 3, (1, 2)])
@pytest.mark.parametrize("kernel", [2, 3, 5])
@pytest.mark.parametrize(("padding", "dilation"), [(0, 1), (1, 1), (3, 1), (1, 2)])
def test_a_convolution_of_an_up_sampled_image_works_on_the_small_one_and_is_exact(factor, kernel, padding, dilation):
    convolution = nn.Conv2d(3, 4, kernel, padding=padding, dilation=dilation)
    network = nn.Sequential(nn.Upsample(scale_factor=factor), convolution)
    responses, _ = assert_exact(network, (7, 6), channels=3)
    # sizes of kernels where the small grid is more work keep their two steps
    assert len(responses._steps) == 2 or kernel == 2 or dilation == 2


def test_a_convolution_of_an_up_sampled_volume_is_exact():
    responses, _ = assert_exact(nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv3d(2, 3, 3, padding=1)), (4, 5, 3))
    assert len(responses._steps) == 2


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
        lambda self, x: x.flip(1) if False else -x,
    ],
)
def test_functions_are_exact(function):
    buffers = {"mean": torch.zeros(1, 2, 10, 8), "gain": torch.tensor(1.0), "row": torch.zeros(8)}
    assert_exact(Function(function, kernel=torch.zeros(2, 2, 3, 3), **buffers), (10, 8))


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


def test_a_stride_that_skips_the_window_reaches_nothing():
    responses, _ = assert_exact(nn.Conv2d(2, 1, 1, stride=3), (9, 9))
    assert responses.footprint((slice(1, 3), slice(0, 9))) is None


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


class PartWritten(nn.Module):
    def forward(self, x):
        y = x + 1
        y[:, :1].relu_()
        return y


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (Branching(), "traced"),
        (Function(lambda self, x: torch.fft.fft2(x).abs()), "fft_fft2"),
        (Function(lambda self, x: x - x.mean(0, keepdim=True)), "mixes the images"),
        (Function(lambda self, x: x - x.mean()), "first axis"),
        (Function(lambda self, x: x * torch.rand(1)), "."),
        (Function(lambda self, x: F.dropout(x)), "dropout"),
        (Function(lambda self, x: torch.cat([x, x], 0)), "cat"),
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
    network = nn.Conv2d(1, 1, 3, padding=1).eval()
    network.register_forward_hook(lambda module, inputs, output: output + inputs[0].mean() ** 2)
    with pytest.raises(Unwindowable, match="differs from what its layers say"):
        WindowResponses(network, torch.randn(1, 1, 9, 9), MEMORY)
