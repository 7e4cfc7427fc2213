"""The study "anatomy" in plain words, computed from its figures."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from core.acceptance.many import Refusals, with_refusals
from core.studies.anatomy.figures import ALL, kind_of
from core.wording import percent, without_shared_lead

Figures = Mapping[str, Any]
_FIGURES = ("share", "area", "control", "random")


def sentence(
    networks: Sequence[Figures],
    kinds: Sequence[Figures],
    landmark: str | None,
    refusals: Sequence[Refusals] = (),
) -> str:
    """What was found: who is right how often, whose map lies most on the landmark, and whether the two agree.

    Films that a network cannot read come first where they are most of its films, else last.

    Parameters
    ----------
    networks : sequence of mapping
        ``name``, ``title``, ``balanced_accuracy``, ``balanced_accuracy_95`` and ``landmarks`` of each.
    kinds : sequence of mapping
        Networks of one kind over their seeds, see `core.studies.anatomy.figures.kinds_of`; may be empty.
    landmark : str, optional
        The landmark to speak of; None where the films have none.
    refusals : sequence of Refusals
        What each network cannot read, under its name.
    """
    if not kinds:
        titled = _called_by_title(networks)
        titles = {before["name"]: after["name"] for before, after in zip(networks, titled, strict=True)}
        networks, refusals = titled, [replace(one, model=titles[one.model]) for one in refusals]
    return with_refusals(_found(networks, kinds, landmark), refusals, "film")


def _found(networks: Sequence[Figures], kinds: Sequence[Figures], landmark: str | None) -> str:
    said = [_accuracy_of_kinds(kinds) if kinds else _accuracy(networks)]
    if landmark is None:
        said.append("The films have no landmarks, so nothing says what the maps lie on.")
        return " ".join(said)
    shares = _shares(networks, kinds, landmark)
    if shares:
        said.append(_maps(shares, landmark))
        said.extend(_agreement([name for name, _ in _order(networks, kinds)], shares, landmark))
    return " ".join(said)


def _called_by_title(networks: Sequence[Figures]) -> list[Figures]:
    """Networks under their titles, as tables have them; under their names where two have one title."""
    titles = without_shared_lead([network["title"] for network in networks])
    if len(set(titles)) < len(titles):
        return list(networks)
    return [{**network, "name": title} for network, title in zip(networks, titles, strict=True)]


def _order(networks: Sequence[Figures], kinds: Sequence[Figures]) -> list[tuple[str, float]]:
    """Name and balanced accuracy, best first."""
    pairs = [(kind["name"], kind["balanced_accuracy"]["mean"]) for kind in kinds]
    pairs = pairs or [(network["name"], network["balanced_accuracy"]) for network in networks]
    return sorted(pairs, key=lambda pair: -pair[1])


def _shares(networks: Sequence[Figures], kinds: Sequence[Figures], landmark: str) -> dict[str, Figures]:
    """Name → share on the landmark and what chance has there; of a kind the means over its networks."""
    members: dict[str, list[Figures]] = {}
    for network in networks:
        if landmark in network["landmarks"][ALL]:
            name = kind_of(network["name"]) if kinds else network["name"]
            members.setdefault(name, []).append(network["landmarks"][ALL][landmark])
    return {name: {key: _mean(found, key) for key in _FIGURES} for name, found in members.items()}


def _mean(found: Sequence[Figures], key: str) -> float | None:
    values = [figures[key] for figures in found if figures[key] is not None]
    return sum(values) / len(values) if values else None


def _accuracy(networks: Sequence[Figures]) -> str:
    ordered = sorted(networks, key=lambda network: -network["balanced_accuracy"])
    best = ordered[0]
    low, high = best["balanced_accuracy_95"]
    start = (
        f"{best['name']} puts {_share(best['balanced_accuracy'])} of the films of a class right, averaged over "
        f"classes (95% interval {_share(low)} to {_share(high)})"
    )
    steps = [
        f"{_points(above['balanced_accuracy'] - below['balanced_accuracy'])} more than {below['name']}"
        f" ({'the intervals overlap' if _overlap(above, below) else 'the intervals lie apart'})"
        for above, below in pairwise(ordered)
    ]
    return "; ".join([start, *_each_after_the_other(ordered, steps)]) + "."


def _each_after_the_other(ordered: Sequence[Figures], steps: Sequence[str]) -> list[str]:
    """The first step speaks of the best, each later one of the network before it."""
    return [f"that is {steps[0]}" if n == 0 else f"{ordered[n]['name']} {steps[n]}" for n in range(len(steps))]


def _accuracy_of_kinds(kinds: Sequence[Figures]) -> str:
    def words(kind: Figures) -> str:
        figures = kind["balanced_accuracy"]
        spread = f", {_share(figures['lowest'])} to {_share(figures['highest'])}" if kind["networks"] > 1 else ""
        above = f", {_points(kind['points_above'] / 100)} more" if kind["points_above"] is not None else ""
        seeds = f"{kind['networks']} seed{'s' if kind['networks'] > 1 else ''}"
        return f"{kind['name']} {_share(figures['mean'])} ({seeds}{spread}{above})"

    return f"Balanced accuracy, each kind with what it has more than the one before: {', '.join(map(words, kinds))}."


def _maps(shares: Mapping[str, Figures], landmark: str) -> str:
    best = max(shares, key=lambda name: shares[name]["share"])
    figures = shares[best]
    others = ", ".join(f"{name} {_share(found['share'])}" for name, found in shares.items() if name != best)
    chance = [f"{_share(figures['area'])} of a map that is the same everywhere"]
    if figures["control"] is not None:
        chance.append(f"{_share(figures['control'])} of another film's map")
    if figures["random"] is not None:
        chance.append(f"{_share(figures['random'])} with random weights")
    return f"The map of {best} lies {_share(figures['share'])} on {landmark}, against {', '.join(chance)}" + (
        f"; the others: {others}." if others else "."
    )


def _agreement(by_accuracy: Sequence[str], shares: Mapping[str, Figures], landmark: str) -> list[str]:
    """Whether who is right more often also looks more at the landmark; nothing to say of one network."""
    names = [name for name in by_accuracy if name in shares]
    if len(names) < 2:
        return []
    by_share = sorted(names, key=lambda name: -shares[name]["share"])
    if by_share == names:
        return [f"The maps agree with that order: who is right more often looks more at {landmark}."]
    return [f"The maps do not agree with that order: by the share on {landmark} it is {', '.join(by_share)}."]


def _overlap(one: Figures, other: Figures) -> bool:
    (low, high), (lowest, highest) = one["balanced_accuracy_95"], other["balanced_accuracy_95"]
    return bool(low <= highest and lowest <= high)


def _points(difference: float) -> str:
    return f"{100 * difference:.1f} points"


def _share(value: float) -> str:
    """A counted share in words: unlike a probability it may be all or nothing."""
    return f"{value:.0%}" if value in (0, 1) else percent(value)
