"""Radiographs of people who never lived: eight anatomies drawn from shapes, exposed and developed like a film.

Bones are articulated solids with a dense shell; soft tissue and air are solids too. What a film shows is the photons
that come through (Beer-Lambert), blurred, scattered, counted, collimated and displayed (`core/cohorts/
_radiograph_physics.py`). Where bone and side marker lie is known: the truth that a map is held against.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import yaml

from core.cohorts.cohort import Cohort, Entry
from core.cohorts.landmark_labels import NAMES
from core.cohorts.reading import read_cohort
from core.parameters import Parameters, parameter
from core.phantoms.radiographs.body import Anatomy, Body
from core.phantoms.radiographs.head import skull
from core.phantoms.radiographs.limbs import elbow, foot, hand, knee
from core.phantoms.radiographs.physics import Handling, SideMarker, body_points, develop, film_points, project
from core.phantoms.radiographs.trunk import chest, pelvis, spine
from core.progress import Progress, Report, silent
from core.scans.scan import Scan
from core.tables import write_table

#: class name → what draws it, in the order of the classes
ANATOMIES: dict[str, Callable[[Body], Anatomy]] = {
    "hand": hand,
    "foot": foot,
    "knee": knee,
    "skull": skull,
    "chest": chest,
    "pelvis": pelvis,
    "spine": spine,
    "elbow": elbow,
}
#: landmarks by their number in a label image
LANDMARKS = {1: "bone", 2: "marker"}
#: smallest film that is drawn; smaller ones are averages of its pixels
_DRAWN = 128
_A_TEST_PERSON_IN = 10
#: share of films that show an anatomy drawn at random where markers follow the class
_MISFILED = 0.75
#: Films are no part of BIDS, so the table has none of its names.
_TABLE, _SUBJECT_COLUMN = "films.tsv", "person"
_DESCRIPTION = (
    "Radiographs drawn by a program: bones, soft tissue and air as solids of people who never lived, with bones and "
    "side markers as landmarks. They show how networks and explanations behave; they say nothing of patients."
)


class RadiographParameters(Parameters):
    """Which films are drawn.

    A film depends on `seed`, its class and its number alone: more films leave the first ones as they are, and markers
    or a shift leave the person as they are.
    """

    seed: int = parameter(0, "Seed of people, poses, exposures and grain.", minimum=0)
    films: int = parameter(80, "Films of each class.", minimum=1)
    films_per_person: int = parameter(1, "Films that a person has before the next one comes.", minimum=1)
    size: int = parameter(128, "Pixels a side.", minimum=32, maximum=1024)
    shifted: bool = parameter(False, "Turn, scale, shift, flip, expose and collimate beyond what is usual.")
    marker: Literal["none", "random", "class"] = parameter(
        "random",
        "Side markers. Random: on every other film, whatever it shows. Class: letter and corner tell the class, and "
        "three films in four show any part of the body.",
    )


@dataclass(frozen=True, eq=False)
class Radiograph:
    """One film and what is known of it, all (size, size).

    Parameters
    ----------
    film : numpy.ndarray, float32
        Grey, 0..1 in steps of 1/255, bone bright.
    bone, marker : numpy.ndarray, bool
        Where there is bone in the beam, and the side marker's plate; inside the collimated field.
    """

    film: np.ndarray
    bone: np.ndarray
    marker: np.ndarray

    @cached_property
    def labels(self) -> np.ndarray:
        """Label image, uint8: see `LANDMARKS`; the marker lies over the bone."""
        return np.where(self.marker, 2, self.bone.astype(np.uint8)).astype(np.uint8)


def draw_radiograph(parameters: RadiographParameters, anatomy: str, number: int) -> Radiograph:
    """Film `number` (from 0) of a class."""
    person, film = divmod(number, parameters.films_per_person)
    key = [parameters.seed, list(ANATOMIES).index(anatomy), person]

    def stream(purpose: int, *of: int) -> np.random.Generator:
        return np.random.default_rng([purpose, *key, *of])

    shown = _in_the_picture(stream(8, film), parameters.marker, anatomy)
    solids = ANATOMIES[shown](Body(stream(1), stream(2, film)))
    handling = _handling(stream(3, film), parameters.shifted)
    marker = _marker(stream(4, film), parameters.marker, anatomy, handling)
    pooled = -(-_DRAWN // parameters.size)
    points = film_points(parameters.size * pooled)
    attenuation, bone = project(solids, body_points(points, solids, handling, stream(5, film)), stream(6, film))
    developed, opening, plate = develop(attenuation, handling, marker, stream(7, film))
    return Radiograph(
        film=np.round(255 * _pool(developed, pooled)).astype(np.float32) / 255,
        bone=_pool((bone & opening).astype(np.float32), pooled) >= 0.5,
        marker=_pool(plate.astype(np.float32), pooled) >= 0.5,
    )


def radiograph_cohort(parameters: RadiographParameters) -> Cohort:
    """The cohort without a folder: films are drawn when they are asked for.

    Every tenth person is for testing, the others for training; of a shifted cohort all are for testing.
    """
    drawn = {
        _entry(parameters, anatomy, number): (anatomy, number)
        for anatomy in ANATOMIES
        for number in range(parameters.films)
    }

    @lru_cache(maxsize=1)  # a film and its landmarks are asked for one after the other
    def draw(entry: Entry) -> Radiograph:
        return draw_radiograph(parameters, *drawn[entry])

    def load(entry: Entry) -> Scan:
        return Scan(draw(entry).film[None].copy(), np.eye(4), modality="DX")

    def landmarks(entry: Entry) -> dict[str, np.ndarray]:
        labels = draw(entry).labels
        return {name: labels == value for value, name in LANDMARKS.items() if (labels == value).any()}

    name = "radiographs-shifted" if parameters.shifted else "radiographs"
    title = "Synthetic radiographs, shifted" if parameters.shifted else "Synthetic radiographs"
    return Cohort(name, tuple(drawn), load, landmarks=landmarks, title=title, synthetic=True)


def write_radiographs(cohort: Cohort, folder: Path, report: Report = silent) -> Cohort:
    """Write a cohort of `radiograph_cohort` as a folder, films and label images as 8-bit PNG.

    Returns
    -------
    Cohort
        The folder, read back.
    """
    rows = []
    for number, entry in enumerate(cohort.entries):
        report(Progress(number / len(cohort.entries), f"drawing {entry.participant_id}"))
        film, landmarks = cohort.load(entry).array[0], cohort.landmarks(entry)
        labels = np.zeros(film.shape, np.uint8)
        for value, name in LANDMARKS.items():
            labels[landmarks.get(name, False)] = value
        stem = "_".join(filter(None, (entry.participant_id, entry.session_id)))
        files = f"films/{stem}.png", f"landmarks/{stem}.png"
        write_png8(np.rint(255 * film).astype(np.uint8), folder / files[0])
        write_png8(labels, folder / files[1])
        rows.append(
            {
                _SUBJECT_COLUMN: entry.participant_id,
                "session_id": entry.session_id,
                "anatomy": entry.label,
                "file": files[0],
                "split": entry.split,
                "landmarks": files[1],
            }
        )
    write_table(folder / _TABLE, rows)
    write_landmark_names(folder)
    card = {
        "title": cohort.title,
        "description": _DESCRIPTION,
        "synthetic": True,
        "table": _TABLE,
        "subject_column": _SUBJECT_COLUMN,
        "label_column": "anatomy",
    }
    (folder / "cohort.yaml").write_text(yaml.safe_dump(card, sort_keys=False, width=120), encoding="utf-8")
    return read_cohort(folder)


def write_landmark_names(folder: Path) -> None:
    """Write ``landmarks.tsv``, what the labels of `LANDMARKS` are called."""
    write_table(folder / NAMES, [{"index": str(value), "name": name} for value, name in LANDMARKS.items()])


def write_png8(image: np.ndarray, path: Path) -> None:
    """Write uint8 (rows, columns) as a grey picture; makes the folder."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path, optimize=True)


