"""What computes on the command line is a run: in the store, found again, and its files are the same in any case."""

import gc
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import nibabel
import numpy as np
import pytest

from core.command_line.main import main
from core.command_line.options import given_only
from core.errors import Cancelled, LightboxError
from core.models.library import load_model
from core.parameters import Parameters, parameter
from core.progress import Progress
from core.runs import LOCAL_OWNER, ExplanationSpec, RunStore
from core.settings import ASSETS, ROOT, settings
from core.training import Recipe
from tests.core.tiny import save_tiny, tiny_card

SHAPE = (12, 14, 12)
PATIENT = "Mustermann^Erika^19640812"


@pytest.fixture(autouse=True)
def own_settings(tmp_path, monkeypatch):
    save_tiny(tmp_path / "library" / "tiny", tiny_card("tiny", SHAPE, spacing_mm=(3.0, 3.0, 3.0)))
    monkeypatch.setenv("LIGHTBOX_STORE_PATH", str(tmp_path / "store"))
    monkeypatch.setenv("LIGHTBOX_MODELS_DIR", str(tmp_path / "library"))
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def scan(tmp_path):
    path = tmp_path / f"{PATIENT}.nii.gz"
    image = nibabel.Nifti1Image(np.random.default_rng(0).random(SHAPE, dtype=np.float32), np.diag([-3.0, 3, 3, 1]))
    image.header["descrip"] = PATIENT.encode()
    nibabel.save(image, path)
    return path


@pytest.fixture
def asked(capsys):
    """Give a command, with ``--json``: its exit code, result and remarks."""

    def ask(*arguments):
        code = main([*map(str, arguments), "--json"])
        said = capsys.readouterr()
        return code, json.loads(said.out) if said.out else None, said.err

    return ask


@pytest.fixture
def explained(asked, scan, tmp_path):
    """Explain the scan into a folder, by saliency unless told otherwise."""

    def explain(out, *more, model="tiny"):
        given = ("--model", model, "--explainer", "saliency", "--out", tmp_path / out)
        return asked("explain", scan, *given, *more)

    return explain


def runs():
    store = RunStore.open(settings().store_path)
    try:
        return store.of(LOCAL_OWNER).runs()
    finally:
        store.close()


