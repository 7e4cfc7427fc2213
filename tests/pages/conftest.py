"""A Lightbox of its own for each test: a store, two small models with random weights, two small demo scans."""

import re
import time
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.runs import ExplanationSpec, manager
from core.runs.execution.manager import _manager
from core.scans import Scan
from core.settings import ROOT, settings
from dashboard.backend import questions
from dashboard.compare.films import cells as cell_films
from dashboard.compare.films import view as all_films
from dashboard.components.viewer import volumes
from dashboard.desk import shelf
from dashboard.intake import catalogue, demo, predictions, regions
from dashboard.intake import cohorts as intake_cohorts
from dashboard.study import page as study_page
from dashboard.trace import findings as trace_findings
from dashboard.trace import page as trace_page
from dashboard.trace import stage as trace_stage
from tests.core.tiny import save_tiny, tiny_card, tiny_maker_card
from tests.scanned_once import components_scanned_once  # noqa: F401 - a fixture

SHAPE = (12, 14, 12)
GRID = [[4.0, 0.0, 0.0, -24.0], [0.0, 4.0, 0.0, -28.0], [0.0, 0.0, 4.0, -24.0], [0.0, 0.0, 0.0, 1.0]]
DEMO = "Demo volume"
#: Shape of the image that the small regressor reads and makes; the file of its demo scan is called slice.png.
MADE = (40, 24)


@dataclass
class Workbench:
    """What a test needs beside the app."""

    folder: Path

    def open(self, page="home", **query):
        """The app on a page, drawn once."""
        test = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=90)
        for name, value in query.items():
            test.query_params[name] = value
        test.run()
        return test if page == "home" else test.switch_page(f"../pages/{page}.py").run()

    def add_scan(self, array=None, title=None):
        """A scan in the store; by default a volume that fits the small model."""
        values = array if array is not None else np.random.default_rng(1).random((1, *SHAPE), np.float32)
        affine = np.array(GRID) if values.ndim == 4 else np.eye(4)
        return shelf().add_scan(Scan(values.astype(np.float32), affine), title)

    def finished(self, **request):
        """Id of a run that has ended."""
        spec = ExplanationSpec(**{"model": "tiny-volume", "explainer": "saliency", "target": "AD", **request})
        run = manager().wait(manager().submit(spec), spec.owner, 60)
        assert run.status.final
        return run.id


def settle(test, seconds=60):
    """Run the page again until nothing is going on, as its own polling would."""
    deadline = time.monotonic() + seconds
    while any(not run.status.final for run in shelf().runs()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
        test.run()
    return test.run()


def may_keep(test):
    """Whether the menu Keep, which always has its place, can be opened."""
    (found,) = [block.proto.popover for block in _blocks(test.main) if block.proto.popover.label == "Keep"]
    return not found.disabled


def _blocks(block):
    for child in block.children.values():
        if hasattr(child, "children"):
            if child.type == "popover":
                yield child
            yield from _blocks(child)


def viewers(test):
    """The viewers on a page; every page has components that are not seen, too."""
    return [found for found in test.get("bidi_component") if found.proto.component_name.endswith("lightbox_viewer")]


def said(test):
    """Everything that is written on the page, as one string; of Markdown what is read, without its backslashes."""
    kinds = ("markdown", "html", "title", "error", "warning", "caption", "code", "info")
    found = [str(element.value) for kind in kinds for element in test.get(kind) if hasattr(element, "value")]
    return read("\n".join(found))


def read(markdown):
    """Markdown as it is read: without the backslashes that keep it from being more than words."""
    return re.sub(r"\\([^\w\s])|\\(_)", r"\1\2", markdown)


def errors(test):
    """The red sentences of a page, as they are read."""
    return [read(error.value) for error in test.error]


@pytest.fixture(scope="session", autouse=True)
def _first_derivative():
    """The first forward derivative makes torch parse source, and CPython 3.11 cannot while another thread does.

    Here runs share the process with the page, whose script is parsed on every rerun (python/cpython#106905).
    """
    torch.func.jvp(torch.sin, (torch.ones(1),), (torch.ones(1),))


@pytest.fixture(scope="session")
def small_assets(tmp_path_factory):
    """Folder like ``assets``: models and demo scans."""
    folder = tmp_path_factory.mktemp("assets")
    torch.manual_seed(0)
    cards = (tiny_card("tiny-volume", SHAPE, affine=GRID), tiny_card("tiny-image", (16, 20)))
    for card in (*cards, tiny_maker_card("tiny-maker", MADE)):
        save_tiny(folder / "models" / card.name, card)
    (folder / "scans").mkdir()
    values = np.random.default_rng(0).random(SHAPE, np.float32)
    nibabel.save(nibabel.Nifti1Image(values, np.array(GRID)), folder / "scans" / "volume.nii.gz")
    rng = np.random.default_rng(5)
    for name in ("slice", "true"):
        pixels = (rng.random(MADE) * 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "scans" / f"{name}.png")
    listing = [
        {"file": "volume.nii.gz", "title": DEMO, "subtitle": "made up", "model": "tiny-volume"},
        {"file": "slice.png", "title": "Demo pair", "subtitle": "noise", "model": "tiny-maker", "target": "true.png"},
    ]
    (folder / "scans" / "scans.yaml").write_text(yaml.safe_dump(listing))
    return folder


@pytest.fixture
def workbench(tmp_path, small_assets, monkeypatch):
    """The app on a fresh store; runs execute in this process."""
    monkeypatch.setenv("LIGHTBOX_STORE_PATH", str(tmp_path / "store"))
    monkeypatch.setenv("LIGHTBOX_WORKER", "inline")
    monkeypatch.setattr("core.models.folders.ASSETS", small_assets)
    monkeypatch.setattr("dashboard.intake.demo.ASSETS", small_assets)
    # it would start processes a moment later, perhaps when this test is over
    monkeypatch.setattr("dashboard.frame.shell._get_ready", lambda: None)
    _forget()
    yield Workbench(tmp_path)
    manager().close()
    _forget()


def _forget():
    settings.cache_clear()
    _manager.cache_clear()
    volumes._key.cache_clear()
    questions.store.cache_clear()
    demo.scans.cache_clear()
    catalogue._unfit_explainers.clear()
    predictions.predicted.clear()
    regions._rule.clear()
    all_films._study.cache_clear()
    study_page._study.cache_clear()
    for cached in (intake_cohorts.cohort_facts, cell_films._pictures):
        cached.clear()
    for cached in (trace_page._fitted, trace_findings._leak_curve, trace_findings._compared):
        cached.clear()
    questions._generated.cache_clear()
    trace_stage._middle.cache_clear()
