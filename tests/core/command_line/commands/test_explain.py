"""Why a model says it: which class is explained where none is named."""

import json

import nibabel
import numpy as np
import pytest

from core.command_line.main import main
from core.models import load_model
from core.scans import load_scan
from core.settings import settings
from tests.core.tiny import save_tiny, tiny_card, tiny_maker_card

SHAPE = (12, 16, 12)


@pytest.fixture(autouse=True)
def library(tmp_path, monkeypatch):
    save_tiny(tmp_path / "library" / "maker", tiny_maker_card("maker", SHAPE, spacing_mm=(3.0, 3.0, 3.0)))
    monkeypatch.setenv("LIGHTBOX_MODELS_DIR", str(tmp_path / "library"))
    monkeypatch.setenv("LIGHTBOX_STORE_PATH", str(tmp_path / "store"))
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def scan(tmp_path):
    path = tmp_path / "scan.nii.gz"
    values = np.random.default_rng(0).random(SHAPE, dtype=np.float32)
    nibabel.save(nibabel.Nifti1Image(values, np.diag([-3.0, 3, 3, 1])), path)
    return path


@pytest.fixture
def other_than_the_cards(tmp_path, scan):
    """A model that gives another class most than the one that its card would explain; the class."""
    card = tiny_card("tiny", SHAPE, spacing_mm=(3.0, 3.0, 3.0))
    folder = save_tiny(tmp_path / "library" / "tiny", card)
    model = load_model(folder)
    said = model.probabilities(model.prepare(load_scan(scan)).tensor)
    most = max(said, key=lambda name: said[name])
    other = next(name for name in card.classes if name != most)
    lines = [f"target: {other}" if line.startswith("target:") else line for line in card_lines(folder)]
    (folder / "card.yaml").write_text("\n".join(lines))
    return most


def card_lines(folder):
    return (folder / "card.yaml").read_text().splitlines()


@pytest.mark.parametrize("kept", [True, False], ids=["kept as a run", "not kept"])
def test_without_a_class_the_predicted_one_is_explained_and_named(scan, tmp_path, other_than_the_cards, capsys, kept):
    asked = ["explain", str(scan), "--model", "tiny", "--explainer", "saliency", "--out", str(tmp_path / "out")]
    asked += [] if kept else ["--no-store"]
    assert main(asked) == 0
    assert f"The model says {other_than_the_cards}, " in capsys.readouterr().out
    record = json.loads((tmp_path / "out" / "explanation.json").read_text())
    assert record["target"] == other_than_the_cards
    assert record["scores"]["before"][record["target"]] == max(record["scores"]["before"].values())


def test_a_class_that_is_named_is_explained_whatever_the_model_says(scan, tmp_path, other_than_the_cards, capsys):
    other = next(name for name in ("CN", "AD") if name != other_than_the_cards)
    asked = ["explain", str(scan), "--model", "tiny", "--explainer", "saliency", "--out", str(tmp_path / "out")]
    assert main([*asked, "--target", other]) == 0
    assert "The model says" not in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "explanation.json").read_text())["target"] == other


def test_the_same_question_with_and_without_the_class_is_one_run(scan, tmp_path, other_than_the_cards, capsys):
    asked = ["explain", str(scan), "--model", "tiny", "--explainer", "saliency", "--out", str(tmp_path / "out")]
    assert main(asked) == 0
    capsys.readouterr()
    assert main([*asked, "--target", other_than_the_cards]) == 0
    assert "answered by the run" in capsys.readouterr().err


def test_a_regressor_has_no_class_to_name(scan, tmp_path, capsys):
    marked = np.zeros(SHAPE, bool)
    marked[4:8, 4:8, 4:8] = True
    np.save(tmp_path / "region.npy", marked)
    asked = ["explain", str(scan), "--model", "maker", "--explainer", "ibix", "--out", str(tmp_path / "out")]
    assert main([*asked, "--region", str(tmp_path / "region.npy"), "--param", "jitters=2"]) == 0
    assert "The model says" not in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "explanation.json").read_text())["target"] is None
