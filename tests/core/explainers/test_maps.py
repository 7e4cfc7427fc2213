"""The maps made with Captum against loops that follow the papers line by line."""

import numpy as np
import pytest
import torch
from torch import nn

from core.errors import BadInput, Cancelled
from core.explainers import Question, explain, get_explainer
from core.explainers._geometry import at_full_resolution, layer_sampling
from core.explainers._hiding import fill_image
from core.explainers.base import MapArray
from core.explainers.grad_cam import GradCAM
from core.explainers.guided_backpropagation import GuidedBackpropagation, hookable_copy
from core.explainers.integrated_gradients import IntegratedGradients
from core.explainers.occlusion import Occlusion
from core.explainers.saliency import Saliency
from core.explainers.smoothgrad import SmoothGrad
from core.metrics.sanity import randomisation_check
from core.progress import Progress
from core.wording import percent
from tests.oracles import maps as oracle

MAPS = ("saliency", "integrated_gradients", "smoothgrad", "grad_cam", "guided_backpropagation", "occlusion")


@pytest.fixture(scope="module")
def question(trained):
    return Question(trained.model, trained.model.prepare(trained.scan(400)), 1)


def test_saliency_is_the_gradient_of_the_logit(question):
    x, network = question.prepared.tensor, question.model.network
    signed = Saliency().attribute(question, Saliency.parameters(values={"signed": True}))
    np.testing.assert_allclose(signed.values, oracle.gradient(network, x, 1)[0], atol=1e-5)
    place = np.unravel_index(np.abs(signed.values).argmax(), signed.values.shape)
    assert signed.values[place] == pytest.approx(oracle.finite_difference(network, x, 1, place, 1e-2), rel=0.1)
    size = Saliency().attribute(question, Saliency.parameters())
    np.testing.assert_allclose(size.values, np.abs(signed.values), atol=1e-6)
    assert (signed.diverging, size.diverging) == (True, False)


def test_integrated_gradients_are_the_path_integral_and_add_up(question):
    parameters = IntegratedGradients.parameters(values={"steps": 64, "baseline": "healthy_mean"})
    found = IntegratedGradients().attribute(question, parameters)
    baseline = fill_image(question.model, question.prepared, "healthy_mean")
    expected = oracle.integrated_gradients(question.model.network, question.prepared.tensor, baseline, 1, 400)[0]
    np.testing.assert_allclose(found.values, expected, atol=0.03 * np.abs(expected).max())
    (check,) = IntegratedGradients().checks(question, parameters, found.values)
    assert check.passed
    (wrong,) = IntegratedGradients().checks(question, parameters, found.values * 1.2)
    assert not wrong.passed


def test_smoothgrad_is_the_mean_gradient_over_noisy_copies(question):
    """Captum draws the noise: seen from inside, its copies give the same map through the plain loop."""
    copies: list[torch.Tensor] = []
    handle = question.model.network.register_forward_pre_hook(
        lambda module, inputs: copies.extend(c[None].detach().clone() for c in inputs[0])
    )
    try:
        found = SmoothGrad().attribute(question, SmoothGrad.parameters(values={"samples": 5, "signed": True}))
    finally:
        handle.remove()
    assert len(copies) == 5
    expected = oracle.smoothgrad(question.model.network, copies, 1)[0]
    np.testing.assert_allclose(found.values, expected, atol=1e-4)
    spread = torch.cat(copies).sub(question.prepared.tensor).std()
    range_of_scan = question.prepared.tensor.max() - question.prepared.tensor.min()
    assert float(spread) == pytest.approx(0.1 * float(range_of_scan), rel=0.1)


def test_smoothgrad_draws_the_same_noise_for_the_same_seed_and_leaves_the_worlds_generator_alone(question):
    torch.manual_seed(3)
    first = SmoothGrad().attribute(question, SmoothGrad.parameters(values={"samples": 2})).values
    after = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(torch.rand(1), after)
    again = SmoothGrad().attribute(question, SmoothGrad.parameters(values={"samples": 2})).values
    other = SmoothGrad().attribute(question, SmoothGrad.parameters(values={"samples": 2, "seed": 1})).values
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


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


