"""The filters that a map was made of, each with its own map: a gallery, and each of them large."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from core.reports.explanation import StoredArray, StoredExplanation
from core.scans.scan import Scan
from dashboard.components.gallery import Tile, gallery
from dashboard.components.viewer import Panel, viewer
from dashboard.look import pictures, text
from dashboard.results.landmarks import LandmarkDesk, outlines
from dashboard.results.stage import map_layer, scan_layer, sizes_of

#: How many filters are offered at a time, and in how many columns they stand.
CHOICES = {5: 5, 9: 3, 25: 5}
HELP = (
    "The layer's filters that this film excites most, each projected back to the film alone: bright is where what it "
    "saw lies. Every picture has its own scale. Click one to see it large."
)
_NAME = re.compile(r"filter_(\d+)")
_HEIGHT = 440


@dataclass(frozen=True)
class Filter:
    """One filter of a layer that a map was made of.

    Parameters
    ----------
    index : int
        Its number in the layer, from 0.
    array : str
        Name of its map among the arrays of the explanation.
    score : float, optional
        What it was chosen by.
    share : float, optional
        Part of the layer's score that is its own, 0..1; None where that is not known.
    """

    index: int
    array: str
    score: float | None
    share: float | None

    @property
    def title(self) -> str:
        """What it is called."""
        return f"Filter {self.index}"

    @property
    def caption(self) -> str:
        """How strong it is, in a few words."""
        if self.share is not None:
            return f"{self.share:.1%} of the layer"
        return "" if self.score is None else f"score {self.score:.3g}"


@dataclass(frozen=True)
class Source:
    """A result whose filters can be opened.

    Parameters
    ----------
    run : str
        Id of the run.
    explanation : StoredExplanation
        Its result.
    title : str
        Of its network, where several stand beside each other.
    """

    run: str
    explanation: StoredExplanation
    title: str = ""

    def key(self, filter_: Filter) -> str:
        """What a click on this filter's tile returns: different for the filters of every run."""
        return f"{self.run}:{filter_.array}"

    @property
    def heading(self) -> str:
        """Above a filter that is open."""
        layer = self.explanation.record["parameters"].get("layer") or "the last convolution"
        return f"{self.title}: filters of {layer}" if self.title else f"Filters of {layer}"


def filters_of(explanation: StoredExplanation) -> list[Filter]:
    """Filters whose own maps were kept, strongest first; empty where none was."""
    numbers: Mapping[str, Any] = explanation.record.get("numbers", {})
    whole = _whole(explanation)
    found = []
    for name in explanation.arrays:
        match = _NAME.fullmatch(name)
        if match is None:
            continue
        score = numbers.get(f"score_{name}")
        share = score / whole if score is not None and whole else None
        found.append(Filter(int(match[1]), name, score, share))
    return found


def is_of_filters(explanation: StoredExplanation) -> bool:
    """Whether the map was made of single filters, kept or not."""
    return bool(scores_of(explanation))


def scores_of(explanation: StoredExplanation) -> dict[int, float]:
    """Score of each filter that was used, by its number, strongest first."""
    numbers = explanation.record.get("numbers", {})
    scores = {name.removeprefix("score_"): value for name, value in numbers.items() if name.startswith("score_filter_")}
    found = {int(match[1]): value for name, value in scores.items() if (match := _NAME.fullmatch(name))}
    return dict(sorted(found.items(), key=lambda entry: -entry[1]))


def _whole(explanation: StoredExplanation) -> float | None:
    """Score of the whole layer; None where the scores are no parts of one: of largest activations there is no whole."""
    scores = scores_of(explanation)
    share = explanation.record.get("numbers", {}).get("share_of_activation")
    if not scores or not share or explanation.record["parameters"].get("score") == "max":
        return None
    return sum(scores.values()) / float(share)


def layer_sentence(explanation: StoredExplanation) -> str:
    """How many of the layer's filters were used, and how much of its activation they hold."""
    numbers = explanation.record.get("numbers", {})
    used, share = len(scores_of(explanation)), numbers.get("share_of_activation")
    there = numbers.get("filters_in_layer")
    first = f"The {used} strongest of {there:.0f} filters" if there else f"The {used} strongest filters"
    return f"{first} hold {share:.0%} of the layer's activation." if share is not None else f"{first} were used."


