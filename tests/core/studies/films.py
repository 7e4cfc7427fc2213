"""A cohort of tiny films with landmarks, and small networks of three classes, for tests of the study anatomy."""

from pathlib import Path

import numpy as np
from PIL import Image

from core.models import Card, load_model, save_model
from core.models.card import Architecture
from core.models.zoo import build
from core.studies import get_study
from tests.core.tiny import tiny_card

CLASSES = ("hand", "foot", "knee")
SHAPE = (16, 16)


def save_films(folder: Path, films: int = 3, classes: tuple[str, ...] = CLASSES, landmarks: bool = True) -> Path:
    """`films` of each class, 20 × 24 pixels, with a bone each and a marker on every second; returns `folder`."""
    (folder / "films").mkdir(parents=True)
    random = np.random.default_rng(5)
    rows = ["participant_id\tfile\tdiagnosis\tlandmarks"]
    for label in classes:
        for number in range(films):
            name = f"{label}-{number}"
            Image.fromarray(random.integers(0, 255, (20, 24), dtype=np.uint8)).save(folder / f"films/{name}.png")
            marks = np.zeros((20, 24), np.uint8)
            marks[4:14, 6:12] = 1
            marks[16:19, 20:23] = 2 if number % 2 else 0
            Image.fromarray(marks).save(folder / f"films/{name}-marks.png")
            rows.append(f"{name}\tfilms/{name}.png\t{label}\t{f'films/{name}-marks.png' if landmarks else ''}")
    (folder / "participants.tsv").write_text("\n".join(rows) + "\n")
    (folder / "landmarks.tsv").write_text("index\tname\n1\tbone\n2\tmarker\n")
    return folder


def network_card(name: str, classes: tuple[str, ...] = CLASSES) -> Card:
    """Card of a small network of `classes`."""
    arguments = {"shape": SHAPE, "blocks": ((4, 1), (4, 1)), "classes": len(classes)}
    return tiny_card(name, SHAPE).model_copy(
        update={
            "classes": classes,
            "target": None,
            "healthy": None,
            "architecture": Architecture(name="block-cnn", arguments=arguments),
        }
    )


def save_network(folder: Path, name: str, classes: tuple[str, ...] = CLASSES) -> Path:
    """Write a model folder with fresh weights, others for every name; returns it."""
    import torch

    card = network_card(name, classes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(sum(name.encode()))
        save_model(folder / name, card, build(card.architecture.name, card.architecture.arguments))
    return folder / name


def run_study(place, out, *, model="one", cohort="cohort", report=lambda progress: None, **values):
    """Record of the study, with saliency as the explainer unless told otherwise."""
    study = get_study("anatomy")
    asked = {"explainer": "saliency", **values}
    folder = None if cohort is None else place / cohort
    return study().run(study.parameters(values=asked), load_model(place / model), folder, out, report)


def spoil_film(folder: Path, name: str) -> None:
    """Make a film of the cohort in `folder` one that no network can read: five pixels wide, and no landmarks."""
    Image.fromarray(np.random.default_rng(6).integers(0, 255, (5, 5), dtype=np.uint8)).save(
        folder / f"films/{name}.png"
    )
    (folder / f"films/{name}-marks.png").unlink()
    table = folder / "participants.tsv"
    table.write_text(table.read_text().replace(f"films/{name}-marks.png", ""))
