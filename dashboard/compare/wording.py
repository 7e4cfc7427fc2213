"""What the Compare page says in plain words, computed from the numbers it shows."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.wording import percent, sentence_case
from dashboard.look import text

#: Two maps whose sizes correlate less than this have little in common.
_UNLIKE = 0.5
_COUNTS = {2: "Both", 3: "All three", 4: "All four"}


@dataclass(frozen=True)
class Held:
    """Part of a map that lies in a landmark (0..1; NaN for an empty map), and the landmark's part of the film."""

    share: float
    area: float

    @property
    def ratio(self) -> float:
        """How many times more of the map it holds than an even map would put there; NaN where it is empty."""
        return self.share / self.area if self.area > 0 else float("nan")

    @property
    def empty(self) -> bool:
        """Whether the map is zero everywhere: it has no share then."""
        return self.share != self.share


def listed(names: Sequence[str]) -> str:
    """``"A"``, ``"A and B"``, ``"A, B and C"``."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def answers(probabilities: Mapping[str, Mapping[str, float]]) -> str:
    """What the networks say: ``"All three say hand (P 0.620 to 0.981)."``.

    Parameters
    ----------
    probabilities : mapping of str to mapping
        Title of a network → class → probability.
    """
    said = {title: max(found, key=lambda name: found[name]) for title, found in probabilities.items() if found}
    if not said:
        return ""
    values = {title: probabilities[title][answer] for title, answer in said.items()}
    if len(said) == 1:
        title, answer = next(iter(said.items()))
        return f"{title} says {answer} (P\u00a0{text.probability(values[title])})."
    if len(set(said.values())) == 1:
        low, high = text.probability(min(values.values())), text.probability(max(values.values()))
        many = _COUNTS.get(len(said), f"All {len(said)}")
        return f"{many} say {next(iter(said.values()))} (P\u00a0{low if low == high else f'{low} to {high}'})."
    by_answer: dict[str, list[str]] = {}
    for title, answer in said.items():
        by_answer.setdefault(answer, []).append(f"{title} (P\u00a0{text.probability(values[title])})")
    groups = [
        f"{listed(titles)} {'says' if len(titles) == 1 else 'say'} {answer}" for answer, titles in by_answer.items()
    ]
    return "; ".join(groups) + "."


def landmark_contrast(held: Mapping[str, Mapping[str, Held]]) -> str:
    """The landmark on which the networks differ most, and how.

    They are compared by how many times more than an even map each has there: a small marker counts as much as a bone.

    Parameters
    ----------
    held : mapping of str to mapping
        Title of a network → landmark → what its map has there.
    """
    spreads: dict[str, float] = {}
    for name in dict.fromkeys(name for found in held.values() for name in found):
        ratios = [found[name].ratio for found in held.values() if name in found]
        known = [ratio for ratio in ratios if not math.isnan(ratio)]
        if known:
            spreads[name] = max(known) - min(known)
    if not spreads:
        return ""
    name = max(spreads, key=lambda landmark: spreads[landmark])
    found = {title: values[name] for title, values in held.items() if name in values and not values[name].empty}
    most = max(found, key=lambda title: found[title].share)
    least = min(found, key=lambda title: found[title].share)
    area = f"on {percent(found[most].area)} of the film"
    first = f"{sentence_case(name, True)} holds {percent(found[most].share)} of the map of {most}"
    if most == least:
        return f"{first}, {area}."
    return f"{first} and {percent(found[least].share)} of that of {least}, {area}."


def alikeness(found: Mapping[tuple[str, str], float]) -> str:
    """How alike the maps are: correlations of pairs of titles."""
    if not found:
        return ""
    low, high = min(found, key=lambda pair: found[pair]), max(found, key=lambda pair: found[pair])
    if len(found) == 1:
        word = "little alike" if found[low] < _UNLIKE else "alike"
        return f"The two maps are {word} (correlation {found[low]:.2f})."
    return (
        f"Most alike are the maps of {listed(high)} (correlation {found[high]:.2f}), "
        f"least those of {listed(low)} ({found[low]:.2f})."
    )
