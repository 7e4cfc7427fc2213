"""What pages ask of the backend process about cohorts: facts, their films as pictures, and films for the store."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.cohorts.library import cohort_stamp, find_cohort
from core.errors import BadInput
from dashboard.backend import questions
from dashboard.look import pictures

if TYPE_CHECKING:
    from core.cohorts.cohort import Cohort, Entry
    from core.scans.scan import Scan

_GONE = "This scan is no longer in the cohort: run the study again."


@dataclass(frozen=True)
class CohortFacts:
    """What a page tells of a cohort.

    Parameters
    ----------
    title, description : str
        For people.
    synthetic : bool
        Made by a program.
    films : int
        How many scans it has.
    classes : tuple of str
        Theirs.
    notes : tuple of str
        What was left out on reading.
    """

    title: str
    description: str
    synthetic: bool
    films: int
    classes: tuple[str, ...]
    notes: tuple[str, ...]


def cohort_facts(name: str) -> CohortFacts:
    """Facts of a cohort of the library.

    Raises
    ------
    BadInput
        When it is not there or cannot be read.
    """
    from core.cohorts.selection import read_cohort_card

    cohort = _cohort(name)
    card = read_cohort_card(find_cohort(name))
    return CohortFacts(
        cohort.title, card.description, cohort.synthetic, len(cohort.entries), cohort.classes, cohort.notes
    )


def film_pictures(cohort: str, files: Sequence[str]) -> tuple[bytes, ...]:
    """A small PNG of each film, by its path inside the cohort.

    Raises
    ------
    BadInput
        When one is not of this cohort or cannot be read.
    """
    found = _cohort(cohort)
    return tuple(pictures.film_png(_flat(found.load(_entry(found, file)).array[0])) for file in files)


def _flat(values: np.ndarray) -> np.ndarray:
    """A picture of it: itself, or the middle slice of a volume, nose up."""
    return values if values.ndim == 2 else np.rot90(values[:, :, values.shape[2] // 2])


def store_scan(cohort: str, file: str, title: str, owner: str) -> str:
    """Put a scan of a cohort into the store with its landmarks; returns its content hash.

    Landmarks that the person has drawn on it since are left as they are. A folder of scans without labels is no cohort,
    and its scans can be opened all the same.

    Raises
    ------
    BadInput
        When the scan is not there any more, or it or its landmarks cannot be read.
    """
    try:
        found = _cohort(cohort)
        entry = _entry(found, file)
    except BadInput:
        return questions.shelf(owner).add_scan(_loose_scan(find_cohort(cohort), file), title)
    stored = questions.shelf(owner).add_scan(found.load(entry), title)
    places = {name: place for name, place in found.landmarks(entry).items() if place.any()}
    questions.keep_landmarks(stored, owner, places)
    return stored


def _loose_scan(folder: Path, file: str) -> "Scan":
    """A scan of a folder that is no cohort."""
    from core.scans import load_scan

    path = folder / file
    if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
        raise BadInput(_GONE)
    return load_scan(path)


def _entry(cohort: "Cohort", file: str) -> "Entry":
    entry = next((entry for entry in cohort.entries if entry.file == file), None)
    if entry is None:
        raise BadInput(_GONE)
    return entry


def _cohort(name: str) -> "Cohort":
    folder = find_cohort(name)
    return _read(folder, cohort_stamp(folder))


@lru_cache(maxsize=2)
def _read(folder: Path, _content: str) -> "Cohort":
    """A cohort as its folder is now: reading it anew for every film would take longer than the film."""
    from core.cohorts.reading import read_cohort

    return read_cohort(folder)
