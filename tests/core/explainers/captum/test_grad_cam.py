import numpy as np
import pytest

from core.errors import BadInput
from core.explainers import explain
from core.explainers.captum.grad_cam import GradCAM
from core.networks.geometry import at_full_resolution, layer_sampling
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
