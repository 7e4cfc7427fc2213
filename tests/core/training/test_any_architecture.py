"""Architectures that no recipe knows are trained by every recipe, answer, and are explained."""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from core.errors import BadInput
from core.explainers import explain
from core.models.library import load_model
from core.models.zoo import ARCHITECTURES
from core.scans import load_scan
from core.settings import ROOT
from core.training import get_recipe
from tests.core.plugging import write_package
from tests.core.training import toys
from tests.core.training.part_films import PARTS, films
from tests.core.training.recipes.classifier.test_training import pictures
from tests.core.training.recipes.pix2pix.test_training import TINY as TINY_PIX2PIX
from tests.core.training.recipes.pix2pix.test_training import folder_of_pairs

SMALL = {"classifier": {"spacing_mm": 8, "phantom_twins": 2, "phantom_singles": 2, "steps": 3}}


def trained(recipe: str, values: dict[str, Any], cohort: Path | None, out: Path) -> Any:
    """Card, after everything in it was read back."""
    made = get_recipe(recipe)
    card = made.train(made.parameters(values=values), cohort, out)
    assert load_model(out, "cpu").card == card
    return card


def test_pictures_are_learnt_by_a_foreign_network(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "cohort")
    values = {"label_column": "finding", "healthy": "nothing", "target": "right", "steps": 80, "batch": 6, "test": 0.25}
    values |= {"validation": 0, "support": "mean", "learning_rate": 0.02, "architecture": "toy-flat"}
    card = trained("classifier", values, folder, tmp_path / "toy")
    assert card.architecture.model_dump() == {
        "name": "toy-flat",
        "arguments": {"shape": [20, 24], "classes": 3, "channels": 1},
    }
    assert (card.feature_layers, card.attribution_layer) == ((), None)
    assert card.metrics["test"]["balanced_accuracy"] >= 0.8
    found = explain(load_scan(folder / "2.png"), load_model(tmp_path / "toy", "cpu"), "saliency", target="right")
    assert found.arrays["map"].values.shape == (20, 24) and found.arrays["map"].values.any()


def test_volumes_are_learnt_by_a_foreign_network_and_the_card_repeats_it(tmp_path: Path) -> None:
    values = {**SMALL["classifier"], "architecture": "toy-classifier", "dropout": 0.25}
    values |= {"architecture_arguments": '{"width": 3}'}
    card = trained("classifier", values, None, tmp_path / "toy")
    assert card.architecture.arguments == {"channels": 1, "classes": 2, "dimensions": 3, "width": 3, "dropout": 0.25}
    assert (card.feature_layers, card.attribution_layer) == (("first", "second"), "second")
    assert "architecture" not in card.training.details  # the card says it once
    words = shlex.split(card.training.command)
    repeated = dict(word.split("=", 1) for word in words if "=" in word)
    assert trained("classifier", repeated, None, tmp_path / "again").architecture == card.architecture
    weights = [(tmp_path / name / "weights.safetensors").read_bytes() for name in ("toy", "again")]
    assert weights[0] == weights[1]


def test_films_are_learnt_by_a_foreign_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[dict[str, float]] = []
    real = toys.ToyFlat.slower_weights
    monkeypatch.setattr(toys.ToyFlat, "slower_weights", lambda self: rates.append(real(self)) or rates[-1])
    values = {"size": 16, "epochs": 2, "batch": 6, "test": 0.25, "augment": False, "architecture": "toy-flat"}
    card = trained("anatomy", values, films(tmp_path / "cohort"), tmp_path / "toy")
    assert card.classes == PARTS and card.architecture.arguments["shape"] == [16, 16]
    assert card.title == "Anatomy, toy-flat: toy"
    assert "the architecture toy-flat, trained on the films as they are" in card.description
    assert rates and all(rate == {"last.bias": 0.1} for rate in rates)
    with pytest.raises(BadInput, match=r"toy-flat takes no variant: leave network out"):
        trained("anatomy", values | {"network": "shallow"}, tmp_path / "cohort", tmp_path / "never")