def files(folder: Path) -> dict[str, object]:
    """Content of every file; of a record all but how long it took."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".json":
            found[path.name] = {key: value for key, value in json.loads(path.read_text()).items() if key != "seconds"}
        elif path.is_file():
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found


# ---- explain


def test_an_explanation_is_a_run_that_is_found_again_with_the_same_files(explained, tmp_path):
    (_, first, told), (run,) = explained("first"), runs()
    assert (run.kind, run.status, run.title) == ("explanation", "done", f"saliency · tiny · {first['target']}")
    assert f"kept as the run {run.id}" in told
    code, second, told = explained("second")
    assert (code, second) == (0, first)
    assert f"answered by the run {run.id}" in told
    assert [found.id for found in runs()] == [run.id]
    explained("third", "--again")
    assert len(runs()) == 2
    assert files(tmp_path / "first") == files(tmp_path / "second") == files(tmp_path / "third")


def test_without_the_store_the_files_are_the_same_and_no_run_is_left(explained, tmp_path, asked):
    code, without, told = explained("without", "--no-store")
    assert code == 0
    assert not (tmp_path / "store").exists()
    assert "run" not in told
    _, within, _ = explained("within")
    assert files(tmp_path / "without") == files(tmp_path / "within")
    assert list(without) == list(within)
    assert asked("runs")[1][0]["title"] == f"saliency · tiny · {without['target']}"


def test_a_region_is_kept_by_its_content(explained, tmp_path):
    marked = np.zeros(SHAPE, bool)
    for number in (3, 4):
        marked[number] = True
        np.save(tmp_path / "region.npy", marked)
        _, record, _ = explained(f"out {number}", "--region", tmp_path / "region.npy")
        assert record["numbers"]["region_area"] == pytest.approx((number - 2) / SHAPE[0])
    assert len(runs()) == 2
    assert files(tmp_path / "out 4")["region.nii.gz"] != files(tmp_path / "out 3")["region.nii.gz"]


def test_nothing_of_the_patient_or_the_file_is_in_the_store(explained, tmp_path):
    explained("out")
    assert runs()
    kept = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert len(kept) > 5
    for path in kept:
        assert b"Mustermann" not in path.read_bytes()
        assert "Mustermann" not in path.name


def test_what_the_browser_asked_for_answers_the_command(explained, scan):
    from core.runs.execution.foreground import run_here
    from core.scans import load_scan

    store = RunStore.open(settings().store_path)
    name = store.of(LOCAL_OWNER).add_scan(load_scan(scan))
    said = load_model("tiny").predict(load_scan(scan))
    wanted = {"target": max(said, key=said.__getitem__), "parameters": {"seed": 7, "hide_share": 2.5}}
    run_id = run_here(store, ExplanationSpec(scan=name, model="tiny", explainer="saliency", **wanted))
    store.close()
    _, _, told = explained("out", "--param", "hide_share=25e-1", "--param", "seed=07")
    assert f"answered by the run {run_id}" in told


def test_a_model_of_the_library_is_the_same_by_name_and_by_folder(explained, tmp_path, monkeypatch):
    explained("one")
    monkeypatch.chdir(tmp_path)
    _, _, told = explained("two", model="library/tiny")
    assert "answered by" in told
    shutil.copytree("library/tiny", "elsewhere")
    _, _, told = explained("three", model="elsewhere")
    assert "kept as" in told
    assert runs()[0].request["model"] == str(tmp_path / "elsewhere")
    assert runs()[0].title.startswith("saliency · elsewhere · ")


def test_what_goes_wrong_in_the_work_is_a_failed_run_with_the_same_sentence(explained, tmp_path):
    code, _, told = explained("out", "--target", "MCI")
    (run,) = runs()
    assert (code, run.status) == (2, "failed")
    assert run.message in told
    assert "'MCI' is not a class" in run.message
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_asked_leaves_no_run(explained, tmp_path):
    assert explained("out", "--preset", "best")[0] == 2
    assert explained("out", model="nobody")[0] == 2
    assert not (tmp_path / "store").exists()


# ---- what ends a command


def start(scan, out, *more):
    arguments = ["explain", scan, "--model", "alzheimer-phantom", "--explainer", "mask", "--out", out, *more]
    command = [sys.executable, "-P", "-m", "core", *map(str, arguments)]
    own = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    pipe, heard = subprocess.PIPE, partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    # a shell starts what it leaves in the background deaf to Ctrl-C, and its children are, too
    return subprocess.Popen(command, env=own, stdout=pipe, stderr=pipe, text=True, preexec_fn=heard)


def wait_until_it_works():
    limit = time.monotonic() + 120
    while time.monotonic() < limit:
        found = runs()
        if found and found[0].status == "running":
            return
        time.sleep(0.1)
    raise AssertionError("nothing began to run")


# interrupted while torch is imported, Python ends by the signal itself: a shell says 130 of both
@pytest.mark.parametrize(
    ("sent", "codes", "status"), [(signal.SIGINT, (130, -2), "cancelled"), (signal.SIGKILL, (-9,), "interrupted")]
)
def test_a_command_that_is_stopped_leaves_a_run_that_says_so(tmp_path, sent, codes, status):
    running = start(
        ASSETS / "scans" / "ad-moderate.nii.gz", tmp_path / "out", "--param", "iterations=4000", "--param", "settled=0"
    )
    try:
        wait_until_it_works()
        running.send_signal(sent)
        _, told = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode in codes
    assert "Traceback" not in told
    (run,) = runs()
    assert run.status == status
    if sent == signal.SIGINT:
        assert told.splitlines()[-1] == "Stopped."
        assert not (tmp_path / "out").exists()


def test_a_run_that_was_cancelled_elsewhere_ends_the_command(asked, explained, monkeypatch):
    def cancelled(store, spec, report):
        raise Cancelled

    monkeypatch.setattr("core.runs.execution.foreground.run_here", cancelled)
    code, _, told = explained("out")
    assert (code, told.splitlines()[-1]) == (130, "Stopped.")


# ---- a store that cannot be used


def _of_the_future(store: Path) -> None:
    RunStore.open(store).close()
    with sqlite3.connect(store / "lightbox.db") as connection:
        connection.execute("PRAGMA user_version = 99")


def _a_file(store: Path) -> None:
    store.write_text("not a folder")


def _no_database(store: Path) -> None:
    store.mkdir()
    (store / "lightbox.db").write_bytes(b"nothing" * 1000)


@pytest.mark.parametrize("spoil", [_of_the_future, _a_file, _no_database])
def test_a_store_that_cannot_be_opened_does_not_stop_the_command(explained, tmp_path, spoil):
    spoil(tmp_path / "store")
    code, record, told = explained("out")
    assert (code, record["model"]) == (0, "tiny")
    (said,) = [line for line in told.splitlines() if "not kept" in line]
    assert said.startswith("note: this is not kept as a run: The ")
    assert not list((tmp_path / "store").glob("runs/*"))


def test_nor_does_one_that_can_only_be_read(explained, monkeypatch):
    monkeypatch.setattr(RunStore, "read_only", property(lambda self: True))
    code, _, told = explained("out")
    assert code == 0
    assert "can only be read" in told


def test_nor_one_that_has_no_room_for_the_scan(explained, monkeypatch):
    def full(self, scan, title=None):
        raise LightboxError("The disk that holds the store is full: free some space.")

    monkeypatch.setattr("core.runs.store.shelf.Shelf.add_scan", full)
    code, _, told = explained("out")
    assert code == 0
    assert "note: this is not kept as a run: The disk that holds the store is full" in told
    assert runs() == []


def test_the_store_stays_below_its_limit(explained, monkeypatch):
    monkeypatch.setenv("LIGHTBOX_STORE_LIMIT_GB", "1e-6")
    settings.cache_clear()
    assert explained("out")[0] == 0
    assert runs() == []


# ---- study and train


@pytest.fixture
def group(tmp_path):
    """A folder with two pictures, and a region of their size."""
    (tmp_path / "group").mkdir()
    for number in (1, 2):
        shutil.copy(ASSETS / "scans" / f"t1-slice-{number}.png", tmp_path / "group")
    region = np.zeros((232, 200), bool)
    region[96:100, 72:76] = True
    np.save(tmp_path / "marked.npy", region)
    return tmp_path / "group"


@pytest.fixture
def studied(asked, group, tmp_path):
    def study(out, *more):
        quick = [word for pair in ("jitters=4", "superpixels=60") for word in ("--param", pair)]
        region = ("--param", f"region={tmp_path / 'marked.npy'}")
        given = ("--model", "t1-t2-phantom", "--cohort", group, *region, *quick, "--out", tmp_path / out)
        return asked("study", "group-trace", *given, *more)

    return study


def test_a_study_is_a_run_that_is_found_again_with_the_same_files(studied, tmp_path):
    _, record, _ = studied("first")
    (run,) = runs()
    assert (run.kind, run.status, run.title) == ("study", "done", "group-trace · t1-t2-phantom · group")
    assert studied("second")[1] == record
    assert len(runs()) == 1
    _, without, _ = studied("without", "--no-store")
    assert len(runs()) == 1
    assert without.keys() == record.keys()
    assert files(tmp_path / "first") == files(tmp_path / "second")
    assert files(tmp_path / "first").keys() == files(tmp_path / "without").keys()


def test_a_study_of_another_region_or_other_scans_is_another_run(studied, group, tmp_path):
    studied("one")
    region = np.zeros((232, 200), bool)
    region[100:104, 72:76] = True
    np.save(tmp_path / "marked.npy", region)
    assert "kept as" in studied("two")[2]
    (group / "t1-slice-2.png").unlink()
    assert "kept as" in studied("three")[2]
    assert len(runs()) == 3


class _ToyParameters(Parameters):
    seed: int = parameter(0, "Seed of the weights.")


@pytest.fixture
def toy_recipe():
    """A recipe that only writes a model, and counts how often."""

    class Toy(Recipe):
        name = "toy-recipe"
        title = "Toy"
        summary = "Fresh weights."
        parameters_model = _ToyParameters
        trained = 0

        def train(self, parameters, cohort, out, report=lambda progress: None):
            type(self).trained += 1
            report(Progress(0.5, "drawing"))
            card = tiny_card("toy", (4, 5), modality=f"seed {parameters.seed}")
            save_tiny(out, card)
            return card

    yield Toy
    del Toy
    gc.collect()


def test_a_training_is_a_run_and_not_done_again_while_its_model_is_there(asked, toy_recipe, tmp_path):
    out = tmp_path / "made" / "toy"
    code, card, _ = asked("train", "toy-recipe", "--out", out)
    (run,) = runs()
    assert (code, card["name"], run.kind, run.status) == (0, "toy", "training", "done")
    assert run.title == "train toy-recipe · toy"
    _, again, told = asked("train", "toy-recipe", "--out", out, "--param", "seed=1")
    assert toy_recipe.trained == 2
    assert again["input"]["modality"] == "seed 1"
    _, _, told = asked("train", "toy-recipe", "--out", out, "--param", "seed=1")
    assert "answered by" in told
    # what the first one made is no longer there: it was written over
    assert asked("train", "toy-recipe", "--out", out)[1]["input"]["modality"] == "seed 0"
    shutil.rmtree(out)
    asked("train", "toy-recipe", "--out", out)
    assert toy_recipe.trained == 4
    assert load_model(out).card.input.modality == "seed 0"
    asked("train", "toy-recipe", "--out", out, "--no-store")
    assert toy_recipe.trained == 5
    assert len(runs()) == 4


def test_only_what_somebody_gave_is_written_down_as_its_own_type():
    class Given(Parameters):
        number: float = parameter(1.0, "A number.")
        names: tuple[str, ...] = parameter((), "Names.")
        file: Path = parameter(Path("x"), "A file.")
        other: int = parameter(3, "Not given.")

    typed = Given(number="1e-4", names=("a", "b"), file="there/it.npy")
    kept = given_only(typed, {"number": "1e-4", "names": "a,b", "file": "there/it.npy"})
    assert kept == {"number": 1e-4, "names": "a,b", "file": str(Path("there/it.npy").resolve())}
