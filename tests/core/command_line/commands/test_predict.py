"""What a model says about a scan: of classifiers and regressors, for people and for scripts."""

import json

import nibabel
import numpy as np
import pytest

from core.command_line.main import main
from core.settings import settings
from tests.core.tiny import save_tiny, tiny_card, tiny_maker_card

SHAPE = (12, 16, 12)


@pytest.fixture(autouse=True)
def library(tmp_path, monkeypatch):
    save_tiny(tmp_path / "library" / "tiny", tiny_card("tiny", SHAPE, spacing_mm=(3.0, 3.0, 3.0)))
    save_tiny(tmp_path / "library" / "maker", tiny_maker_card("maker", SHAPE, spacing_mm=(3.0, 3.0, 3.0)))
    monkeypatch.setenv("LIGHTBOX_MODELS_DIR", str(tmp_path / "library"))
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def scan(tmp_path):
    path = tmp_path / "scan.nii.gz"
    values = np.random.default_rng(0).random(SHAPE, dtype=np.float32)
    nibabel.save(nibabel.Nifti1Image(values, np.diag([-3.0, 3, 3, 1])), path)
    return str(path)


@pytest.fixture
def foreign(tmp_path, scan):
    image = nibabel.load(scan)
    path = tmp_path / "foreign.nii.gz"
    nibabel.save(nibabel.Nifti1Image(image.get_fdata() * 4000, image.affine), path)
    return str(path)


def test_every_class_has_its_line_and_that_nothing_is_known_is_said(scan, capsys):
    assert main(["predict", scan, "--model", "tiny"]) == 0
    printed = capsys.readouterr()
    assert [line.split()[0] for line in printed.out.splitlines()] == ["CN", "AD"]
    assert "not known what this model was trained on" in printed.err


def test_scripts_get_the_same_with_hashes_and_acceptance(scan, capsys):
    assert main(["predict", scan, "--model", "tiny", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["model"], said["task"], said["acceptance"]["state"]) == ("tiny", "classification", "unknown")
    assert sum(said["probabilities"].values()) == pytest.approx(1)
    assert said["hashes"].keys() == {"scan", "model"}
    assert said["seconds"] > 0


def test_a_scan_that_the_model_cannot_read_is_told_first_and_is_no_failure(foreign, capsys):
    assert main(["predict", foreign, "--model", "tiny"]) == 0
    assert capsys.readouterr().out.startswith("This scan is not what the model was made for: its answer means nothing.")
    assert main(["predict", foreign, "--model", "tiny", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["acceptance"]
    assert told["state"] == "refused"
    assert "range" in {sign["name"] for sign in told["signs"] if not sign["passed"]}


def test_a_regressors_image_is_told_in_figures_and_written_where_a_folder_is_named(scan, tmp_path, capsys):
    assert main(["predict", scan, "--model", "maker", "--json"]) == 0
    without = json.loads(capsys.readouterr().out)["output"]
    assert "files" not in without
    out = tmp_path / "made"
    assert main(["predict", scan, "--model", "maker", "--out", str(out), "--json"]) == 0
    within = json.loads(capsys.readouterr().out)["output"]
    files = within.pop("files")
    assert within == without
    assert all((out / file).is_file() for file in (files.values() if isinstance(files, dict) else files))


def test_a_classifier_makes_no_image(scan, tmp_path, capsys):
    assert main(["predict", scan, "--model", "tiny", "--out", str(tmp_path / "made")]) == 2
    assert "is a classifier and makes no image: leave --out out" in capsys.readouterr().err
    assert not (tmp_path / "made").exists()
