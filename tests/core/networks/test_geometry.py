import numpy as np
import pytest
import torch
from torch import nn

from core.models.zoo import build
from core.networks.geometry import at_full_resolution, layer_sampling
from tests.core.networks.drawn import Written
from tests.core.networks.families import FAMILIES, ResNet, family


def fields_by_probe(network: nn.Module, layer: nn.Module, x: torch.Tensor, axis: int) -> np.ndarray:
    """First and last input voxel that each of a layer's samples along `axis` depends on, (samples, 2); −1 for none."""
    kept = []
    handle = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
    x = x.clone().requires_grad_(True)
    network(x)
    handle.remove()
    middle = [n // 2 for n in kept[0].shape[2:]]
    fields = []
    for sample in range(kept[0].shape[2 + axis]):
        place = list(middle)
        place[axis] = sample
        (gradient,) = torch.autograd.grad(kept[0][(0, slice(None), *place)].sum(), x, retain_graph=True)
        others = [a for a in range(x.ndim) if a != axis + 2]
        touched = torch.nonzero(gradient.abs().amax(dim=others)).ravel()
        fields.append((int(touched[0]), int(touched[-1])) if len(touched) else (-1, -1))
    return np.array(fields)


def centres_by_probe(network: nn.Module, layer: nn.Module, x: torch.Tensor, axis: int) -> np.ndarray:
    """Centre of the input voxels that each of a layer's samples along `axis` depends on."""
    return fields_by_probe(network, layer, x, axis).mean(axis=1)


@pytest.mark.parametrize("shape", [(61, 73), (45, 38)])
def test_samples_of_a_layer_lie_where_a_probe_of_the_network_finds_them(shape):
    """Average pooling in place of maximum pooling, so that a probe sees every voxel a sample depends on."""
    torch.manual_seed(0)
    network = build("block-cnn", {"shape": shape, "blocks": [(4, 1), (4, 1), (4, 1), (4, 1)]}).eval()
    for block in network.features:
        block.pool = nn.AvgPool2d(2, ceil_mode=True)
    x = torch.rand(1, 1, *shape)
    layer = network.features.block4.conv1
    sampling = layer_sampling(network, layer, x)
    for axis in range(2):
        found = centres_by_probe(network, layer, x, axis)
        inner = slice(2, -3)  # nearer the border padding cuts the fields
        expected = sampling.start[axis] + sampling.step[axis] * np.arange(len(found))
        np.testing.assert_allclose(found[inner], expected[inner], atol=0.01)
        assert sampling.step[axis] == 8


def test_full_resolution_map_has_the_layers_values_at_its_samples():
    network = nn.Sequential(nn.Conv3d(1, 2, 3, stride=3, padding=1), nn.Conv3d(2, 1, 1))
    x = torch.rand(1, 1, 10, 13, 9)
    sampling = layer_sampling(network, network[1], x)
    assert sampling.start == (0.0,) * 3
    assert sampling.step == (3.0,) * 3
    coarse = np.random.default_rng(0).random((4, 5, 3))
    fine = at_full_resolution(coarse, sampling, (10, 13, 9))
    np.testing.assert_allclose(fine[::3, ::3, ::3], coarse, atol=1e-6)
    assert fine[0, 0, 7] == pytest.approx((2 * coarse[0, 0, 2] + 0 * coarse[0, 0, 1]) / 2, abs=1e-6)
    assert fine[1, 0, 0] == pytest.approx((2 * coarse[0, 0, 0] + coarse[1, 0, 0]) / 3, abs=1e-6)


def all_seeing(network: nn.Module) -> nn.Module:
    """The same geometry with averages for maxima, no rectifiers and positive weights: a probe sees all that is read."""
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.MaxPool2d):
                setattr(parent, name, nn.AvgPool2d(layer.kernel_size, layer.stride, layer.padding, layer.ceil_mode))
            elif isinstance(layer, nn.ReLU):
                setattr(parent, name, nn.Identity())
    for weight in network.parameters():
        weight.data.uniform_(0.5, 1)
    return network


