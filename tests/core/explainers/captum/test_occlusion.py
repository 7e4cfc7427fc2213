import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from core.explainers import Question
from core.explainers.captum.occlusion import Occlusion
from core.explainers.hiding import fill_image
from core.scans.scan import Scan
from tests.core.explainers.test_networks_as_written import model_of
from tests.core.explainers.toys import randomised_drop
from tests.core.networks.userland import MAKERS, userland
from tests.oracles import maps as oracle


def test_occlusion_is_the_mean_fall_over_the_boxes_of_each_voxel(question, trained):
    if trained.dimensions == 2:
        window, stride, values = (4, 4), (3, 3), {"window_mm": 24.0, "stride_mm": 18.0}
    else:
        window, stride, values = (8, 8, 8), (6, 6, 6), {"window_mm": 48.0, "stride_mm": 36.0}
    found = Occlusion().attribute(question, Occlusion.parameters(values={**values, "baseline": "healthy_mean"}))
    baseline = fill_image(question.model, question.prepared, "healthy_mean")
    expected = oracle.occlusion(question.model.network, question.prepared.tensor, baseline, 1, window, stride)
    np.testing.assert_allclose(found.values, expected, atol=2e-3)


def test_occlusion_changes_when_the_weights_are_random(trained):
    assert randomised_drop(trained, "occlusion", window_mm=36.0, stride_mm=24.0, baseline="constant") > 0.6


@pytest.mark.parametrize("channels", [1, 2])
def test_a_box_covers_all_channels_and_its_fall_is_counted_once(trained, question, channels):
    torch.manual_seed(0)
    x = torch.rand(1, channels, *([8] * trained.dimensions))
    network = nn.Sequential(nn.Flatten(), nn.Linear(x.numel(), 2)).eval().requires_grad_(False)
    asked = Question(
        dataclasses.replace(question.model, network=network), dataclasses.replace(question.prepared, tensor=x), 1
    )
    values = {"window_mm": 24.0, "stride_mm": 24.0, "baseline": "constant", "baseline_value": 0.5}
    found = Occlusion().attribute(asked, Occlusion.parameters(values=values))
    box = (4,) * trained.dimensions
    expected = oracle.occlusion(network, x, torch.full_like(x, 0.5), 1, box, box)
    np.testing.assert_allclose(found.values, expected, atol=1e-5)


@pytest.mark.parametrize("name", MAKERS)
def test_occlusion_asks_the_network_and_not_a_copy_that_differs(name):
    model = model_of(userland(name))
    scan = Scan(np.random.default_rng(1).random((1, 24, 26), dtype=np.float32), np.eye(4))
    asked = Question(model, model.prepare(scan), 1)
    values = {"window_mm": 6.0, "stride_mm": 5.0, "baseline": "constant", "baseline_value": 0.5}
    found = Occlusion().attribute(asked, Occlusion.parameters(values=values)).values
    x = asked.prepared.tensor
    expected = oracle.occlusion(model.network, x, torch.full_like(x, 0.5), 1, (6, 6), (5, 5))
    np.testing.assert_allclose(found, expected, atol=2e-3 * np.abs(expected).max())
