"""A study of somebody else's package: found, asked for on the command line and as a run, nothing of ours touched."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from core.explainers.run import Asker
from core.models import load_model
from core.runs import LOCAL_OWNER, Status
from core.runs.kinds.study import StudySpec
from core.scans import load_scan
from core.settings import ROOT, settings
from core.studies import studies
from tests.core.plugging import write_package
from tests.core.runs.conftest import start_manager, store
from tests.core.runs.waiting import PATIENCE
from tests.core.studies import likeness
from tests.core.studies.films import save_films, save_network

__all__ = ["start_manager", "store"]
SOURCE = Path(likeness.__file__).read_text()
SETTINGS = {"one": "saliency", "other": "smoothgrad", "scans": "4"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A cohort and a network in folders of a library, and a package with the study."""
    folder = tmp_path_factory.mktemp("likeness")
    save_films(folder / "cohorts" / "parts", films=2)
    save_network(folder / "models", "one")
    write_package(
        folder / "site",
        "their-studies",
        {"studies.likeness": "their_likeness"},
        {"their_likeness.py": SOURCE},
    )
    return folder


def test_it_is_an_example_of_sixty_lines_or_so():
    lines = [line for line in SOURCE.splitlines() if line.strip()]
    assert len(lines) <= 60


def test_a_plug_ins_study_is_done_on_the_command_line(place, tmp_path):
    path = os.pathsep.join([str(ROOT), str(place / "site")])
    own = {"PYTHONPATH": path, "LIGHTBOX_STORE_PATH": str(tmp_path / "store")}
    told = [part for name, value in SETTINGS.items() for part in ("--param", f"{name}={value}")]
    asked = ["--model", place / "models" / "one", "--cohort", place / "cohorts" / "parts", "--out", tmp_path / "o"]
    done = subprocess.run(
        [sys.executable, "-m", "core", "study", "likeness", *map(str, asked), *told, "--json"],
        cwd=tmp_path, env={**os.environ, **own}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record["sentence"].startswith("Over 4 scans the maps of saliency and smoothgrad have a likeness of ")
    with (tmp_path / "o" / "scans.csv").open(newline="") as file:
        assert [row["scan"] for row in csv.DictReader(file)] == ["hand-0", "hand-1", "foot-0", "foot-1"]


def test_as_a_run_it_is_stored_with_a_table_a_figure_and_cells_that_open(
    place, store, start_manager, monkeypatch, tmp_path
):
    assert studies()["likeness"] is likeness.Likeness
    monkeypatch.setenv("LIGHTBOX_COHORTS_DIR", str(place / "cohorts"))
    monkeypatch.setenv("LIGHTBOX_MODELS_DIR", str(place / "models"))
    settings.cache_clear()
    manager = start_manager("inline")
    spec = StudySpec(study="likeness", model="one", cohort="parts", parameters=SETTINGS)
    run = manager.wait(manager.submit(spec), LOCAL_OWNER, PATIENCE)
    assert (run.status, run.message) == (Status.DONE, "")
    found = store.of(LOCAL_OWNER).study(run.id)
    (table,) = found.parts.tables
    assert [figure.kind for figure in found.parts.figures] == ["box"]
    opening = table.opening(2, "smoothgrad")
    assert (opening.scan, opening.model, opening.explainer) == ("films/foot-0.png", "one", "smoothgrad")
    assert table.opening(2, "truth").explainer == ""
    # the likeness is that of the maps that the cells open
    model = load_model("one")
    prepared = model.prepare(load_scan(place / "cohorts" / "parts" / opening.scan))
    maps = [np.abs(Asker(model, name).map(prepared, opening.target).values) for name in ("saliency", "smoothgrad")]
    expected = spearmanr(*(values.ravel() for values in maps)).statistic
    assert table.values("likeness")[2] == pytest.approx(expected, abs=1e-6)
    settings.cache_clear()
