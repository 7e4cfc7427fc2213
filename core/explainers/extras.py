"""What an explanation says beside its maps, typed, so that no screen parses a name or knows an explainer.

Importable without torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from core.scans.grid import Grid

#: Names of the colours that an explainer may have; what they look like is up to the screen.
Color = Literal["accent", "gold", "green", "violet", "orange", "mauve", "blue", "teal", "pink"]


@dataclass(frozen=True)
class Curve:
    """A column of a history, as a chart draws it.

    Parameters
    ----------
    title : str
        What it is ("loss", "hidden").
    unit : str
        Unit of the values, shown beside the title.
    scale : {"linear", "log"}
        Of its axis.
    role : {"goal", "answer", "term"}
        goal: what is optimised, in the explainer's colour; answer: what the model says; term: all else, quiet.
    low, high : float, optional
        Ends of the axis; by default those of the values.
    """

    title: str
    unit: str = ""
    scale: Literal["linear", "log"] = "linear"
    role: Literal["goal", "answer", "term"] = "term"
    low: float | None = None
    high: float | None = None

    @property
    def label(self) -> str:
        """Title with its unit."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


@dataclass(frozen=True)
class Part:
    """One of the things that a map was made of: a filter of a layer, one mask of several, a superpixel.

    Parameters
    ----------
    index : int
        Its number in its owner, from 0.
    title : str
        What it is called ("Filter 17").
    score : float, optional
        What it was chosen by.
    share : float, optional
        Part of its owner's whole score that is its own, 0..1; None where there is no such whole.
    array : str, optional
        Name of its own map among the arrays; None where that was not kept.
    caption : str
        How strong it is, in a few words.
    """

    index: int
    title: str
    score: float | None = None
    share: float | None = None
    array: str | None = None
    caption: str = ""


@dataclass(frozen=True)
class Parts:
    """What a map was made of, part by part.

    Parameters
    ----------
    kind : str
        What one is called, in the singular ("filter").
    plural : str
        And several ("filters").
    owner : str
        What they are parts of: the name of a layer; empty where that has no name.
    members : tuple of Part
        Strongest first.
    sentence : str
        How many were used of how many, and how much of the whole they hold.
    help : str
        How to read a gallery of their maps.
    absent : str
        Why parts have no map of their own, and how to get them; said where none has.
    """

    kind: str
    plural: str
    owner: str
    members: tuple[Part, ...]
    sentence: str = ""
    help: str = ""
    absent: str = ""

    @property
    def title(self) -> str:
        """Heading: what they are, and of what ("Filters of features.9")."""
        name = self.plural[:1].upper() + self.plural[1:]
        return f"{name} of {self.owner}" if self.owner else name

    @property
    def shown(self) -> tuple[Part, ...]:
        """Those that have a map of their own."""
        return tuple(part for part in self.members if part.array is not None)


@dataclass(frozen=True, eq=False)
class OnModelGrid:
    """What was computed where the network looks: nothing in it was carried to the scan's own grid.

    Parameters
    ----------
    grid : Grid
        Of the network's input; a volume one plane thick for a 2D model on a volume.
    arrays : dict of str to numpy.ndarray, float32, shape of the grid
        ``input`` is what the network was fed (of several channels the first), ``map`` and ``perturbed`` are the
        explanation's.
    """

    grid: Grid
    arrays: dict[str, np.ndarray]


def parts_record(parts: Parts | None) -> dict[str, Any] | None:
    """`parts` for JSON."""
    return None if parts is None else asdict(parts)


def parts_of_record(found: Mapping[str, Any] | None) -> Parts | None:
    """What `parts_record` wrote; words that a later version added are left out."""
    if not found:
        return None
    members = tuple(Part(**_known(Part, member)) for member in found.get("members", ()))
    return Parts(**{**_known(Parts, found), "members": members})


def curves_of_record(found: Mapping[str, Mapping[str, Any]]) -> dict[str, Curve]:
    """Curves by column, from their JSON; words that a later version added are left out."""
    return {name: Curve(**_known(Curve, curve)) for name, curve in found.items()}


def _known(cls: type[Any], found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name in cls.__dataclass_fields__}
