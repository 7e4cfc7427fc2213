"""The parts that a map was made of, each with its own map: a gallery, and each of them large."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st

from core.explainers import Part, Parts
from core.reports.explanation import StoredArray, StoredExplanation
from core.scans.scan import Scan
from core.wording import sentence_case
from dashboard.callbacks import whole
from dashboard.components.gallery import Tile, gallery
from dashboard.components.viewer import Panel, viewer
from dashboard.look import pictures, text
from dashboard.results.landmarks import LandmarkDesk, outlines
from dashboard.results.layers import map_layer, scan_layer, show_form, sizes_of

#: How many parts are offered at a time, and in how many columns they stand.
CHOICES = {5: 5, 9: 3, 25: 5}
_HEIGHT = 440


@dataclass(frozen=True)
class Source:
    """A result whose parts can be opened.

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

    @property
    def shown(self) -> tuple[Part, ...]:
        """Parts that have a map of their own, strongest first."""
        parts = self.explanation.parts
        return parts.shown if parts is not None else ()

    def key(self, part: Part) -> str:
        """What a click on this part's tile returns: different for the parts of every run."""
        return f"{self.run}:{part.array}"

    @property
    def heading(self) -> str:
        """Above a part that is open."""
        title = self.explanation.parts.title if self.explanation.parts is not None else ""
        return f"{self.title}: {sentence_case(title, start=False)}" if self.title else title


def show_heading(parts: Parts) -> None:
    """What the parts are, above their gallery."""
    st.markdown(f"## {text.as_markdown(name_of(parts))}", help=text.as_markdown(parts.help) or None)


def name_of(parts: Parts) -> str:
    """What several are called, for a title."""
    return sentence_case(parts.plural, start=True)


def show_parts(
    scan: Scan,
    source: Source,
    key: str,
    landmarks: LandmarkDesk | None = None,
    columns: int | None = None,
    others: Sequence[Source] = (),
) -> None:
    """The strongest 5, 9 or 25 parts as a gallery; each opens large.

    Parameters
    ----------
    scan : Scan
        What was explained.
    source : Source
        The result whose parts are shown.
    key : str
        Prefix of the Streamlit keys.
    landmarks : LandmarkDesk, optional
        The scan's landmarks: outlined in the large view, too, if they are on the page.
    columns : int, optional
        Parts beside each other; by default as many as make a full square or row.
    others : sequence of Source
        Results whose parts the same gallery shows at other times. Their tiles stand in the browser until the new ones
        have come: a click on one opens the part that was clicked.
    """
    parts, found = source.explanation.parts, source.shown
    if parts is None:
        return
    if not has_gallery(scan, parts):
        text.show(text.quiet(why_no_gallery(parts)))
        return
    count = _choose_count(parts, len(found), key)
    arrays = source.explanation.arrays
    tiles = [
        Tile(source.key(one), _picture(scan, source.run, name, arrays[name]), one.title, one.caption)
        for one in found[:count]
        if (name := one.array) is not None
    ]
    known = openable([source, *others])
    columns = columns or CHOICES.get(count, 5)
    clicked = gallery(tiles, f"{key}:gallery", columns, label=name_of(parts), also=known)
    if clicked is not None:
        opened, one = known[clicked]
        st.session_state[f"{key}:large"] = one.array
        show_large = st.dialog(text.as_markdown(opened.heading), width="large")(_large)
        show_large(scan, opened, key, landmarks)


def openable(sources: Sequence[Source]) -> dict[str, tuple[Source, Part]]:
    """Every part that can be opened, by the key of its tile."""
    return {source.key(one): (source, one) for source in sources for one in source.shown}


def _choose_count(parts: Parts, available: int, key: str) -> int:
    """How many are shown; the choice that is not available is not offered."""
    options = [count for count in CHOICES if count < available]
    options.append(min(available, max(CHOICES)))
    if len(options) == 1:
        return options[0]
    chosen: int = st.segmented_control(
        f"How many {text.as_markdown(parts.plural)}",
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


def has_gallery(scan: Scan, parts: Parts) -> bool:
    """Whether parts can be shown side by side: single images that were kept."""
    return bool(parts.shown) and scan.dimensions == 2


def why_no_gallery(parts: Parts) -> str:
    """Why they cannot, and what to do."""
    if parts.shown:
        name = f"The {parts.plural} of a volume"
        return f"{name} are not shown as a gallery: keep their maps with Keep, at the top right."
    return parts.absent or f"None of the {parts.plural} has a map of its own."


def _large(scan: Scan, source: Source, key: str, landmarks: LandmarkDesk | None) -> None:
    """One part: the scan, and its map over it; the neighbours are a button or a key away."""
    state, found = f"{key}:large", source.shown
    arrays = {one.array: source.explanation.arrays[one.array] for one in found if one.array is not None}
    names = list(arrays)
    at = names.index(st.session_state[state])
    here, array = found[at], arrays[names[at]]
    with st.container(horizontal=True, vertical_alignment="center", wrap=False, gap="small"):
        _step("‹", "stronger", "J", state, names, at - 1)
        _step("›", "weaker", "K", state, names, at + 1)
        facts = [text.title(here.title), text.Markup("<span>{} of {}</span>").format(at + 1, len(found))]
        facts += [text.beside(here.caption)] if here.caption else []
        text.show(text.facts(facts))
        signed = show_form(array.diverging, f"{key}:large form")
    layers = outlines(scan, landmarks.scan) if landmarks is not None and landmarks.outlined else []
    viewer(
        [
            Panel("scan", "Scan", [scan_layer(scan), *layers]),
            Panel(
                "part",
                f"{here.title} over the scan",
                [scan_layer(scan), map_layer(scan, source.run, names[at], array, signed), *layers],
                empty="" if np.any(array.values) else "This map is zero everywhere.",
            ),
        ],
        key=f"{key}:viewer",
        height=_HEIGHT,
    )


def _step(label: str, word: str, shortcut: str, state: str, names: list[str], wanted: int) -> None:
    possible = 0 <= wanted < len(names)
    st.button(
        label,
        key=f"{state}:{word}",
        help=f"The next {word} one ({shortcut})",
        shortcut=shortcut,
        disabled=not possible,
        on_click=whole(partial(st.session_state.__setitem__, state, names[wanted])) if possible else None,
    )
