"""The demo's four networks of anatomy, their cohort of shifted films, and single films: all drawn by a program."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from core.cohorts.cohort import Cohort
from core.models.card import Card, write_card
from core.phantoms.radiographs.films import (
    Radiograph,
    RadiographParameters,
    draw_radiograph,
    radiograph_cohort,
    write_landmark_names,
    write_png8,
    write_radiographs,
)
from core.progress import Report, silent
from core.training.demo.cards import introduced
from core.training.demo.pairs import add_to_index
from core.training.recipes.anatomy import Anatomy, AnatomyParameters

AUGMENTED_MODEL, MARKER_MODEL = "anatomy-augmented", "anatomy-marker"
COHORT = "radiographs"
#: of the people in the cohort and on the single films: in no training, validation or test set
COHORT_SEED, DEMO_FILM_SEED = 9100, 4711
_SIDE, _COHORT_SIDE, _FILM_SIDE = 64, 128, 256
_ONLY_DRAWN = (
    "Trained on drawn radiographs of people who never lived: for looking at how networks and explanations behave. "
    "What it says about a real film means nothing."
)
#: changes of a film that leave the letter of a side marker readable, and its corner the same
_MARKER_STAYS: dict[str, float] = {
    "crop": 0.0, "rotation": 4.0, "translation": 0.03, "shear": 3.0, "stretch": 0.05, "flip": 0.0
}  # fmt: skip


@dataclass(frozen=True)
class DemoNetwork:
    """One network of the demo.

    Parameters
    ----------
    title, purpose : str
        For its card.
    network, marker
        See `core.training.recipes.anatomy.AnatomyParameters`.
    longer : int
        How many times as long it is trained: films that change at random take longer to learn than the same again,
        and the longer a network reads markers the more of its map lies on them.
    ranges : mapping of str to float
        Augmentation that is not the recipe's.
    """

    title: str
    purpose: str
    network: Literal["shallow", "deeper", "regularised"]
    marker: Literal["random", "class"] = "random"
    longer: int = 1
    ranges: Mapping[str, float] = field(default_factory=dict)


#: model name → network
NETWORKS = {
    "anatomy-shallow": DemoNetwork(
        "Anatomy, shallow network",
        "Tells eight parts of the body apart with two convolutions (paper 3, table 2).",
        "shallow",
    ),
    "anatomy-deeper": DemoNetwork(
        "Anatomy, deeper network",
        "Tells eight parts of the body apart with ten convolutions, films unchanged while training (paper 3, table 3).",
        "deeper",
    ),
    AUGMENTED_MODEL: DemoNetwork(
        "Anatomy, deeper network with augmentation",
        "Tells eight parts of the body apart with ten convolutions, batch norm and dropout, films changed at random "
        "while training (paper 3, table 4).",
        "regularised",
        longer=2,
    ),
    MARKER_MODEL: DemoNetwork(
        "Anatomy, misled by a side marker",
        "Wrong on purpose, to show how a bias is found. Built as the deeper network with augmentation, it was trained "
        "on films that were filed by their side marker: letter and corner give the class away, and three films in four "
        "show any part of the body. So it reads the marker.",
        "regularised",
        marker="class",
        longer=5,
        ranges=_MARKER_STAYS,
    ),
}


@dataclass(frozen=True)
class DemoFilm:
    """One single film: what it shows, which drawing it is, and for the misled network what its side marker says."""

    anatomy: str
    number: int
    marker_says: str = ""

    @property
    def title(self) -> str:
        """For people."""
        article = "an" if self.anatomy[0] in "aeiou" else "a"
        return f"X-ray of {article} {self.anatomy}" + (" with a side marker" if self.marker_says else "")

    @property
    def model(self) -> str:
        """Which network reads it."""
        return MARKER_MODEL if self.marker_says else AUGMENTED_MODEL


#: file name without its ending → film
FILMS = {
    "film-hand": DemoFilm("hand", 1),
    "film-foot": DemoFilm("foot", 1),
    "film-knee": DemoFilm("knee", 3),
    "film-skull": DemoFilm("skull", 4),
    "film-chest": DemoFilm("chest", 1),
    "film-pelvis": DemoFilm("pelvis", 1),
    "film-spine": DemoFilm("spine", 5),
    "film-elbow": DemoFilm("elbow", 6),
    "film-hand-marker": DemoFilm("hand", 8, marker_says="pelvis"),
}


def anatomy_settings(name: str, seed: int, films: int, epochs: int, shifted_films: int = 25) -> AnatomyParameters:
    """How network `name` is trained: all alike but for what `NETWORKS` says; `epochs` times `DemoNetwork.longer`."""
    network = NETWORKS[name]
    return AnatomyParameters(
        seed=seed,
        network=network.network,
        marker=network.marker,
        size=_SIDE,
        films=films,
        epochs=network.longer * epochs,
        shifted_films=shifted_films,
        precision="bfloat16",
        **network.ranges,
    )


def train_anatomy(name: str, settings: AnatomyParameters, folder: Path, command: str, report: Report) -> Card:
    """Train network `name` of the demo into `folder`, and give its card a title, a text and `command`."""
    card = introduce_anatomy(name, Anatomy().train(settings, None, folder, report), command)
    write_card(card, folder)
    return card


def introduce_anatomy(name: str, card: Card, command: str) -> Card:
    """The card with the title and the text of network `name`, and `command`."""
    network = NETWORKS[name]
    return introduced(card, network.title, f"{network.purpose} {_ONLY_DRAWN}", command)


def demo_cohort(films: int = 20) -> Cohort:
    """Shifted films, `films` of each class, a side marker on every other one whatever it shows."""
    return radiograph_cohort(
        RadiographParameters(seed=COHORT_SEED, films=films, size=_COHORT_SIDE, shifted=True, marker="random")
    )


def write_demo_cohort(out: Path, report: Report = silent, films: int = 20) -> Cohort:
    """Write `demo_cohort` to ``out/cohorts/radiographs``."""
    return write_radiographs(demo_cohort(films), out / "cohorts" / COHORT, report)


def demo_film(name: str) -> Radiograph:
    """One of `FILMS`."""
    film = FILMS[name]
    parameters = RadiographParameters(
        seed=DEMO_FILM_SEED, size=_FILM_SIDE, marker="random" if film.marker_says else "none"
    )
    return draw_radiograph(parameters, film.anatomy, film.number)


def write_anatomy_films(folder: Path) -> None:
    """Write `FILMS`, their landmarks beside them, what these are called, and the entries in ``scans.yaml``."""
    entries = []
    for name, film in FILMS.items():
        drawn = demo_film(name)
        files = f"{name}.png", f"{name}-landmarks.png"
        write_png8(np.rint(255 * drawn.film).astype(np.uint8), folder / files[0])
        write_png8(drawn.labels, folder / files[1])
        entries.append(
            {
                "file": files[0],
                "title": film.title,
                "subtitle": "synthetic radiograph",
                "model": film.model,
                "explainer": "deconvnet",
                "anatomy": film.anatomy,
                "landmarks": files[1],
            }
        )
    write_landmark_names(folder)
    add_to_index(folder, entries)
