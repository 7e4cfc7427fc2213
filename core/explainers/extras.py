"""What an explanation says beside its maps, typed, so that no screen parses a name or knows an explainer.

Importable without torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from core.metrics.localisation import OUTSIDE, RegionShare, holding_half
from core.scans.grid import Grid
from core.wording import listed, percent

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


@dataclass(frozen=True)
class Verdict:
    """Whether an explanation holds, by its own checks.

    Parameters
    ----------
    state : {"holds", "fails", "nothing", "untested"}
        holds: every check that applies was passed; fails: one was not; nothing: there was nothing to explain;
        untested: no check of it can be failed.
    sentence : str
        By which checks.
    remedy : str
        What to try, where there is no result at all and the map is not to be drawn; else empty.
    """

    state: Literal["holds", "fails", "nothing", "untested"]
    sentence: str
    remedy: str = ""

    @property
    def title(self) -> str:
        """In two or three words."""
        return VERDICT_TITLES[self.state]

    @property
    def withheld(self) -> bool:
        """Whether there is no result: a picture of the map would be taken for one."""
        return bool(self.remedy)

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Verdict:
        """What a record holds; words that a later version added are left out."""
        return cls(**_known(cls, record))


#: States of a verdict, in two or three words.
VERDICT_TITLES = {"holds": "Holds", "fails": "Does not hold", "nothing": "Nothing to explain", "untested": "Not tested"}


def verdict_of(checks: Iterable[Mapping[str, Any]], asked: bool = True, zero: bool = False) -> Verdict:
    """The verdict that follows from checks.

    Parameters
    ----------
    checks : iterable of Mapping
        As records have them: ``title``, ``passed``, and ``applies`` and ``remedy``, which older ones lack.
    asked : bool
        Whether there was anything to explain: not where the model does not say the class.
    zero : bool
        Whether the map is zero everywhere.
    """
    if not asked:
        return Verdict("nothing", "The map is empty because there was nothing to explain.")
    decisive = [check for check in checks if check["passed"] is not None and check.get("applies", True)]
    missed = [check for check in decisive if not check["passed"]]
    if missed or zero:
        failed = ", ".join(check["title"] for check in missed)
        reason = f"Not passed: {failed}." if failed else "The map is zero everywhere."
        remedy = next((check["remedy"] for check in missed if check.get("remedy")), "")
        end = "There is no result" if remedy else "What the map marks is not shown to be what the answer rests on"
        return Verdict("fails", f"{reason} {end}.", remedy)
    if not decisive:
        return Verdict("untested", "No check of this map can be failed: it says nothing of how far to trust it.")
    passed = "the one check that applies" if len(decisive) == 1 else f"all {len(decisive)} checks that apply"
    return Verdict("holds", f"It passed {passed}: {', '.join(check['title'] for check in decisive)}.")


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


#: A map of which the first regions hold less than this is spread out, and that is said.
_SPREAD = 0.25
#: From this share outside of all regions on none of them is where it lies.
_ELSEWHERE = 0.5


def places_of(regions: Sequence[RegionShare]) -> str:
    """The regions that hold most of a map, each with its share; none where most of it lies in no region."""
    if any(region.name == OUTSIDE and region.share >= _ELSEWHERE for region in regions):
        return ""
    named = [f"{region.name} ({percent(region.share)})" for region in _first(regions)]
    return listed(named) if named else ""


def spread_out(regions: Sequence[RegionShare]) -> str:
    """A sentence for after those regions where they hold but little; else nothing."""
    held = sum(region.share for region in _first(regions))
    return f" Together these hold only {percent(held)} of the map: it is spread out." if held < _SPREAD else ""


def held_by_little(values: np.ndarray) -> str:
    """On how much of a picture or volume half of a map lies, as a sentence."""
    share = holding_half(np.abs(values)) / values.size
    return f"Half of the map lies on {percent(share)} of the {'volume' if values.ndim == 3 else 'picture'}."


def _first(regions: Sequence[RegionShare]) -> list[RegionShare]:
    return [region for region in regions if region.share > 0 and region.name != OUTSIDE][:3]
