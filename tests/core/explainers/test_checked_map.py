"""Maps that are tested by hiding what they mark, whatever made them."""

import dataclasses
import re

import numpy as np
import pytest
import torch
from torch import nn

from core.errors import BadInput, Cancelled
from core.explainers import explain, get_explainer
from core.explainers.base import MapArray
from core.explainers.captum.grad_cam import GradCAM
from core.explainers.captum.guided_backpropagation import GuidedBackpropagation
from core.explainers.captum.integrated_gradients import IntegratedGradients
from core.explainers.captum.occlusion import Occlusion
from core.explainers.captum.saliency import Saliency
from core.explainers.captum.smoothgrad import SmoothGrad
from core.explainers.checked_map import _hiding_checks, layer_by_default
from core.progress import Progress
from core.wording import percent
from tests.core.explainers.test_networks_as_written import model_of
from tests.core.explainers.toys import randomised_drop

MAPS = ("saliency", "integrated_gradients", "smoothgrad", "grad_cam", "guided_backpropagation", "occlusion")


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
    before, after = percent(found.scores["before"]["AD"]), percent(found.scores["after"]["AD"])
    change = f"leaves AD at {after};" if before == after else f"takes AD from {before} to {after};"
    assert f"Replacing the strongest 10% of the map by mean healthy tissue {change}" in found.sentence
    assert get_explainer(name).done(found.parameters, found.numbers) == "with the map's top 10% replaced"


@pytest.mark.parametrize("name", (*MAPS, "deconvnet"))
@pytest.mark.parametrize("target", ["AD", None])
def test_every_map_is_told_in_words_and_how_it_was_made_in_a_line_of_its_own(trained, name, target):
    cls = get_explainer(name)
    found = explain(trained.scan(400), trained.model, name)
    told = dataclasses.replace(found, target=target)
    here, nowhere = cls.finding(told, "the left hippocampus (31%)"), cls.finding(told, "")
    assert "the left hippocampus (31%)" in here
    assert "hippocampus" not in nowhere
    for words in (here, nowhere):
        assert words.endswith(".") and "None" not in words
        assert not re.search(r"gradient|logit|layer|filter|derivative", words)
    assert re.search(r"logit|layer", cls.technical(found))
    assert cls.technical(found).endswith(".")


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


@pytest.mark.parametrize("name", ["saliency", "smoothgrad"])
def test_gradient_maps_change_when_the_weights_are_random(trained, name):
    assert randomised_drop(trained, name) > 0.6


class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer, self.relu = nn.Linear(4, 2), nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu(torch.relu(self.layer(x.flatten(1))))


def test_explainers_say_which_networks_they_do_not_fit(trained):
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
    assert found.sentence.startswith("The map is zero everywhere: it says nothing about this scan.")
    assert "replaced" not in found.sentence
    assert [(check.name, check.passed) for check in found.checks] == [("hide_top", False)]
    assert any("weighting=elementwise" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("before", "after", "control", "passed"),
    [
        (0.9, 0.45, 0.45, [True, True]),
        (0.9, 0.46, 0.44, [False, False]),
        (0.4, 0.0, 0.4, [None, None]),  # the model did not call the scan so: there was no answer to change
    ],
)
def test_hiding_must_halve_the_score_and_random_places_must_not(before, after, control, passed):
    checks = _hiding_checks("AD", before, after, control, 5.0, True)
    assert [check.name for check in checks] == ["hide_top", "control"]
    assert [check.passed for check in checks] == passed


def test_the_layer_by_default_is_the_cards_else_what_the_network_shows(trained):
    assert layer_by_default(trained.model) == trained.model.card.attribution_layer
    unnamed = trained.model.card.model_copy(update={"attribution_layer": None})
    assert layer_by_default(dataclasses.replace(trained.model, card=unnamed)) == "features.block3.conv1"
    without = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    assert layer_by_default(dataclasses.replace(trained.model, card=unnamed, network=without)) is None


class OnlyLarge(nn.Module):
    """Takes no image smaller than so many pixels; its last convolution makes a gate."""

    def __init__(self, smallest: int) -> None:
        super().__init__()
        self.first, self.second, self.gate = nn.Conv2d(1, 2, 3), nn.Conv2d(2, 4, 3), nn.Conv2d(4, 4, 1)
        self.smallest = smallest

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if min(x.shape[2:]) < self.smallest:
            raise ZeroDivisionError("too small")
        x = self.second(self.first(x))
        return (x * self.gate(x.mean((2, 3), keepdim=True)).sigmoid()).mean((2, 3))


@pytest.mark.parametrize(("smallest", "layer"), [(200, "second"), (100, "second"), (10_000, "gate")])
def test_a_network_of_images_of_any_size_is_tried_with_large_ones(smallest, layer):
    """One that takes none of them has its last convolution."""
    model = model_of(OnlyLarge(smallest))
    contract = model.card.input.model_copy(update={"shape": None, "multiple_of": 7})
    model = dataclasses.replace(model, card=model.card.model_copy(update={"input": contract}))
    assert layer_by_default(model) == layer
