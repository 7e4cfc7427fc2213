"""The mask on the demo model and the demo scan that ship: what a person sees in the first minute."""

import pytest
import torch
from torch import nn

from core.explainers import explain
from core.metrics.localisation import share_inside
from core.metrics.similarity import roi_densities, roi_similarity
from core.models import load_model
from core.networks.fast import fast_network
from core.phantoms.grey_matter.generator import planted_labels
from core.scans import load_scan
from core.settings import ASSETS
from core.wording import percent


@pytest.fixture(scope="module")
def explanation():
    scan = load_scan(ASSETS / "scans" / "ad-moderate.nii.gz")
    return explain(scan, load_model("alzheimer-phantom", "cpu"), "mask", target="AD")


def test_demo_scan_flips_with_most_of_its_mask_inside_the_planted_regions(explanation):
    assert explanation.scores["before"]["AD"] >= 0.9
    assert explanation.scores["after"]["AD"] <= 0.05
    truth = planted_labels(explanation.scan.grid) > 0
    assert share_inside(explanation.arrays["map"].values, truth) > 0.8
    assert all(check.passed for check in explanation.checks if check.name != "settled")
    assert explanation.verdict.state == "holds"


def test_demo_sentence_names_a_region_and_both_probabilities(explanation):
    assert "hippocamp" in explanation.sentence
    assert f"takes AD from {percent(explanation.scores['before']['AD'])}" in explanation.sentence


def test_demo_map_is_in_the_scans_own_grid_and_the_mask_preview_in_the_models(explanation):
    assert explanation.arrays["map"].values.shape == explanation.scan.shape
    shapes = set()

    def report(progress) -> None:
        if progress.preview is not None:
            shapes.add(progress.preview.shape)

    model = load_model("alzheimer-phantom", "cpu")
    explain(explanation.scan, model, "mask", target="AD", iterations=2, report=report)
    assert shapes == {tuple(model.card.input.shape)}


@pytest.mark.parametrize("file", ["ad-slice.png", "ad-moderate.nii.gz"])
def test_slice_model_is_explained_by_the_same_code_from_a_picture_or_a_volume(file):
    scan = load_scan(ASSETS / "scans" / file)
    found = explain(scan, load_model("alzheimer-phantom-slice", "cpu"), "mask", target="AD")
    assert found.scores["before"]["AD"] >= 0.9
    assert found.scores["after"]["AD"] <= 0.05
    assert found.arrays["map"].values.shape == scan.shape
    assert found.numbers["hidden_cm2"] > 0
    assert all(check.passed for check in found.checks if check.name != "settled")


@pytest.mark.parametrize("lambda_1", [1e-4, 1e-3])
def test_the_documented_call_works_for_other_prices(explanation, lambda_1):
    model = load_model("alzheimer-phantom", "cpu")
    found = explain(explanation.scan, model, "mask", target="AD", lambda_1=lambda_1, iterations=40)
    assert found.scores["after"]["AD"] <= 0.05
    assert found.parameters["lambda_1"] == lambda_1


def test_bfloat16_and_float32_loops_find_masks_in_the_same_regions(explanation):
    """The loop may run in bfloat16; what it finds must not be a matter of its rounding."""
    other = "float32" if fast_network(nn.Conv3d(1, 1, 1), 3).dtype == torch.bfloat16 else "bfloat16"

    model = load_model("alzheimer-phantom", "cpu")
    labels = planted_labels(explanation.scan.grid)
    found = explain(explanation.scan, model, "mask", target="AD", precision=other)
    densities = [roi_densities(e.arrays["map"].values, labels, range(1, 7)) for e in (explanation, found)]
    assert roi_similarity(*densities) > 0.95