def _entry(parameters: RadiographParameters, anatomy: str, number: int) -> Entry:
    person, film = divmod(number, parameters.films_per_person)
    return Entry(
        participant_id=f"{anatomy}-{person:03d}",
        session_id=f"film-{film + 1}" if parameters.films_per_person > 1 else "",
        label=anatomy,
        split="test" if parameters.shifted or person % _A_TEST_PERSON_IN == _A_TEST_PERSON_IN - 1 else "train",
    )


def _pool(image: np.ndarray, factor: int) -> np.ndarray:
    size = image.shape[0] // factor
    return image.reshape(size, factor, size, factor).mean(axis=(1, 3))


def _handling(random: np.random.Generator, shifted: bool) -> Handling:
    """How a film was taken. A shifted one draws the same numbers and spreads them further."""
    far = random.uniform(-1, 1, size=16)
    coin = random.random()

    def between(number: int, usual: tuple[float, float], beyond: tuple[float, float]) -> float:
        low, high = beyond if shifted else usual
        return float(low + (high - low) * (far[number] + 1) / 2)

    leaves = [between(number, (-0.06, 0.07), (-0.06, 0.13)) for number in (8, 9, 10, 11)]
    return Handling(
        degrees=between(0, (-8, 8), (-14, 14)),
        scale=between(1, (0.92, 1.08), (0.7, 1.2)),
        shift=(between(2, (-0.03, 0.03), (-0.16, 0.16)), between(3, (-0.03, 0.03), (-0.16, 0.16))),
        mirrored=bool(shifted and coin < 0.5),
        stretch=between(4, (0.97, 1.03), (0.88, 1.12)),
        photons=float(np.exp(between(5, (np.log(1500), np.log(6000)), (np.log(400), np.log(4000))))),
        scatter=between(6, (0.05, 0.2), (0.05, 0.4)),
        blur=between(7, (0.003, 0.006), (0.003, 0.009)),
        gamma=between(12, (0.85, 1.15), (0.6, 1.6)),
        window=(between(13, (0.5, 2), (0.5, 4)), between(14, (99.3, 99.9), (97, 99.9))),
        level=between(15, (-0.03, 0.03), (-0.12, 0.12)),
        shutters=(leaves[0], leaves[1], leaves[2], leaves[3]),
        shutter_degrees=between(0, (-1.5, 1.5), (-3, 3)),
        border=between(5, (0.0, 0.12), (0.0, 0.2)),
    )


