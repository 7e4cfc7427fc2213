"""The study "agreement" in plain words, computed from its figures."""

import math
from collections.abc import Mapping, Sequence
from typing import Any


def sentence(pairs: Sequence[Mapping[str, Any]], titles: Mapping[str, str], scans: int) -> str:
    """Which two agree most, which least, and what maps of different scans have in common.

    Parameters
    ----------
    pairs : sequence of mapping
        ``one``, ``other``, ``rank``, ``places`` and ``chance`` of each, the most alike first.
    titles : mapping of str to str
        Of explainers.
    scans : int
        How many were asked about.
    """
    over = f"Over {scans} scan{'s' if scans != 1 else ''}"
    known = [pair for pair in pairs if not math.isnan(pair["rank"])]
    if not known:
        return f"{over} no two maps can be compared: those of one explainer or the other are the same everywhere."

    def both(pair: Mapping[str, Any]) -> str:
        return f"{titles[pair['one']]} and {titles[pair['other']]}"

    most, least = known[0], known[-1]
    said = f"{over} {both(most)} agree with a rank correlation of {most['rank']:.2f}"
    if len(known) > 1:
        said = (
            f"{over} {both(most)} agree most (rank correlation {most['rank']:.2f}), {both(least)} least "
            f"({least['rank']:.2f})"
        )
    chance = [pair["chance"] for pair in known if not math.isnan(pair["chance"])]
    if chance:
        said += f"; maps of two different scans have {sum(chance) / len(chance):.2f} in common"
    coarse = max(known, key=lambda pair: pair["places"] - pair["rank"])
    if coarse["places"] - coarse["rank"] > _COARSE:
        said += f". {both(coarse)} point to the same places ({coarse['places']:.2f}) and differ in their texture"
    return f"{said}."


#: From this much more likeness of places than rank correlation on, two maps are said to differ in texture alone.
_COARSE = 0.4
