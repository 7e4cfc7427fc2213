import numpy as np
import pytest
import torch
from torch import nn

from core.models.zoo import build
from core.networks.geometry import at_full_resolution, layer_sampling


def centres_by_probe(network: nn.Module, layer: nn.Module, x: torch.Tensor, axis: int) -> np.ndarray:
    """Centre of the input voxels that each of a layer's samples along `axis` depends on."""
    kept = []
    handle = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
    x = x.clone().requires_grad_(True)
    network(x)
    handle.remove()
    middle = [n // 2 for n in kept[0].shape[2:]]
    centres = []
    for sample in range(kept[0].shape[2 + axis]):
        place = list(middle)
        place[axis] = sample
        (gradient,) = torch.autograd.grad(kept[0][(0, slice(None), *place)].sum(), x, retain_graph=True)
        others = [a for a in range(x.ndim) if a != axis + 2]
        touched = torch.nonzero(gradient.abs().amax(dim=others)).ravel()
        centres.append((float(touched[0]) + float(touched[-1])) / 2)
    return np.array(centres)


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


def test_a_graph_that_strides_do_not_explain_falls_back_to_even_spreading():
    network = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Conv2d(1, 1, 1))
    sampling = layer_sampling(network, network[1], torch.rand(1, 1, 32, 64))
    assert sampling.step == (8.0, 16.0)
    assert sampling.start == (3.5, 7.5)