def assert_centres(network: nn.Module, layer: nn.Module, x: torch.Tensor, away: float = 0.01) -> int:
    """Compare with a probe where the border cuts no field; how many samples that were."""
    sampling, compared = layer_sampling(network, layer, x), 0
    for axis, size in enumerate(x.shape[2:]):
        fields = fields_by_probe(network, layer, x, axis)
        widths, inside = fields[:, 1] - fields[:, 0], (fields[:, 0] > 0) & (fields[:, 1] < size - 1)
        if not inside.any():
            continue
        # layers on the way cut fields too, where a stride leaves their last samples unread, or wrap them around
        whole = inside & (widths == np.bincount(widths[inside]).argmax())
        whole[[0, -1]] = False  # these may read nothing but what padding reflects
        expected = sampling.start[axis] + sampling.step[axis] * np.arange(len(fields))
        np.testing.assert_allclose(fields.mean(axis=1)[whole], expected[whole], atol=away)
        compared += int(whole.sum())
    return compared


@pytest.mark.parametrize(
    "name",
    [
        "resnet of two stages",
        "resnet-d",
        "densenet",
        "squeezenet",
        "inception",
        "mobilenet",
        "by hand",
        "convnext",
        "classes before pooling",
        "code that looks at values",
    ],
)
def test_samples_lie_where_a_probe_finds_them_in_networks_with_branches(name):
    network = all_seeing(family(name))
    layer = network.get_submodule(FAMILIES[name][1])
    assert assert_centres(network, layer, torch.rand(1, 1, 256, 192)) >= 2


def test_a_residual_network_of_224_pixels_has_its_first_sample_at_the_first_pixel():
    """Spread evenly they would begin at 15.5: half a step off."""
    for kind in ("plain", "se", "d"):
        network = ResNet(4, kind=kind).eval()
        sampling = layer_sampling(network, network.layer4, torch.rand(1, 1, 224, 224))
        assert (sampling.start, sampling.step) == ((0.0, 0.0), (32.0, 32.0))
    volume = ResNet(2, 3).eval()
    sampling = layer_sampling(volume, volume.layer2, torch.rand(1, 1, 40, 44, 48))
    assert (sampling.start, sampling.step) == ((0.0,) * 3, (8.0,) * 3)