def show_filters(
    scan: Scan,
    source: Source,
    key: str,
    landmarks: LandmarkDesk | None = None,
    columns: int | None = None,
    others: Sequence[Source] = (),
) -> None:
    """The strongest 5, 9 or 25 filters as a gallery; each opens large.

    Parameters
    ----------
    scan : Scan
        What was explained.
    source : Source
        The result whose filters are shown.
    key : str
        Prefix of the Streamlit keys.
    landmarks : LandmarkDesk, optional
        The scan's landmarks: outlined in the large view, too, if they are on the page.
    columns : int, optional
        Filters beside each other; by default as many as make a full square or row.
    others : sequence of Source
        Results whose filters the same gallery shows at other times. Their tiles stand in the browser until the new ones
        have come: a click on one opens the filter that was clicked.
    """
    found = filters_of(source.explanation)
    if not found or scan.dimensions != 2:
        text.show(text.quiet(_why_none(source.explanation, scan)))
        return
    count = _choose_count(len(found), key)
    arrays = source.explanation.arrays
    tiles = [
        Tile(source.key(one), _picture(scan, source.run, one.array, arrays[one.array]), one.title, one.caption)
        for one in found[:count]
    ]
    known = openable([source, *others])
    columns = columns or CHOICES.get(count, 5)
    clicked = gallery(tiles, f"{key}:gallery", columns, label="Filters", also=known)
    if clicked is not None:
        opened, one = known[clicked]
        st.session_state[f"{key}:large"] = one.array
        show_large = st.dialog(opened.heading, width="large")(_large)
        show_large(scan, opened.run, opened.explanation, filters_of(opened.explanation), key, landmarks)


def openable(sources: Sequence[Source]) -> dict[str, tuple[Source, Filter]]:
    """Every filter that can be opened, by the key of its tile."""
    return {source.key(one): (source, one) for source in sources for one in filters_of(source.explanation)}


def _choose_count(available: int, key: str) -> int:
    """How many are shown; the choice that is not available is not offered."""
    options = [count for count in CHOICES if count < available]
    options.append(min(available, max(CHOICES)))
    if len(options) == 1:
        return options[0]
    chosen: int = st.segmented_control(
        "How many filters",
        options,
        default=9 if 9 in options else options[0],
        format_func=lambda count: f"Top {count}",
        required=True,
        key=f"{key}:count",
        label_visibility="collapsed",
    )
    return chosen


def _picture(scan: Scan, run: str, name: str, array: StoredArray) -> bytes:
    def make() -> bytes:
        return pictures.film_png(np.asarray(scan.array[0]), sizes_of(array))

    return pictures.kept(f"{run}:{name}", make)


def _why_none(explanation: StoredExplanation, scan: Scan) -> str:
    if scan.dimensions != 2 and filters_of(explanation):
        return "The filters of a volume are not shown as a gallery: keep their maps with Keep, at the top right."
    if scan.dimensions != 2:
        return "Of a volume only the combined map is kept: set Separate to each to keep every filter's own map."
    return "Only the combined map was kept: set Separate to each, explain again, and every filter can be seen alone."


def _large(
    scan: Scan, run: str, explanation: StoredExplanation, found: list[Filter], key: str, landmarks: LandmarkDesk | None
) -> None:
    """One filter: the film, and its map over it; the neighbours are a button or a key away."""
    state = f"{key}:large"
    names = [filter_.array for filter_ in found]
    at = names.index(st.session_state[state])
    here = found[at]
    with st.container(horizontal=True, vertical_alignment="center", wrap=False, gap="small"):
        _step("‹", "stronger", "J", state, names, at - 1)
        _step("›", "weaker", "K", state, names, at + 1)
        facts = [text.title(here.title), text.Markup("<span>{} of {}</span>").format(at + 1, len(found))]
        facts += [text.beside(here.caption)] if here.caption else []
        text.show(text.facts(facts))
        signed = show_form(explanation.arrays[here.array].diverging, f"{key}:large form")
    layers = outlines(scan, landmarks.scan) if landmarks is not None and landmarks.outlined else []
    viewer(
        [
            Panel("scan", "Scan", [scan_layer(scan), *layers]),
            Panel(
                "filter",
                f"{here.title} over the scan",
                [scan_layer(scan), map_layer(scan, run, here.array, explanation.arrays[here.array], signed), *layers],
                empty="" if np.any(explanation.arrays[here.array].values) else "This filter's map is zero everywhere.",
            ),
        ],
        key=f"{key}:viewer",
        height=_HEIGHT,
    )


def show_form(diverging: bool, key: str, heat: bool = True) -> bool:
    """The choice between the size of a signed map and its signs; returns whether the signs are wanted.

    Parameters
    ----------
    diverging : bool
        Whether the map has signs; there is nothing to choose where it has not.
    key : str
        Streamlit key.
    heat : bool
        Whether the size is shown at first.
    """
    if not diverging:
        return False
    names = {"heat": "Heat", "signed": "Signed"}
    chosen = st.segmented_control(
        "Form of the map",
        list(names),
        default="heat" if heat else "signed",
        format_func=names.__getitem__,
        required=True,
        key=key,
        label_visibility="collapsed",
        width="content",
    )
    return chosen == "signed"


def _step(label: str, word: str, shortcut: str, state: str, names: list[str], wanted: int) -> None:
    possible = 0 <= wanted < len(names)
    st.button(
        label,
        key=f"{state}:{word}",
        help=f"The next {word} filter ({shortcut})",
        shortcut=shortcut,
        disabled=not possible,
        on_click=partial(st.session_state.__setitem__, state, names[wanted]) if possible else None,
    )
