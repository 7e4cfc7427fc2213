"""What stands under the images: the table of networks, how alike their maps are, and their parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from string import ascii_uppercase

import numpy as np
import streamlit as st

from core.metrics.sanity import likeness
from core.models.card import Card
from core.reports.explanation import StoredExplanation
from core.runs import Run
from core.scans.scan import Scan
from core.wording import percent
from dashboard.backend.questions import Prediction
from dashboard.compare import wording
from dashboard.compare.film.stage import lettered
from dashboard.compare.tables import Figure, table
from dashboard.compare.wording import Held
from dashboard.look import text
from dashboard.results import landmarks, parts

#: Filters beside each other: here they have the whole width.
_COLUMNS = 5


@dataclass(frozen=True)
class Row:
    """What is known of one network on the film.

    Parameters
    ----------
    card : Card
        The network's.
    said : Prediction or str
        What it says, or why it cannot be asked.
    held : dict of str to Held
        What its map has in each landmark; empty before there is a map.
    """

    card: Card
    said: Prediction | str
    held: Mapping[str, Held]


def held_in(scan: str, explanation: StoredExplanation) -> dict[str, Held]:
    """What the main map of an explanation has in each landmark of its scan (content hash)."""
    found = landmarks.overlaps_with(scan, str(explanation.arrays["map"].path))
    return {overlap.name: Held(overlap.share, overlap.area) for overlap in found}


def sentence(rows: Sequence[Row], found: Mapping[str, StoredExplanation]) -> str:
    """Everything that the numbers say, in a sentence or two."""
    said = {row.card.title: row.said.probabilities for row in rows if isinstance(row.said, Prediction)}
    first = wording.answers(said)
    second = wording.landmark_contrast({row.card.title: row.held for row in rows if row.held})
    if not second:
        second = wording.alikeness(correlations([row.card for row in rows], found))
    return f"{first} {second}".strip()


def correlations(cards: Sequence[Card], found: Mapping[str, StoredExplanation]) -> dict[tuple[str, str], float]:
    """Pearson correlation of the sizes of every two maps, by titles of networks."""
    there = [card for card in cards if card.name in found]
    return {
        (one.title, other.title): _likeness(*(str(found[card.name].arrays["map"].path) for card in (one, other)))
        for one, other in combinations(there, 2)
    }


@lru_cache(maxsize=256)
def _likeness(one: str, other: str) -> float:
    return likeness(*(np.load(path, mmap_mode="r", allow_pickle=False) for path in (one, other)))


def show_table(rows: Sequence[Row], target: str | None, marked: bool) -> None:
    """One row a network: what it says, the class that was asked about, and its map's part in each landmark.

    Parameters
    ----------
    rows : sequence of Row
        The networks.
    target : str, optional
        The class that was asked about.
    marked : bool
        Whether the film has landmarks.
    """
    places = list(dict.fromkeys(name for row in rows for name in row.held))
    areas = {name: next(row.held[name].area for row in rows if name in row.held) for name in places}
    heads = ["Network", "Says", f"P({target})"]
    heads += [f"Map in {name} ({percent(areas[name])} of the film)" for name in places]
    lines = [_line(letter, row, target, places) for letter, row in zip(ascii_uppercase, rows, strict=False)]
    text.show(table(heads, lines, "Networks on this film"))
    if not marked:
        text.show(text.quiet("Draw or load landmarks on Explain, and this table says what each map has in them."))
    elif places:
        text.show(text.quiet("×: how many times more than an even map would have there."))


def _line(letter: str, row: Row, target: str | None, places: Sequence[str]) -> list[str | Figure]:
    if isinstance(row.said, str):
        return [f"{letter} · {row.card.title}", row.said, *(Figure("–") for _ in range(1 + len(places)))]
    probabilities = row.said.probabilities
    answer = max(probabilities, key=lambda name: probabilities[name])
    cells: list[str | Figure] = [
        f"{letter} · {row.card.title}",
        Figure(answer, text.probability(probabilities[answer])),
        Figure(text.probability(probabilities[target]) if target in probabilities else "–"),
    ]
    return cells + [share_figure(row.held.get(name)) for name in places]


def share_figure(held: Held | None) -> Figure:
    """A landmark's share of a map, with the ratio to its area beside it, tinted by the share."""
    if held is None:
        return Figure("–")
    if held.empty:
        return Figure("empty map")
    return Figure(percent(held.share), f"{held.ratio:.1f}×" if held.area > 0 else "", heat=held.share)


def show_likeness(cards: Sequence[Card], found: Mapping[str, StoredExplanation]) -> None:
    """How alike the maps are: a small symmetric matrix."""
    there = [(letter, card) for letter, card in lettered(cards) if card.name in found]
    values = correlations(cards, found)
    rows: list[list[str | Figure]] = []
    for letter, one in there:
        cells: list[str | Figure] = [f"{letter} · {one.title}"]
        for _, other in there:
            value = 1.0 if one is other else values.get((one.title, other.title), values.get((other.title, one.title)))
            assert value is not None
            cells.append(Figure(_correlation(value), heat=None if one is other else max(value, 0.0)))
        rows.append(cells)
    text.show(table(["Likeness of the maps", *(letter for letter, _ in there)], rows, "Likeness of the maps"))
    text.show(text.quiet("Correlation of the sizes of two maps, sample by sample: 1 alike, 0 nothing in common."))


def _correlation(value: float) -> str:
    """Two digits with a true minus; nothing is minus zero."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def show_parts(
    scan: Scan, name: str, cards: Sequence[Card], runs: Mapping[str, Run], found: Mapping[str, StoredExplanation]
) -> None:
    """What the map of one network at a time was made of; nothing for explainers whose maps have no parts."""
    sources = {
        card.name: parts.Source(runs[card.name].id, found[card.name], card.title)
        for card in cards
        if card.name in found
    }
    there = {network: source for network, source in sources.items() if source.shown}
    if not there:
        return
    first = next(iter(there.values())).explanation.parts
    assert first is not None
    parts.show_heading(first)
    chosen = st.segmented_control(
        f"{text.as_markdown(parts.name_of(first))} of", list(there),
        format_func=lambda network: text.as_markdown(there[network].title),
        key=f"compare parts:{','.join(there)}", default=next(iter(there)), required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    shown = there[chosen].explanation.parts
    if shown is not None and shown.sentence:
        text.show(text.quiet(shown.sentence))
    others = [source for network, source in there.items() if network != chosen]
    # one gallery for all: while it changes from one network to another, none of its tiles is dead
    parts.show_parts(scan, there[chosen], "compare parts", landmarks.LandmarkDesk(name), _COLUMNS, others)
