"""Landmarks of films: a label image beside each film, and one table of names for all."""

import csv
from pathlib import Path

import numpy as np

from core.errors import BadInput
from core.scans.scan import Scan

NAMES = "landmarks.tsv"


def read_landmark_names(folder: Path) -> dict[int, str]:
    """Label → name from ``landmarks.tsv`` (columns index and name); empty where there is none.

    Raises
    ------
    BadInput
        When the table is not one.
    """
    path = folder / NAMES
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [(int(row["index"]), row["name"].strip()) for row in csv.DictReader(file, delimiter="\t")]
    except (UnicodeDecodeError, csv.Error, KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(
            f"{NAMES} must be tab-separated text with the columns index (a whole number) and name."
        ) from error
    names = dict(rows)
    if (
        len(names) < len(rows)
        or len(set(names.values())) < len(rows)
        or "" in names.values()
        or min(names, default=1) < 1
    ):
        raise BadInput(f"{NAMES} must give every index from 1 a name of its own.")
    return names


def read_landmarks(path: Path, film: Scan, names: dict[int, str], whose: str) -> dict[str, np.ndarray]:
    """Landmarks of one film.

    Parameters
    ----------
    path : pathlib.Path
        Image of labels: 0 is nothing, k is landmark k.
    film : Scan
        What they lie on.
    names : dict of int to str
        Name of each label; when empty they are called ``landmark k``.
    whose : str
        The film, for sentences.

    Returns
    -------
    dict of str to numpy.ndarray of bool
        Name → where it is, the film's spatial shape; only landmarks that the film has, in the order of their labels.

    Raises
    ------
    BadInput
        No image, one of another size, in colour, or with labels that the table of names does not have.
    """
    from core.scans import load_scan

    try:
        labels = load_scan(path)
    except BadInput as error:
        raise BadInput(f"The landmarks of {whose} cannot be read. {error}") from error
    if labels.shape != film.shape:
        sizes = ("×".join(map(str, shape)) for shape in (labels.shape, film.shape))
        raise BadInput(
            "The landmarks of {} are {} samples and its film {}: draw them on this film.".format(whose, *sizes)
        )
    if labels.colours is not None:
        raise BadInput(f"The landmarks of {whose} are in colour: save them as a grey image of whole numbers.")
    values = labels.array[0]
    found = [int(value) for value in np.unique(values) if value != 0]
    unknown = [value for value in found if names and value not in names]
    if unknown or (values != np.rint(values)).any() or values.min() < 0:
        wrong = f"hold {unknown[0]}, which {NAMES} does not name" if unknown else "are no whole numbers from 0"
        raise BadInput(f"The landmarks of {whose} {wrong}: save them as a grey image of whole numbers.")
    return {names.get(value, f"landmark {value}"): values == value for value in found}