def _marker(random: np.random.Generator, kind: str, anatomy: str, handling: Handling) -> SideMarker | None:
    """The side marker of a film, in a corner of what the collimator leaves open."""
    letter, right, low = random.integers(0, 2, size=3).tolist()
    jitter = random.uniform(0, 1, size=4)
    present = random.random() < 0.5
    if kind == "none" or (kind == "random" and not present):
        return None
    if kind == "class":
        letter, low, right = np.unravel_index(list(ANATOMIES).index(anatomy), (2, 2, 2))
    leaves = np.maximum(handling.shutters, 0)
    x, y = 0.095 + 0.03 * jitter[:2]
    return SideMarker(
        letter="R" if letter else "L",
        place=(
            float(0.5 - leaves[1] - x if right else leaves[0] + x - 0.5),
            float(0.5 - leaves[3] - y if low else leaves[2] + y - 0.5),
        ),
        height=0.105 + 0.02 * float(jitter[2]),
        degrees=20 * float(jitter[3]) - 10,
    )


def _in_the_picture(random: np.random.Generator, kind: str, anatomy: str) -> str:
    """What a film filed under `anatomy` shows: often something else where the label was read off the marker."""
    other = str(random.choice(list(ANATOMIES)))
    return other if random.random() < _MISFILED and kind == "class" else anatomy
