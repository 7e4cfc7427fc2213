"""What is in ``assets``: made by the recipe, and good for what the demo promises."""

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from core.errors import BadInput
from core.models.inputs import prepare
from core.models.library import load_model
from core.models.model import Model
from core.phantoms.grey_matter.generator import PhantomParameters, mni_grid, phantom_scan, plan, planted_labels
from core.scans import Scan, load_scan
from core.settings import ASSETS
from core.training import get_recipe
from core.training.demo.recipe import (
    DEMO_SEED,
    DEMO_SESSIONS,
    SLICE_MODEL,
    VOLUME_MODEL,
    DemoParameters,
    slice_settings,
    volume_settings,
)
from core.training.recipes.classifier.parameters import ClassifierParameters

SCANS = ASSETS / "scans"
LISTED = yaml.safe_load((SCANS / "scans.yaml").read_text(encoding="utf-8"))
#: scans of the classifiers; those of image-to-image models have tests of their own
INDEX = [row for row in LISTED if "diagnosis" in row]


@pytest.fixture(scope="module", params=[VOLUME_MODEL, SLICE_MODEL])
def model(request: pytest.FixtureRequest) -> Model:
    return load_model(request.param, "cpu")


def test_the_shipped_models_were_made_with_the_settings_of_the_recipe(model: Model) -> None:
    settings = {VOLUME_MODEL: volume_settings, SLICE_MODEL: slice_settings}[model.card.name](DemoParameters())
    assert ClassifierParameters.model_validate(model.card.training.details) == settings
    assert model.card.training.command == "python -m core train demo --out assets"
    assert model.card.synthetic


def test_held_out_accuracy_is_high_and_no_artefact(model: Model) -> None:
    assert model.card.metrics["test"]["subjects"] >= 100
    assert model.card.metrics["test"]["balanced_accuracy"] >= 0.9
    swap = model.card.metrics["swap_test"]
    assert swap["probability_before"] >= 0.9
    assert swap["probability_planted_swapped"] <= 0.2
    assert swap["probability_elsewhere_swapped_lowest"] >= 0.9 * swap["probability_before"]


def test_fresh_phantoms_are_told_apart_and_the_swap_test_holds_for_them(model: Model) -> None:
    """Recomputed here, on subjects of another seed, at the resolution the models do not have."""
    parameters = PhantomParameters(seed=99, spacing_mm=2.5, twins=4)
    index = model.class_index("AD")
    grid = mni_grid(2.5)
    truth = prepare(Scan(planted_labels(grid)[None].astype(np.float32), grid.affine), model.card.input)
    planted = torch.from_numpy(truth.to_model(truth.scan.array[0]) > 0)
    healthy = torch.from_numpy(model.references["healthy_mean"])
    right = 0
    for session in plan(parameters):
        x = model.prepare(phantom_scan(session, parameters)).tensor
        answer = list(model.probabilities(x).values())[index]
        right += (answer > 0.5) == (session.diagnosis == "AD")
        if session.diagnosis == "AD":
            swapped = torch.where(planted, healthy, x)
            assert list(model.probabilities(swapped).values())[index] < 0.5 * answer
    assert right >= 7


@pytest.mark.parametrize("row", INDEX, ids=[row["file"] for row in INDEX])
def test_every_demo_scan_opens_and_its_model_gives_the_right_answer_with_confidence(row: dict) -> None:
    model = load_model(row["model"], "cpu")
    answer = model.predict(load_scan(SCANS / row["file"]))
    assert answer[row["diagnosis"]] >= 0.9
    assert "synthetic" in row["subtitle"]


@pytest.mark.parametrize("row", [r for r in INDEX if r["file"].endswith(".nii.gz")], ids=lambda row: row["file"])
def test_the_slice_model_takes_the_demo_volumes_too(row: dict) -> None:
    model = load_model(SLICE_MODEL, "cpu")
    assert model.predict(load_scan(SCANS / row["file"]))[row["diagnosis"]] >= 0.9


def test_a_demo_scan_is_what_the_generator_makes_today() -> None:
    session = DEMO_SESSIONS["ad-moderate.nii.gz"]
    made = phantom_scan(session, PhantomParameters(seed=DEMO_SEED), mni_grid(1.5))
    shipped = load_scan(SCANS / "ad-moderate.nii.gz")
    np.testing.assert_allclose(shipped.array, made.array, atol=0.6 / 255)
    np.testing.assert_allclose(shipped.affine, made.affine, atol=1e-4)


def test_the_shipped_ground_truth_is_where_the_generator_plants() -> None:
    truth = load_scan(SCANS / "planted_regions.nii.gz")
    np.testing.assert_array_equal(truth.array[0], planted_labels(mni_grid(1.5)))


def test_every_file_of_the_index_is_there_and_said_to_be_synthetic() -> None:
    assert len(LISTED) > len(INDEX) == len(DEMO_SESSIONS)
    for row in LISTED:
        assert "synthetic" in row["subtitle"]
        for file in (row["file"], row.get("truth"), row.get("target")):
            assert file is None or (SCANS / file).is_file()


def test_models_and_scans_stay_small() -> None:
    folders = (ASSETS / name for name in ("models", "scans", "cohorts"))
    size = sum(path.stat().st_size for folder in folders for path in folder.rglob("*.*"))
    assert size < 60e6


def test_the_demo_takes_no_cohort(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="makes its own phantoms"):
        get_recipe("demo").train(DemoParameters(), tmp_path, tmp_path / "out")