def test_a_network_that_counts_in_its_constructor_can_be_trained_on_films(tmp_path: Path) -> None:
    class Counting(toys.ToyClassifier):
        def __init__(self, **arguments: Any) -> None:
            super().__init__(**arguments)
            self.scale = float(next(iter(self.parameters())).detach().abs().mean())

    ARCHITECTURES.offer(Counting, "toy-counting")
    values = {"size": 16, "epochs": 1, "batch": 6, "test": 0.25, "augment": False, "architecture": "toy-counting"}
    assert trained("anatomy", values, films(tmp_path / "cohort"), tmp_path / "toy").attribution_layer == "second"


def folder_of_volumes(root: Path) -> Path:
    random = np.random.default_rng(0)
    for name in "abcdefgh":
        for side in ("MRI", "CT"):
            path = root / side / f"{name}.nii.gz"
            path.parent.mkdir(parents=True, exist_ok=True)
            nibabel.save(nibabel.Nifti1Image(random.normal(500, 90, (11, 9, 8)).astype(np.float32), np.eye(4)), path)
    return root


@pytest.mark.parametrize("dimensions", [2, 3])
def test_pairs_are_learnt_by_a_foreign_network(tmp_path: Path, dimensions: int) -> None:
    folder = tmp_path / "pairs"
    if dimensions == 2:
        folder_of_pairs(folder, "png", cases=8)
    else:
        folder_of_volumes(folder)
    values = {"epochs": 1, "architecture": "toy-regressor"}
    card = trained("autoencoder", values, folder, tmp_path / "toy")
    assert card.architecture.arguments["dimensions"] == dimensions == card.input.dimensions
    assert (card.input.multiple_of, card.input.intensity.low, card.input.intensity.high) == (2, -2, 2)
    assert card.output is not None and (card.output.network_low, card.output.network_high) == (-2, 2)
    assert card.feature_layers == ("down",)
    with pytest.raises(BadInput, match=r"toy-regressor takes no widths: leave widths out"):
        trained("autoencoder", values | {"widths": "4,8"}, folder, tmp_path / "never")


def test_the_recipes_on_pairs_train_each_others_networks(tmp_path: Path) -> None:
    folder = folder_of_pairs(tmp_path / "pairs", "png", cases=4)
    values = {**TINY_PIX2PIX, "steps": 2, "case_pattern": r"\d\d", "architecture": "autoencoder"}
    del values["width"], values["levels"]
    card = trained("pix2pix", values, folder, tmp_path / "autoencoder")
    assert (card.input.intensity.low, card.output.network_low, card.output.low) == (0, 0, 0)
    assert card.feature_layers == tuple(f"conv{number}" for number in range(6))
    values = {"epochs": 1, "case_pattern": r"\d\d", "architecture": "pix2pix-unet"}
    values |= {"architecture_arguments": {"width": 2, "levels": 3}}
    card = trained("autoencoder", values, folder, tmp_path / "unet")
    assert (card.input.multiple_of, card.input.intensity.low, card.output.network_low) == (8, -1, -1)


def test_a_network_of_a_plug_in_is_trained_and_explained_from_the_command_line(tmp_path: Path) -> None:
    site = tmp_path / "site"
    source = (ROOT / "tests/core/training/toys.py").read_text(encoding="utf-8")
    source = source[: source.index('@architecture("toy-flat")')].replace("toy-classifier", "foreign-net")
    write_package(site, "foreign", {"architectures.foreign-net": "foreign"}, {"foreign.py": source})
    folder = pictures(tmp_path / "cohort", subjects=12)
    settings = {"PYTHONPATH": f"{site}{os.pathsep}{ROOT}", "LIGHTBOX_STORE_PATH": str(tmp_path / "store")}

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "core", *words],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, **settings},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    values = {"architecture": "foreign-net", "label_column": "finding", "healthy": "nothing", "target": "right"}
    values |= {"steps": "3", "batch": "3", "support": "mean", "test": "0.25"}
    settled = [word for name, value in values.items() for word in ("--param", f"{name}={value}")]
    run("train", "classifier", "--cohort", "cohort", "--out", "model", *settled)
    run("explain", str(folder / "2.png"), "--model", "model", "--explainer", "grad_cam", "--out", "maps")
    assert '"grad_cam"' in (tmp_path / "maps" / "explanation.json").read_text(encoding="utf-8")
    told = run("list", "architectures", "--json")
    assert '"foreign 1.0"' in told and '"trained_for": "classification"' in told
