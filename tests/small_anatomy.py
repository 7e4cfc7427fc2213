"""Three small anatomy networks with random weights, and a cohort of a few films with landmarks."""

import csv

import numpy as np
import torch
from PIL import Image

from core.models import Card, save_model
from core.models.zoo import build

CLASSES = ("hand", "foot", "knee")
THREE = {"anatomy-shallow": "shallow", "anatomy-deeper": "deeper", "anatomy-augmented": "regularised"}
SIDE = 16
#: Films of each class of the cohort; the last class of the networks has none.
FILMS = {"hand": 3, "foot": 2}


def anatomy_card(name, variant, classes=CLASSES, side=SIDE):
    """Card and network."""
    arguments = {"shape": (side, side), "classes": len(classes), "variant": variant}
    network = build("anatomy-cnn", arguments)
    layers = tuple(layer for layer, _ in network.named_modules() if layer.split(".")[-1].startswith("conv"))
    card = Card.model_validate(
        {
            "name": name,
            "title": f"The {variant} one",
            "task": "classification",
            "synthetic": True,
            "architecture": {"name": "anatomy-cnn", "arguments": arguments},
            "input": {
                "dimensions": 2,
                "shape": (side, side),
                "intensity": {"low": 0.0, "high": 1.0, "rescale": "minmax"},
            },
            "classes": classes,
            "feature_layers": layers,
            "attribution_layer": layers[-1],
            "training": {"data": "none, random weights"},
        }
    )
    return card, network


def write_anatomy(folder):
    """Three anatomy networks and one of other classes, and a cohort of a few films with a bone each, under `folder`."""
    torch.manual_seed(0)
    for name, variant in THREE.items():
        save_model(folder / "models" / name, *anatomy_card(name, variant))
    save_model(folder / "models" / "brains", *anatomy_card("brains", "shallow", ("CN", "AD")))
    write_cohort(folder / "cohorts" / "films")


def write_cohort(folder):
    """The cohort."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    rows = []
    for label, count in FILMS.items():
        for number in range(count):
            name = f"{label}-{number}"
            Image.fromarray((random.random((20, 18)) * 255).astype(np.uint8)).save(folder / f"{name}.png")
            marks = np.zeros((20, 18), np.uint8)
            marks[5:15, 6:9] = 1
            Image.fromarray(marks).save(folder / f"{name}-marks.png")
            rows.append((name, label, f"{name}.png", f"{name}-marks.png"))
    with (folder / "participants.tsv").open("w", newline="") as file:
        csv.writer(file, delimiter="\t").writerows([("participant_id", "diagnosis", "file", "landmarks"), *rows])
    (folder / "landmarks.tsv").write_text("index\tname\n1\tbone\n")
    (folder / "cohort.yaml").write_text("title: A few films\nsynthetic: true\n")