def test_guided_backpropagation_rectifies_every_gradient(question):
    network = question.model.network
    layers = [network.centring]
    for block in network.features:
        layers += list(block)
    layers += [nn.Flatten(1), network.classifier]
    expected = oracle.guided_backpropagation(layers, question.prepared.tensor, 1)[0]
    found = GuidedBackpropagation().attribute(question, GuidedBackpropagation.parameters()).values
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert not np.allclose(found, oracle.gradient(network, question.prepared.tensor, 1)[0], atol=1e-3)


def test_hookable_copy_answers_like_the_network_even_when_its_rectifiers_are_in_place(question):
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.LeakyReLU(0.2, inplace=True))
    x = torch.rand(1, 1, 5, 5)
    copy = hookable_copy(network)
    torch.testing.assert_close(copy(x), network(x))
    assert all(isinstance(copy[i], nn.ReLU) and not copy[i].inplace for i in (1, 3))
    assert network[1].inplace


def test_occlusion_is_the_mean_fall_over_the_boxes_of_each_voxel(question, trained):
    if trained.dimensions == 2:
        window, stride, values = (4, 4), (3, 3), {"window_mm": 24.0, "stride_mm": 18.0}
    else:
        window, stride, values = (8, 8, 8), (6, 6, 6), {"window_mm": 48.0, "stride_mm": 36.0}
    found = Occlusion().attribute(question, Occlusion.parameters(values={**values, "baseline": "healthy_mean"}))
    baseline = fill_image(question.model, question.prepared, "healthy_mean")
    expected = oracle.occlusion(question.model.network, question.prepared.tensor, baseline, 1, window, stride)
    np.testing.assert_allclose(found.values, expected, atol=2e-3)


@pytest.mark.parametrize("name", MAPS)
def test_every_map_is_tested_by_hiding_its_top_and_random_places(trained, name):
    found = explain(trained.scan(400), trained.model, name, target="AD", hide_share=10.0)
    hidden = np.abs(found.arrays["perturbed"].values - found.scan.array[0]) > 1e-7
    support = trained.model.references["support"] > 0.5
    assert hidden[support].mean() <= 0.101
    assert not hidden[~support].any()
    masked = torch.from_numpy(found.arrays["perturbed"].values)[None, None]
    assert found.scores["after"] == pytest.approx(trained.model.probabilities(masked), abs=1e-5)
    checks = {check.name: check for check in found.checks}
    assert {"hide_top", "control"} <= set(checks)
    assert checks["hide_top"].passed == (found.scores["after"]["AD"] <= found.scores["before"]["AD"] / 2)
    assert f" AD is {percent(found.scores['after']['AD'])};" in found.sentence


@pytest.mark.parametrize("name", ["integrated_gradients", "smoothgrad", "occlusion"])
def test_long_maps_report_progress_and_stop_when_cancelled(trained, name):
    seen: list[Progress] = []

    def report(progress: Progress) -> None:
        seen.append(progress)
        if len(seen) == 4:
            raise Cancelled

    with pytest.raises(Cancelled):
        explain(trained.scan(400), trained.model, name, report=report)
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert 0 < fractions[-1] < 1


def randomised_drop(trained, name: str, **options) -> float:
    import dataclasses

    def make_map(network: nn.Module) -> np.ndarray:
        model = dataclasses.replace(trained.model, network=network)
        return explain(trained.scan(400), model, name, target="AD", **options).arrays["map"].values

    support = trained.model.references["support"] > 0.5
    return randomisation_check(make_map, trained.model.network, support=support, seeds=(0, 1)).relative


@pytest.mark.parametrize("name", ["saliency", "smoothgrad"])
def test_gradient_maps_change_when_the_weights_are_random(trained, name):
    assert randomised_drop(trained, name) > 0.6


