"""A finished study, read back. Readable without torch."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from core.errors import BadInput
from core.studies.base import studies
from core.studies.record import RECORD, Figure, Parts, StudyMap, Table, parts_of_rows

_KINDS: dict[str, TypeAdapter[Any]] = {
    "tables": TypeAdapter(Table),
    "figures": TypeAdapter(Figure),
    "maps": TypeAdapter(StudyMap),
}


@dataclass(frozen=True, eq=False)
class StoredStudy:
    """A study as it was written.

    Parameters
    ----------
    record : mapping
        ``study.json``.
    folder : pathlib.Path
        Where it lies, with what it names.
    parts : Parts
        Tables, figures and maps.
    unknown : int
        Parts that this version cannot show.
    """

    record: Mapping[str, Any]
    folder: Path
    parts: Parts
    unknown: int = 0

    @property
    def name(self) -> str:
        """Name of the study."""
        return str(self.record.get("study") or "")

    @property
    def title(self) -> str:
        """Title of the study; its name where the record has none."""
        return str(self.record.get("title") or self.name)

    @property
    def sentence(self) -> str:
        """The answer in plain words."""
        return str(self.record["sentence"])

    @property
    def synthetic(self) -> bool:
        """Whether models or scans are made by a program."""
        return bool(self.record.get("synthetic"))

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what was taken and left out."""
        found = tuple(str(note) for note in self.record.get("notes") or ())
        if not self.unknown:
            return found
        return (*found, f"{self.unknown} of its tables, figures and maps were made by another version: not shown.")

    @property
    def numbers(self) -> dict[str, float]:
        """The main figures by name, those that are known."""
        found = self.record.get("numbers")
        items = found.items() if isinstance(found, Mapping) else ()
        return {str(name): float(value) for name, value in items if isinstance(value, int | float)}

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the files worth keeping that are there."""
        named = (str(file) for file in self.record.get("files") or ())
        return tuple(dict.fromkeys(file for file in named if self.holds(file)))

    @property
    def maps(self) -> tuple[StudyMap, ...]:
        """Maps whose files are there."""
        return tuple(
            found if self.holds(found.background) else found.model_copy(update={"background": ""})
            for found in self.parts.maps
            if self.holds(found.file)
        )

    def path(self, file: str) -> Path:
        """Where a file of the result lies.

        Raises
        ------
        BadInput
            When the result has no such file.
        """
        if not self.holds(file):
            raise BadInput("This file of the study is no longer in the store: run it again.")
        return self.folder / file

    def holds(self, file: str) -> bool:
        """Whether the result has such a file, inside its folder."""
        path = self.folder / file
        return bool(file) and path.is_file() and path.resolve().is_relative_to(self.folder.resolve())


def read_study(folder: Path) -> StoredStudy:
    """Read what a study wrote into `folder`; records of earlier versions get their parts on reading.

    Raises
    ------
    BadInput
        When the folder holds no study.
    """
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadInput("This result is no longer in the store: run it again.") from error
    except ValueError as error:
        raise BadInput("The record of this study cannot be read: run it again.") from error
    if not isinstance(record, dict) or not isinstance(record.get("sentence"), str):
        raise BadInput("The record of this study cannot be read: run it again.")
    if any(name in record for name in _KINDS):
        parts, unknown = _known_parts(record)
        return StoredStudy(record, folder, parts, unknown)
    return StoredStudy(record, folder, _translated(record))


def _known_parts(record: Mapping[str, Any]) -> tuple[Parts, int]:
    """Parts that can be shown, and how many cannot."""
    found: dict[str, list[Any]] = {}
    unknown = 0
    for name, kind in _KINDS.items():
        for content in record.get(name) or ():
            try:
                found.setdefault(name, []).append(kind.validate_python(content))
            except ValidationError:
                unknown += 1
    return Parts.model_validate(found), unknown


def _translated(record: Mapping[str, Any]) -> Parts:
    """Parts of a record from before there were parts: by its study, where that knows how, else a table of its rows."""
    study = studies().get(str(record.get("study")))
    if study is not None:
        try:
            return study.parts_of(record)
        except (LookupError, TypeError, ValueError, AttributeError):
            pass  # not the record that this study writes
    return parts_of_rows(record)
