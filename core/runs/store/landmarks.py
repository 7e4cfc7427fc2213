"""Landmarks: regions of a scan that a person named, kept with the scan for their owner."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from core.errors import BadInput
from core.runs.store import tables

#: Most letters of a name.
LONGEST_NAME = 40
#: Most landmarks of a scan.
MOST = 24


@dataclass(frozen=True)
class Landmark:
    """A named region of a scan.

    Parameters
    ----------
    name : str
        As the person wrote it: escaped wherever it is shown.
    region : str
        Content hash of its samples (`core.runs.Shelf.region`).
    """

    name: str
    region: str


def checked_landmarks(landmarks: Sequence[Landmark]) -> tuple[Landmark, ...]:
    """Landmarks with tidy names.

    Raises
    ------
    BadInput
        A name that is empty, too long or taken; too many landmarks.
    """
    tidy = tuple(Landmark(tidy_name(landmark.name), landmark.region) for landmark in landmarks)
    if len(tidy) > MOST:
        raise BadInput(f"A scan has at most {MOST} landmarks: remove one first.")
    names = [landmark.name for landmark in tidy]
    if len(set(names)) < len(names):
        # not told which: sentences are shown as text with markup, and a name may hold some
        raise BadInput("There is a landmark of this name already: choose another name.")
    return tidy


def tidy_name(name: str) -> str:
    """A name on one line without characters that cannot be seen.

    Raises
    ------
    BadInput
        When nothing is left of it, or it is too long.
    """
    tidy = " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())
    if not tidy:
        raise BadInput("A landmark needs a name: write one or two words.")
    if len(tidy) > LONGEST_NAME:
        raise BadInput(f"The name of a landmark has at most {LONGEST_NAME} letters: shorten it.")
    return tidy


def read_landmarks(connection: Connection, scan: str, owner: str) -> tuple[Landmark, ...]:
    """Landmarks of one owner on one scan, in their order."""
    table = tables.landmarks
    mine = (table.c.owner == owner) & (table.c.scan == scan)
    rows = connection.execute(select(table.c.name, table.c.region).where(mine).order_by(table.c.place))
    return tuple(Landmark(row.name, row.region) for row in rows)


def write_landmarks(connection: Connection, scan: str, owner: str, landmarks: Sequence[Landmark]) -> None:
    """Replace them all."""
    table = tables.landmarks
    connection.execute(delete(table).where(table.c.owner == owner, table.c.scan == scan))
    rows = [
        {"owner": owner, "scan": scan, "name": landmark.name, "place": place, "region": landmark.region}
        for place, landmark in enumerate(landmarks)
    ]
    if rows:
        connection.execute(insert(table), rows)
