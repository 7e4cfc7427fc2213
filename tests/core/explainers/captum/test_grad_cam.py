import numpy as np
import pytest
import torch

from core.errors import BadInput
from core.explainers import Question, explain
from core.explainers.captum.grad_cam import GradCAM
from core.networks.geometry import at_full_resolution, layer_sampling
from core.scans.scan import Scan
from tests.core.explainers.test_networks_as_written import model_of
from tests.core.networks.families import FAMILIES, ResNet, family
from tests.oracles import maps as oracle


@pytest.mark.parametrize("layer", ["features.block2.conv1", "features.block3.conv1"])
def test_grad_cam_is_equations_1_and_2_at_the_layers_samples(question, layer):
    parameters = GradCAM.parameters(values={"layer": layer})
    found = GradCAM().attribute(question, parameters).values
    network, x = question.model.network, question.prepared.tensor
    coarse = oracle.grad_cam(network, question.model.layer(layer), x, 1)
    sampling = layer_sampling(network, question.model.layer(layer), x)
    # a layer's sample sits between voxels (step 2 and 4): the mean of the voxels around its centre gives it back
    for position in np.ndindex(coarse.shape):
        centre = [a + s * p for a, s, p in zip(sampling.start, sampling.step, position, strict=True)]
        if all(c + 0.5 <= n - 1 for c, n in zip(centre, found.shape, strict=True)):
            around = found[tuple(slice(int(c), int(c) + 2) for c in centre)]
            neighbours = coarse[tuple(slice(max(p - 1, 0), p + 2) for p in position)]
            assert neighbours.min() - 1e-5 <= around.mean() <= neighbours.max() + 1e-5
    assert found.shape == tuple(x.shape[2:])


def test_elementwise_weighting_multiplies_each_activation_by_its_own_gradient(question):
    layer = question.model.layer("features.block2.conv1")
    parameters = GradCAM.parameters("elementwise", {"layer": "features.block2.conv1", "rectify": False})
    found = GradCAM().attribute(question, parameters).values
    x = question.prepared.tensor
    sampling = layer_sampling(question.model.network, layer, x)
    coarse = oracle.gradient_times_activation(question.model.network, layer, x, 1)
    np.testing.assert_allclose(found, at_full_resolution(coarse, sampling, x.shape[2:]), atol=1e-5)
    assert found.min() < 0 < found.max()


def test_layer_for_grad_cam_comes_from_the_card_and_is_recorded(trained):
    found = explain(trained.scan(400), trained.model, "grad_cam")
    assert found.parameters["layer"] == trained.model.card.attribution_layer
    with pytest.raises(BadInput, match="no layer"):
        explain(trained.scan(400), trained.model, "grad_cam", layer="features.block9")


def test_grad_cam_refuses_a_layer_without_a_map(trained):
    with pytest.raises(BadInput, match=r"gives no map: take a convolution layer, features\.block1\.conv1"):
        explain(trained.scan(400), trained.model, "grad_cam", layer="classifier")


@pytest.mark.parametrize("name", FAMILIES)
def test_without_a_word_of_the_card_the_last_map_is_taken_in_every_family(name):
    model = model_of(family(name), shape=(96, 64))
    scan = Scan(np.random.default_rng(0).random((1, 96, 64), dtype=np.float32), np.eye(4))
    found = explain(scan, model, "grad_cam", rectify=False)
    assert found.parameters["layer"] == FAMILIES[name][1]
    assert found.arrays["map"].values.any()


def test_a_residual_networks_samples_lie_on_the_pixels_they_are_about():
    torch.manual_seed(3)
    model = model_of(ResNet(3), shape=(96, 64))
    scan = Scan(np.random.default_rng(0).random((1, 96, 64), dtype=np.float32), np.eye(4))
    found = explain(scan, model, "grad_cam", rectify=False).arrays["map"].values
    question = Question(model, model.prepare(scan), model.card.classes.index(explain(scan, model, "grad_cam").target))
    network, x = model.network, question.prepared.tensor
    kept = []
    handle = network.layer3.register_forward_hook(lambda module, inputs, output: kept.append(output))
    watched = x.clone().requires_grad_(True)
    score = network(watched)[0, question.target]
    handle.remove()
    (gradient,) = torch.autograd.grad(score, kept[0])
    coarse = (gradient.mean(dim=(2, 3), keepdim=True) * kept[0]).sum(dim=1)[0].detach().numpy()
    assert coarse.shape == (6, 4)
    np.testing.assert_allclose(found[::16, ::16], coarse, atol=1e-6 * np.abs(coarse).max())
    between = (coarse[1:, 1:] + coarse[:-1, 1:] + coarse[1:, :-1] + coarse[:-1, :-1]) / 4
    np.testing.assert_allclose(found[8:-8:16, 8:-8:16], between, atol=1e-5 * np.abs(coarse).max())
