"""A small network of paper 3 with fresh weights and a film, for pages that show filters and landmarks."""

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from core.models import Card, save_model
from core.models.zoo import build
from core.settings import settings
from dashboard import demo

SIDE = 16
CLASSES = ("hand", "foot", "knee", "skull", "chest", "pelvis", "spine", "elbow")
FILM = "X-ray of a hand"


def anatomy_card(name="tiny-anatomy", side=SIDE, variant="shallow"):
    """Its card: eight classes, none of them in front."""
    block = {"shallow": 1, "deeper": 4}[variant]
    layers = tuple(f"features.block{block}.conv{number}" for number in (1, 2))
    return Card.model_validate(
        {
            "name": name,
            "title": "Tiny anatomy model",
            "task": "classification",
            "synthetic": True,
            "architecture": {
                "name": "anatomy-cnn",
                "arguments": {"shape": (side, side), "classes": len(CLASSES), "variant": variant},
            },
            "input": {"dimensions": 2, "shape": (side, side), "intensity": {"low": 0.0, "high": 1.0}},
            "classes": CLASSES,
            "feature_layers": layers,
            "attribution_layer": layers[-1],
            "training": {"data": "none, random weights", "seed": 3},
        }
    )


def save_anatomy(folder, card):
    """Write a model folder of fresh weights, the same each time."""
    torch.manual_seed(4)
    save_model(folder / card.name, card, build(card.architecture.name, card.architecture.arguments))


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
    card = anatomy_card()
    save_anatomy(tmp_path / "models", card)
    scans = tmp_path / "assets" / "scans"
    scans.mkdir(parents=True)
    Image.fromarray((film() * 255).astype(np.uint8)).save(scans / "xray.png")
    Image.fromarray(labels()).save(scans / "xray-landmarks.png")
    (scans / "landmarks.tsv").write_text("index\tname\n1\tbone\n2\tmarker\n")
    entry = {"file": "xray.png", "title": FILM, "subtitle": "noise", "model": card.name, "explainer": "deconvnet"}
    (scans / "scans.yaml").write_text(yaml.safe_dump([{**entry, "landmarks": "xray-landmarks.png"}]))
    monkeypatch.setenv("LIGHTBOX_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setattr("dashboard.demo.ASSETS", tmp_path / "assets")
    settings.cache_clear()
    demo.scans.cache_clear()
    yield workbench
    settings.cache_clear()
    demo.scans.cache_clear()
