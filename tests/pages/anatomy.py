"""A small network of paper 3 with fresh weights and a film, for pages that show filters and landmarks."""

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from core.models import save_model
from core.settings import settings
from dashboard.intake import demo
from tests.small_anatomy import anatomy_card

SIDE = 16
CLASSES = ("hand", "foot", "knee", "skull", "chest", "pelvis", "spine", "elbow")
FILM = "X-ray of a hand"


def save_anatomy(folder, variant="shallow", side=SIDE):
    """Write a model folder ``tiny-anatomy`` of eight classes; the weights are the same each time."""
    torch.manual_seed(4)
    save_model(folder / "tiny-anatomy", *anatomy_card("tiny-anatomy", variant, CLASSES, side))


def film():
    """Grey values of a film, 0..1, shape (SIDE, SIDE)."""
    return np.random.default_rng(7).random((SIDE, SIDE), np.float32)


def labels():
    """Landmarks of the film: 1 is bone (the upper half), 2 the marker (four pixels)."""
    found = np.zeros((SIDE, SIDE), np.uint8)
    found[: SIDE // 2] = 1
    found[-2:, -2:] = 2
    return found


@pytest.fixture
def anatomy(workbench, tmp_path, monkeypatch):
    """The workbench with the network in its library and the film among its demo scans."""
    save_anatomy(tmp_path / "models")
    scans = tmp_path / "assets" / "scans"
    scans.mkdir(parents=True)
    Image.fromarray((film() * 255).astype(np.uint8)).save(scans / "xray.png")
    Image.fromarray(labels()).save(scans / "xray-landmarks.png")
    (scans / "landmarks.tsv").write_text("index\tname\n1\tbone\n2\tmarker\n")
    entry = {"file": "xray.png", "title": FILM, "subtitle": "noise", "model": "tiny-anatomy", "explainer": "deconvnet"}
    (scans / "scans.yaml").write_text(yaml.safe_dump([{**entry, "landmarks": "xray-landmarks.png"}]))
    monkeypatch.setenv("LIGHTBOX_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setattr("dashboard.intake.demo.ASSETS", tmp_path / "assets")
    settings.cache_clear()
    demo.scans.cache_clear()
    yield workbench
    settings.cache_clear()
    demo.scans.cache_clear()