def drawn_layer(random: np.random.Generator) -> nn.Module:
    """A layer of any geometry that keeps one channel."""
    kernel, stride, dilation = (int(random.integers(1, n)) for n in (6, 4, 3))
    pad = int(random.integers(0, kernel))
    return [
        nn.Conv2d(1, 1, kernel, stride, pad, dilation, bias=False),
        nn.Conv2d(1, 1, (kernel, 3), (1, stride), padding=(pad, 0), bias=False),
        nn.Conv2d(1, 1, kernel, padding=("same", "valid")[pad % 2], bias=False),
        nn.Conv2d(1, 1, kernel, padding=pad, padding_mode="reflect", bias=False),
        nn.Conv2d(1, 1, kernel, padding=pad, padding_mode="circular", bias=False),
        nn.Conv2d(1, 1, kernel, padding=pad, padding_mode="replicate", bias=False),
        nn.ConvTranspose2d(1, 1, 2 * stride, stride, pad // 2, bias=False),
        nn.AvgPool2d(kernel, stride, kernel // 2),
        nn.ZeroPad2d((pad, 0, 1, pad)),
        nn.ZeroPad2d((-1, -pad, 0, 0)),
        Cropped(pad, -1),
        nn.PixelUnshuffle(2),
    ][int(random.integers(0, 12))]


class Cropped(nn.Module):
    def __init__(self, start: int, stop: int) -> None:
        super().__init__()
        self.start, self.stop = start, stop

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :, self.start :, : self.stop]


class Mean(nn.Module):
    """Back to one channel."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(1, keepdim=True)


@pytest.mark.parametrize("seed", range(40))
def test_samples_lie_where_a_probe_finds_them_whatever_geometry(seed):
    random = np.random.default_rng(seed)
    network = nn.Sequential(*(part for _ in range(3) for part in (drawn_layer(random), Mean())))
    all_seeing(network).eval()
    x = torch.rand(1, 1, 96, 80)
    try:
        network(x)
    except RuntimeError:
        pytest.skip("too little is left to pad or to halve")
    step = max(layer_sampling(network, network[-1], x).step)
    # a transposed convolution's samples read fields that differ by a pixel from sample to sample
    uneven = any(isinstance(layer, nn.ConvTranspose2d) for layer in network)
    assert assert_centres(network, network[-1], x, step if uneven else 0.01) >= 2


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic", "align", "transposed", "shuffle"])
def test_an_up_sampled_map_lies_over_the_one_it_was_made_of(mode):
    up = {
        "align": nn.Upsample(size=(29, 33), mode="bilinear", align_corners=True),
        "transposed": nn.ConvTranspose2d(4, 4, 2, 2),
        "shuffle": nn.PixelShuffle(2),
    }.get(mode) or nn.Upsample(scale_factor=2, mode=mode)
    network = nn.Sequential(nn.Conv2d(1, 4, 3, 3), up)
    sampling = layer_sampling(network, up, torch.rand(1, 1, 45, 51))
    if mode == "align":
        np.testing.assert_allclose(sampling.start, (1.0, 1.0))
        np.testing.assert_allclose(sampling.step, (3 * 14 / 28, 3 * 16 / 32))
    else:
        # pixels 0 to 2 became two samples: a quarter of 3 to each side of 1
        np.testing.assert_allclose(sampling.start, (0.25, 0.25))
        np.testing.assert_allclose(sampling.step, (1.5, 1.5))


class MaxPoolOfOnesOwn(torch.autograd.Function):
    """Named like torch's, and keeps nothing of what torch's keeps."""

    @staticmethod
    def forward(ctx, x):
        return x[:, :, ::2, ::2].clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient.repeat_interleave(2, 2).repeat_interleave(2, 3)


class AlongLines(nn.Module):
    """A convolution over sequences, in the middle of an image network."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.line = nn.Conv2d(1, 4, 4, 4), nn.Conv1d(4, 4, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(x)
        return self.line(y.flatten(2)).reshape(y.shape)


@pytest.mark.parametrize(
    ("network", "start", "step"),
    [(AlongLines(), 1.5, 4.0), (Written(MaxPoolOfOnesOwn.apply, "own"), 0.5, 2.0)],
)
def test_what_no_rule_is_about_is_spread_evenly(network, start, step):
    sampling = layer_sampling(network, network, torch.rand(1, 1, 16, 24))
    assert (sampling.start, sampling.step) == ((start,) * 2, (step,) * 2)


def test_one_sample_that_was_up_sampled_is_spread_over_the_scan():
    network = nn.Sequential(nn.Conv2d(1, 2, 9), nn.Upsample(scale_factor=3, mode="bilinear", align_corners=True))
    sampling = layer_sampling(network, network[1], torch.rand(1, 1, 9, 9))
    np.testing.assert_allclose(sampling.step, (1 / 3, 1 / 3))
    np.testing.assert_allclose(sampling.start, (4 - 1 / 3, 4 - 1 / 3))


def test_a_layer_that_runs_twice_has_the_places_of_its_last_run():
    conv = nn.Conv2d(1, 1, 3, 2, 1)
    network = nn.Sequential(conv, nn.ReLU(), conv, nn.ReLU())
    sampling = layer_sampling(network, conv, torch.rand(1, 1, 33, 33))
    assert (sampling.start, sampling.step) == ((0.0, 0.0), (4.0, 4.0))


def test_the_map_of_a_reshaping_is_spread_evenly():
    class Patches(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.mix = nn.Conv2d(1, 4, 8, 8), nn.Linear(4, 4)
            self.out = nn.Conv2d(4, 4, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.conv(x)
            tokens = self.mix(y.flatten(2).transpose(1, 2)).transpose(1, 2)
            return self.out(tokens.reshape(y.shape)).mean((2, 3))

    network = Patches()
    sampling = layer_sampling(network, network.out, torch.rand(1, 1, 32, 48))
    assert (sampling.start, sampling.step) == ((3.5, 3.5), (8.0, 8.0))


def test_a_graph_that_strides_do_not_explain_falls_back_to_even_spreading():
    network = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Conv2d(1, 1, 1))
    sampling = layer_sampling(network, network[1], torch.rand(1, 1, 32, 64))
    assert sampling.step == (8.0, 16.0)
    assert sampling.start == (3.5, 7.5)
