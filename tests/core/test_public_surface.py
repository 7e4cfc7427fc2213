"""The commands that outside checks use, with the demo's image-to-image models. Classifiers: ``test_cli.py``."""

import json
import shutil

import numpy as np
import pytest

from core.command_line.main import main
from core.settings import ASSETS, settings

SCANS = ASSETS / "scans"
FIXED_KEYS = {"explainer", "model", "target", "parameters", "arrays", "seconds", "versions", "hashes"}
QUICK = ["--param", "jitters=4", "--param", "superpixels=60"]


@pytest.fixture(autouse=True)
def own_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("LIGHTBOX_STORE_PATH", str(tmp_path / "store"))
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def marked(tmp_path):
    region = np.zeros((232, 200), dtype=bool)
    region[96:100, 72:76] = True
    np.save(tmp_path / "marked.npy", region)
    return tmp_path / "marked.npy"


@pytest.fixture
def asked(capsys):
    def ask(*arguments):
        assert main([str(argument) for argument in arguments]) == 0
        return json.loads(capsys.readouterr().out)

    return ask


def test_the_demo_models_are_listed_and_the_doctor_loads_them(asked):
    tasks = {card["name"]: card["task"] for card in asked("models", "--json")}
    assert tasks["t1-t2-phantom"] == tasks["mr-ct-phantom"] == "regression"
    states = {check["name"]: check["state"] for check in asked("doctor", "--json")["checks"]}
    assert {states[f"model {name}"] for name in tasks} == {"fine"}


@pytest.mark.parametrize(
    ("scan", "model", "units", "within"),
    [("t1-slice-1.png", "t1-t2-phantom", "signal", (0, 1)), ("mr-slice-1.png", "mr-ct-phantom", "HU", (-1024, 1250))],
)
def test_predict_writes_the_image_that_a_regressor_makes(asked, tmp_path, scan, model, units, within):
    said = asked("predict", SCANS / scan, "--model", model, "--out", tmp_path / "made", "--json")
    made = np.load(tmp_path / "made" / "output.npy")
    assert (tmp_path / "made" / "output.png").is_file()
    assert said["task"] == "regression"
    assert "probabilities" not in said
    assert said["output"]["units"] == units
    assert list(made.shape) == said["output"]["shape"]
    assert within[0] <= made.min() < made.max() <= within[1]
    assert made.max() == pytest.approx(said["output"]["high"])


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_a_trace_has_the_records_fixed_keys_and_a_map_about_the_marked_place(asked, tmp_path, marked, direction):
    given = ["--explainer", "ibix", "--region", marked, "--param", f"direction={direction}", *QUICK]
    record = asked(
        "explain", SCANS / "t1-slice-1.png", "--model", "t1-t2-phantom", *given, "--out", tmp_path / "o", "--json"
    )
    assert record == json.loads((tmp_path / "o" / "explanation.json").read_text())
    assert record.keys() >= FIXED_KEYS
    assert "scores" not in record
    assert record["target"] is None
    mapped = np.load(tmp_path / "o" / record["arrays"]["map"])
    assert mapped.shape == (232, 200)
    assert mapped[60:140, 30:120].sum() > 0.9 * mapped.sum() > 0
    assert np.load(tmp_path / "o" / record["arrays"]["answer"]).shape == (232, 200)


def test_the_study_traces_the_demo_slices(asked, tmp_path, marked):
    (tmp_path / "group").mkdir()
    for number in (1, 2):
        shutil.copy(SCANS / f"t1-slice-{number}.png", tmp_path / "group")
    given = ["--cohort", tmp_path / "group", "--param", f"region={marked}", *QUICK, "--out", tmp_path / "o", "--json"]
    record = asked("study", "group-trace", "--model", "t1-t2-phantom", *given)
    assert [row["scan"] for row in record["rows"]] == ["t1-slice-1.png", "t1-slice-2.png"]
    assert record["synthetic"]
    assert np.load(tmp_path / "o" / "spread.npy").max() > 0
