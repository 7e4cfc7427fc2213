"""The public surface of the command line, as outside checks use it."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from PIL import Image

import core.bench
from core.command_line.main import main
from core.settings import ASSETS, ROOT, settings
from tests.core.scans.making import save, slice_at
from tests.core.tiny import save_tiny, tiny_card

SHAPE = (12, 14, 12)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library") / "tiny"
    return save_tiny(folder, tiny_card("tiny", SHAPE, spacing_mm=(3.0, 3.0, 3.0)))


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scans") / "scan.nii.gz"
    values = np.random.default_rng(0).random(SHAPE, dtype=np.float32)
    nibabel.save(nibabel.Nifti1Image(values, np.diag([-3.0, 3, 3, 1])), path)
    return path


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("LIGHTBOX_STORE_PATH", str(tmp_path / "store"))
    monkeypatch.setenv("LIGHTBOX_MODELS_DIR", str(model.parent))
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


def outcome(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as left:
        code = int(left.code or 0)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_help_and_runs_do_not_import_torch(tmp_path: Path) -> None:
    asked = "main(['runs']); main(['models'])"
    code = f"import sys; from core.command_line.main import main; {asked}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
    shown = subprocess.run([sys.executable, "-m", "core", "--help"], cwd=ROOT, capture_output=True, text=True)
    assert shown.returncode == 0
    for command in ("doctor", "models", "explainers", "predict", "explain", "train", "study", "bench", "runs"):
        assert command in shown.stdout


def test_models_are_listed_with_name_and_task(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = outcome(capsys, "models", "--json")
    assert code == 0
    assert ("tiny", "classification") in {(card["name"], card["task"]) for card in json.loads(out)}


def test_explainers_are_listed_with_their_parameter_schema(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = outcome(capsys, "explainers", "--json")
    assert code == 0
    listed = {explainer["name"]: explainer for explainer in json.loads(out)}
    assert {"mask", "saliency"} <= listed.keys()
    assert "lambda_1" in listed["mask"]["parameters"]["properties"]
    assert {"paper", "robust"} <= listed["mask"]["presets"].keys()


def test_predict_gives_probabilities_that_sum_to_one(capsys: pytest.CaptureFixture[str], scan: Path) -> None:
    code, out, _ = outcome(capsys, "predict", scan, "--model", "tiny", "--json")
    assert code == 0
    said = json.loads(out)
    assert said["probabilities"].keys() == {"CN", "AD"}
    assert sum(said["probabilities"].values()) == pytest.approx(1.0)
    assert outcome(capsys, "predict", scan, "--model", "tiny")[0] == 0


def test_explain_writes_the_record_and_the_maps(
    capsys: pytest.CaptureFixture[str], scan: Path, model: Path, tmp_path: Path
) -> None:
    arguments = (
        "explain",
        scan,
        "--model",
        model,
        "--explainer",
        "saliency",
        "--target",
        "CN",
        "--out",
        tmp_path / "o",
    )
    code, out, error = outcome(capsys, *arguments, "--param", "seed=7", "--json")
    assert code == 0, error
    record = json.loads(out)
    assert record == json.loads((tmp_path / "o" / "explanation.json").read_text())
    assert (record["explainer"], record["model"], record["target"]) == ("saliency", "tiny", "CN")
    assert record["parameters"]["seed"] == 7
    assert record["scores"]["before"]["CN"] == pytest.approx(1 - record["scores"]["before"]["AD"])
    image = nibabel.load(tmp_path / "o" / record["arrays"]["map"])
    np.testing.assert_allclose(image.affine, nibabel.load(scan).affine)
    assert image.shape == SHAPE
    assert "%" in error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["predict", "nowhere.nii", "--model", "tiny"], "no readable file or folder"),
        (["predict", "SCAN", "--model", "nobody"], "There is no model 'nobody'"),
        (["explain", "SCAN", "--model", "tiny", "--explainer", "magic", "--out", "OUT"], "no explainer 'magic'"),
        (
            ["explain", "SCAN", "--model", "tiny", "--explainer", "mask", "--target", "MCI", "--out", "OUT"],
            "'MCI' is not a class",
        ),
        (
            ["explain", "SCAN", "--model", "tiny", "--explainer", "mask", "--param", "lambda_1=-1", "--out", "OUT"],
            "lambda_1",
        ),
        (
            ["explain", "SCAN", "--model", "tiny", "--explainer", "mask", "--param", "lambda", "--out", "OUT"],
            "name=value",
        ),
        (
            ["explain", "SCAN", "--model", "tiny", "--explainer", "mask", "--preset", "best", "--out", "OUT"],
            "no preset 'best'",
        ),
        (["explain", "SCAN", "--model", "tiny", "--explainer", "mask", "--out", "SCAN"], "--out"),
        (["train", "nothing", "--out", "OUT"], "no training recipe 'nothing'"),
        (["train", "classifier", "--out", "SCAN"], "--out"),
        (["study", "grid"], "no study 'grid'"),
        (["bench", "nothing"], "no benchmark 'nothing'"),
        (["runs", "0000000000000000"], "no such run"),
        (["predict"], "required"),
        (["predict", "", "--model", "tiny"], "path is empty"),
        (["predict", "SCAN", "--model", ""], "no model ''"),
        (["frobnicate"], "invalid choice"),
    ],
)
def test_bad_input_is_one_sentence_on_stderr_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], scan: Path, tmp_path: Path, arguments: list[str], words: str
) -> None:
    given = [{"SCAN": str(scan), "OUT": str(tmp_path / "out")}.get(argument, argument) for argument in arguments]
    code, out, error = outcome(capsys, *given)
    assert code == 2
    assert out == ""
    assert words in error
    assert len([line for line in error.splitlines() if "%" not in line]) == 1
    assert "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_a_failure_is_one_sentence_and_exit_code_1_and_its_traceback_only_on_request(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(name: str) -> dict[str, Any]:
        raise ZeroDivisionError

    monkeypatch.setattr(core.bench, "run_bench", fail)
    code, out, error = outcome(capsys, "bench", "mask")
    assert (code, out) == (1, "")
    assert "ZeroDivisionError" in error
    assert "Traceback" not in error
    assert "Traceback" in outcome(capsys, "bench", "mask", "--debug")[2]


def test_ctrl_c_ends_with_a_word_and_no_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(name: str) -> dict[str, Any]:
        raise KeyboardInterrupt

    monkeypatch.setattr(core.bench, "run_bench", interrupt)
    assert outcome(capsys, "bench", "mask") == (130, "", "Stopped.\n")


def test_what_a_library_prints_does_not_spoil_the_json(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"what": "x", "value": float("nan"), "baseline": 2.0, "ratio": 0.5, "unit": "s", "error": None}]

    def chatter(name: str) -> dict[str, Any]:
        print("a library says hello")
        return {"name": name, "rows": rows}

    monkeypatch.setattr(core.bench, "run_bench", chatter)
    code, out, error = outcome(capsys, "bench", "mask", "--json")
    assert code == 0
    assert json.loads(out)["rows"][0]["value"] is None
    assert "hello" in error
    assert outcome(capsys, "bench", "mask")[1].splitlines()[0].split() == ["what", "value", "baseline", "ratio", "unit"]


def test_a_region_must_lie_on_the_scan(capsys: pytest.CaptureFixture[str], scan: Path, tmp_path: Path) -> None:
    ask = ["explain", scan, "--model", "tiny", "--explainer", "saliency", "--out", tmp_path / "out", "--region"]
    elsewhere, wrong, broken = tmp_path / "elsewhere.nii", tmp_path / "wrong.npy", tmp_path / "broken.npy"
    nibabel.save(
        nibabel.Nifti1Image(np.ones(SHAPE, np.uint8), np.diag([-3.0, 3, 3, 1]) + np.eye(4, k=3) * 30), elsewhere
    )
    np.save(wrong, np.ones((2, 2, 2)))
    broken.write_bytes(b"\x93NUMPY broken")
    for region, words in ((elsewhere, "elsewhere in space"), (wrong, "shape"), (broken, "cannot be read")):
        code, _, error = outcome(capsys, *ask, region)
        assert code == 2
        assert words in error
    right = tmp_path / "right.nii.gz"
    marked = np.zeros(SHAPE, np.uint8)
    marked[3:6, 3:6, 3:6] = 1
    nibabel.save(nibabel.Nifti1Image(marked, np.diag([-3.0, 3, 3, 1])), right)
    assert outcome(capsys, *ask, right)[0] == 0


def test_runs_lists_what_the_store_holds(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert outcome(capsys, "runs", "--json")[:2] == (0, "[]\n")
    from core.runs import LOCAL_OWNER, RunStore, TrainingSpec
    from core.runs.store.identity import ProcessIdentity

    store = RunStore.open(tmp_path / "store")
    run_id = store.of(LOCAL_OWNER).add(TrainingSpec(recipe="classifier", out=tmp_path / "model"), ProcessIdentity.of())
    code, out, _ = outcome(capsys, "runs", "--json")
    assert [(run["id"], run["status"]) for run in json.loads(out)] == [(run_id, "queued")]
    code, out, _ = outcome(capsys, "runs", run_id, "--json")
    assert code == 0
    assert json.loads(out)["request"]["recipe"] == "classifier"
    assert run_id in outcome(capsys, "runs")[1]
    code, out, _ = outcome(capsys, "runs", run_id)
    assert code == 0
    assert re.search(r"created +\d{4}-\d\d-\d\d \d\d:\d\d\n", out)
    for option, pinned in (("--pin", True), ("--unpin", False)):
        assert outcome(capsys, "runs", run_id, option)[0] == 0
        assert store.of(LOCAL_OWNER).run(run_id).pinned is pinned
    assert outcome(capsys, "runs", run_id)[0] == 0
    assert not store.of(LOCAL_OWNER).run(run_id).pinned


def test_pinning_needs_a_run_of_the_store(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for given, words in ((["--pin"], "Say which run"), (["0" * 16, "--unpin"], "no such run")):
        code, _, error = outcome(capsys, "runs", *given)
        assert (code, len(error.splitlines())) == (2, 1)
        assert words in error


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        (np.array(["a", "b"]), "cannot be read"),
        (np.ones(SHAPE, dtype=complex), "cannot be read"),
        (np.array([{}], dtype=object), "cannot be read"),
        (np.ones((2, 2)), "has shape (2, 2)"),
        (np.zeros(SHAPE), "is empty"),
        (None, "is not there"),
    ],
)
def test_a_region_that_cannot_be_one_is_refused(
    capsys: pytest.CaptureFixture[str], scan: Path, tmp_path: Path, marks: np.ndarray | None, words: str
) -> None:
    path = tmp_path / "region.npy"
    if marks is not None:
        np.save(path, marks, allow_pickle=True)
    arguments = ["explain", scan, "--model", "tiny", "--explainer", "saliency", "--region", path]
    code, out, error = outcome(capsys, *arguments, "--out", tmp_path / "out")
    assert (code, out) == (2, "")
    assert words in error


def test_no_probability_is_printed_as_all_or_nothing_and_no_empty_region_is_listed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    sure = ASSETS / "scans" / "cn-slice.png"
    _, out, _ = outcome(capsys, "predict", sure, "--model", "alzheimer-phantom-slice")
    assert ">99.9%" in out and "100" not in out
    arguments = ["explain", sure, "--model", "alzheimer-phantom-slice", "--explainer", "mask"]
    _, out, _ = outcome(capsys, *arguments, "--out", tmp_path / "predicted")
    assert "The model says CN, >99.9%" in out and "nothing was hidden" in out
    assert "hippocampus" not in out
    _, out, error = outcome(capsys, *arguments, "--target", "AD", "--out", tmp_path / "asked")
    assert "nothing had to be hidden" in out
    assert "hippocampus" not in out
    assert "as if the picture were the coronal slice" in error


def test_an_atlas_that_cannot_be_read_is_said_before_anything_is_computed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LIGHTBOX_ATLAS", str(tmp_path / "nowhere.nii"))
    settings.cache_clear()
    slice_ = ASSETS / "scans" / "ad-slice.png"
    arguments = ["explain", slice_, "--model", "alzheimer-phantom-slice", "--explainer", "mask", "--out", tmp_path]
    code, _, error = outcome(capsys, *arguments)
    assert code == 2
    assert error == "The atlas nowhere.nii is not there: set LIGHTBOX_ATLAS to a label volume.\n"


def test_a_picture_that_cannot_be_the_models_slice_gets_no_region_names(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 80), dtype=np.uint8)).save(tmp_path / "chest.png")
    arguments = ["--model", "alzheimer-phantom-slice", "--explainer", "saliency", "--out", tmp_path / "o", "--json"]
    code, out, _ = outcome(capsys, "explain", tmp_path / "chest.png", *arguments)
    record = json.loads(out)
    assert (code, record["regions"], record["atlas"]) == (0, [], "")
    assert record["sentence"].startswith("The map shows where small changes of brightness move the answer ")
    assert record["technical"] == "Derivative of the class's logit by the intensity of each sample, its size."


def test_a_study_is_read_beside_the_series_that_cannot_be_and_says_which(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = tmp_path / "study"
    study.mkdir()
    values = np.random.default_rng(0).integers(0, 1000, SHAPE[::-1]).astype(np.int16)
    for place, pixels in enumerate(values):
        save(slice_at((0, 0, 3.0 * place), pixels, PatientPosition="HFS"), study / f"{place}")
    mosaic = slice_at((0, 0, 0), np.zeros((40, 50), np.int16), ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"])
    mosaic.SeriesInstanceUID, mosaic.SeriesNumber = "1.2.5", 5
    save(mosaic, study / "mosaic")
    code, out, err = outcome(capsys, "predict", study, "--model", model)
    assert code == 0, err
    assert "An image could not be read and was left out (MR · series 5 · 50×40). This is a mosaic" in out + err
