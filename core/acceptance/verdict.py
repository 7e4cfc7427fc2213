"""What is said of a scan before a model's answer to it is believed. Readable without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

#: Whether a model can read a scan: yes, no, or it is not known what the model was trained on.
State = Literal["accepted", "refused", "unknown"]
#: File of a model folder in which its statistics are.
STATISTICS = "acceptance.safetensors"
HEADING = "This scan is not what the model was made for"
#: What the name of the sign is that says whether a scan lies in MNI space.
SPACE = "space"
#: The same of the sign that holds it against what the file's header says.
HEADER = "header"


def statistics_stamp(folder: Path) -> str:
    """A few characters that change when a model's statistics do; none where it has none.

    They are no part of its content: runs that are in the store keep their names when statistics are added.
    """
    try:
        status = (folder / STATISTICS).stat()
    except OSError:
        return ""
    return f"-{status.st_mtime_ns:x}-{status.st_size:x}"


@dataclass(frozen=True)
class Sign:
    """One thing that was looked at.

    Parameters
    ----------
    name, title : str
        Short name, and what it is for people.
    passed : bool
        Whether the scan looks like one that the model reads.
    sentence : str
        What was found, ended by a full stop.
    value, limit : float, optional
        The figure and how large it may be (of a share of the template: how small), where there are any.
    """

    name: str
    title: str
    passed: bool
    sentence: str
    value: float | None = None
    limit: float | None = None


@dataclass(frozen=True)
class Acceptance:
    """Whether a model can read a scan, and by which signs.

    Parameters
    ----------
    state : {"accepted", "refused", "unknown"}
        Refused where a sign failed; unknown where none did and the model has no statistics of its training.
    signs : tuple of Sign
        All that were looked at.
    """

    state: State
    signs: tuple[Sign, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether the model's answer to this scan is not to be believed."""
        return self.state == "refused"

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it was refused: a sentence for each sign that failed."""
        return tuple(sign.sentence for sign in self.signs if not sign.passed)

    @property
    def sentence(self) -> str:
        """In one line; empty where the scan was accepted."""
        if self.state == "accepted":
            return ""
        if self.state == "unknown":
            return "It is not known what this model was trained on: whether it can read this scan could not be checked."
        return f"{HEADING}: its answer means nothing. {' '.join(self.reasons)}"

    @property
    def in_mni_space(self) -> bool | None:
        """Whether the scan lies in MNI space; None where that was not looked at."""
        said = [sign.passed for sign in self.signs if sign.name in (SPACE, HEADER)]
        return all(said) if said else None

    def as_record(self) -> dict[str, Any]:
        """As it is kept in records: ``state``, ``sentence``, ``signs``."""
        return {"state": self.state, "sentence": self.sentence, "signs": [asdict(sign) for sign in self.signs]}

    @classmethod
    def of_record(cls, record: Mapping[str, Any] | None) -> Acceptance | None:
        """What a record holds; None where it was written before this was looked at."""
        if not record:
            return None
        return cls(record["state"], tuple(Sign(**sign) for sign in record["signs"]))