def test_occlusion_changes_when_the_weights_are_random(trained):
    assert randomised_drop(trained, "occlusion", window_mm=36.0, stride_mm=24.0, baseline="constant") > 0.6


def test_integrated_gradients_change_less_since_they_carry_the_scans_difference_to_the_baseline(trained):
    """Their page says so: the factor scan − baseline is in the map whatever the weights are."""
    assert 0.2 < randomised_drop(trained, "integrated_gradients") < randomised_drop(trained, "saliency")


def test_layer_for_grad_cam_comes_from_the_card_and_is_recorded(trained):
    found = explain(trained.scan(400), trained.model, "grad_cam")
    assert found.parameters["layer"] == trained.model.card.attribution_layer
    with pytest.raises(BadInput, match="no layer"):
        explain(trained.scan(400), trained.model, "grad_cam", layer="features.block9")


class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer, self.relu = nn.Linear(4, 2), nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu(torch.relu(self.layer(x.flatten(1))))


def test_explainers_say_which_networks_they_do_not_fit(trained):
    import dataclasses

    dense = dataclasses.replace(trained.model, network=nn.Sequential(nn.Flatten(), nn.Linear(4, 2)))
    assert "convolution" in GradCAM.unfit(dense)
    assert "none as modules" in GuidedBackpropagation.unfit(dense)
    functional = dataclasses.replace(trained.model, network=Functional())
    assert "functions" in GuidedBackpropagation.unfit(functional)
    regressor = trained.model.card.model_copy(update={"task": "regression"})
    model = dataclasses.replace(trained.model, card=regressor)
    for explainer in (Saliency, IntegratedGradients, SmoothGrad, GradCAM, GuidedBackpropagation, Occlusion):
        assert "regressor" in explainer.unfit(model)
        assert explainer.unfit(trained.model) is None
    with pytest.raises(BadInput, match="regressor"):
        explain(trained.scan(400), model, "saliency")


def test_a_map_that_is_zero_everywhere_is_said_to_be_empty_and_passes_no_check(trained, monkeypatch):
    def nothing(self, question, parameters):
        shape = question.prepared.tensor.shape[2:]
        return MapArray(np.zeros(shape, dtype=np.float32), self.title, "attribution")

    monkeypatch.setattr(GradCAM, "attribute", nothing)
    found = explain(trained.scan(400), trained.model, "grad_cam")
    assert found.sentence.endswith("the map is zero everywhere: it says nothing about this scan.")
    assert "replaced" not in found.sentence
    assert [(check.name, check.passed) for check in found.checks] == [("hide_top", False)]
    assert any("weighting=elementwise" in warning for warning in found.warnings)


def test_grad_cam_refuses_a_layer_without_a_map(trained):
    with pytest.raises(BadInput, match=r"gives no map: take a convolution layer, features\.block1\.conv1"):
        explain(trained.scan(400), trained.model, "grad_cam", layer="classifier")


def test_a_region_given_to_an_explainer_that_takes_none_is_said_to_have_changed_nothing(trained):
    region = np.ones(trained.scan(400).shape, dtype=bool)
    with_region = explain(trained.scan(400), trained.model, "saliency", region=region)
    without = explain(trained.scan(400), trained.model, "saliency")
    np.testing.assert_array_equal(with_region.arrays["map"].values, without.arrays["map"].values)
    assert "Saliency takes no region: yours changed nothing" in with_region.warnings
    assert not any("region" in warning for warning in without.warnings)


@pytest.mark.parametrize("name", ["occlusion", "mask"])
@pytest.mark.parametrize("value", ["nan", "inf", float("nan"), float("-inf")])
def test_parameters_are_finite(name, value):
    parameter = {"occlusion": "baseline_value", "mask": "mu_value"}[name]
    with pytest.raises(BadInput, match=f"{parameter}.*finite"):
        get_explainer(name).parameters(values={parameter: value})
