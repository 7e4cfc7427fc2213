"""How alike the maps are: every pair, in every way that makes sense for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import streamlit as st

from core.errors import LightboxError
from core.metrics.similarity import roi_similarity
from core.models.card import Card
from dashboard.backend import maps, pool
from dashboard.backend.maps import MapFile, Pair
from dashboard.compare.side_by_side.common import Common
from dashboard.compare.side_by_side.members import Member
from dashboard.desk import owner
from dashboard.intake import catalogue

#: The changed scan of an explainer that hides something.
_CHANGED = "perturbed"


@dataclass(frozen=True)
class Likeness:
    """Figures of two maps; None or NaN where there is none.

    Parameters
    ----------
    one, other : str
        Their letters.
    pair : Pair, optional
        Sample by sample.
    regions : float
        Cosine of what the maps have in each region of the atlas (paper 1, section 2.4).
    said : tuple of float or None
        Probability of the explained class that the network of `other` gives the scan as `one` changed it, and the other
        way round (prob_CNN of paper 1).
    """

    one: str
    other: str
    pair: Pair | None
    regions: float
    said: tuple[float | None, float | None] = (None, None)


def measure(members: Sequence[Member], common: Common, share: float, ask: bool) -> list[Likeness]:
    """Every pair of finished maps.

    Parameters
    ----------
    members : sequence of Member
        With results.
    common : Common
        How far they can be compared.
    share : float
        Of all samples, those that a map marks, 0..1.
    ask : bool
        Ask each network about what the others' explanations left of the scan, which takes a moment.

    Raises
    ------
    LightboxError
        When there is no answer.
    """
    pairs: Mapping[tuple[int, int], Pair] = {}
    if common.samples and len(members) > 1:
        pairs = _pairs(tuple(map_file(member) for member in members), share, common.values)
    return [
        Likeness(
            members[a].letter,
            members[b].letter,
            pairs.get((a, b)),
            regional_likeness(members[a], members[b]),
            (_said(members[a], members[b]), _said(members[b], members[a])) if ask else (None, None),
        )
        for a, b in combinations(range(len(members)), 2)
    ]


@st.cache_data(max_entries=256, show_spinner="Comparing the maps")
def _pairs(files: tuple[MapFile, ...], share: float, subtract: bool) -> dict[tuple[int, int], Pair]:
    return pool.ask(maps.compare_maps, files, share, subtract)


def map_file(member: Member) -> MapFile:
    """The map of a finished run as the backend reads it."""
    rows = tuple(tuple(float(number) for number in row) for row in member.grid.affine)
    return MapFile(str(member.main.path), member.main.neutral, rows)


def regional_likeness(one: Member, other: Member) -> float:
    """Cosine of the densities of two maps in the regions of one atlas; NaN where they have none in common."""
    if one.explanation is None or other.explanation is None:
        return float("nan")
    if one.explanation.record.get("atlas") != other.explanation.record.get("atlas"):
        return float("nan")
    found = [_densities(member) for member in (one, other)]
    names = list(dict.fromkeys([*found[0], *found[1]]))
    if not names:
        return float("nan")
    vectors = [np.array([known.get(name, 0.0) for name in names]) for known in found]
    return roi_similarity(*vectors)


def _densities(member: Member) -> dict[str, float]:
    from core.metrics.localisation import OUTSIDE

    regions = member.explanation.regions if member.explanation is not None else []
    return {region["name"]: float(region["density"] or 0.0) for region in regions if region["name"] != OUTSIDE}


def can_be_asked(members: Sequence[Member]) -> bool:
    """Whether two of them changed the scan, so that networks can be asked about what is left of it."""
    return sum(_changed(member) is not None for member in members) > 1


def _changed(member: Member) -> str | None:
    """File of the scan as an explainer changed it."""
    array = member.explanation.arrays.get(_CHANGED) if member.explanation is not None else None
    return str(array.path) if array is not None and member.target else None


def _said(of: Member, asked: Member) -> float | None:
    """What the network of one run says of the scan as the other changed it."""
    path = _changed(of)
    card: Card | None = catalogue.cards().get(str(asked.run.request["model"]))
    if path is None or card is None or _changed(asked) is None:
        return None
    try:
        return _answer(of.scan, path, owner(), card.name, catalogue.content_of(card.name), of.target)
    except LightboxError:
        return None


@st.cache_data(max_entries=512, show_spinner="Asking the networks about what the others hid")
def _answer(scan: str, path: str, whose: str, model: str, content: str, target: str) -> float | None:
    return pool.ask_same(maps.answer_to, scan, path, whose, model, content, target)
