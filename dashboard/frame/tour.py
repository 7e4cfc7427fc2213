"""A tour of two minutes: a few stops, each a page laid out and a box of words; the address keeps the place.

A stop is one of the starts that pages offer: the tour knows their names, and leaves out what is not there.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st

from dashboard.callbacks import whole
from dashboard.frame import opening
from dashboard.frame.pages import PAINTED, Start, pages, told
from dashboard.look import text
from dashboard.look.text import Markup

_KEY = "tour stop"
#: Part of the address that says where the tour is.
_PLACE = "tour"


@dataclass(frozen=True)
class Stop:
    """A page, and what to look at there.

    Parameters
    ----------
    start : str
        Key of the page's start (`dashboard.frame.pages.Start`) that lays it out; empty: Home.
    title, words : str
        In the box.
    """

    start: str
    title: str
    words: str


STOPS: Final = (
    Stop(
        "open demo",
        "What a network rests on",
        "A network says Alzheimer's disease. Lightbox looks for the smallest part of the brain that has to be"
        " hidden before it no longer says so: the coloured spots in the middle. Below, *Where* names them.",
    ),
    Stop(
        "open demo",
        "Whether to believe the map",
        "The line above the images says whether the explanation holds. *How sure* lists the checks: as much "
        "hidden at random places must change nothing, and another filling must do the same. A map that fails "
        "says so.",
    ),
    Stop(
        "marker demo",
        "A network that looks at the wrong thing",
        "This network names body parts, and calls a hand a pelvis. The map lies on the letter R at the edge: "
        "it learned the side marker. How often it is right would never have told.",
    ),
    Stop(
        PAINTED,
        "What depends on what",
        "Here a model makes a T2 slice of a T1 slice. A spot is painted on the input; the output shows what "
        "it changes, and how far that reaches. Paint on either side yourself.",
    ),
    Stop(
        "compare demo",
        "Several networks, one film",
        "Three networks give the same answer for different reasons. Below the images: how much of each map "
        "lies on bone, and how alike the maps are.",
    ),
    Stop(
        "",
        "Your turn",
        "Drop a scan of your own here, or begin with one of the demos. Everything that you ask is kept on the"
        " Runs page, and every result has a link.",
    ),
)


def stops() -> list[Stop]:
    """The stops that can be shown here, in order."""
    known = _starts()
    return [stop for stop in STOPS if not stop.start or stop.start in known]


def begin() -> None:
    """Go to the first stop; a callback."""
    _go(0)


def show() -> None:
    """Draw the box of words, on whatever page; take up a tour that the address names."""
    place = _place()
    if place is None:
        return
    found = stops()
    if _KEY not in st.session_state:  # the page was loaded again
        # turning to a page takes this off the browser's address, and it is written anew
        st.query_params.pop(_PLACE, None)
        _go(place)
        return
    place = min(st.session_state[_KEY], len(found) - 1)
    if st.query_params.get(_PLACE) != str(place + 1):
        st.query_params[_PLACE] = str(place + 1)
    stop = found[place]
    with st.container(horizontal=True, vertical_alignment="center", key="tour-box"):
        words = Markup("<div class='tour-words'><small>Tour, {} of {}</small> <b>{}</b><br>{}</div>")
        text.show(words.format(place + 1, len(found), stop.title, _emphasised(stop.words)))
        with st.container(horizontal=True, width="content"):
            st.button("Back", key="tour back", disabled=place == 0, on_click=whole(_go), args=(place - 1,))
            if place + 1 < len(found):
                st.button("Next", key="tour next", type="primary", on_click=whole(_go), args=(place + 1,))
            st.button("End the tour", key="tour end", type="tertiary", on_click=whole(_end))


def _place() -> int | None:
    """Which stop is shown, from 0; None: there is no tour."""
    if _KEY in st.session_state:
        found: int | None = st.session_state[_KEY]
        return found
    with contextlib.suppress(ValueError):
        return max(0, int(st.query_params.get(_PLACE, "")) - 1)
    return None


def _go(place: int) -> None:
    found = stops()
    place = min(place, len(found) - 1)
    before = st.session_state.get(_KEY)
    st.session_state[_KEY] = place
    stop = found[place]
    page, start = _starts().get(stop.start, ("home", None))
    # two stops at one place: what stands there is not laid out a second time
    if start is not None and start.lay_out is not None and (before is None or found[before].start != stop.start):
        start.lay_out()
        laid = pages()[page].desk()
        if laid is not None:
            laid.begin = True
    opening.go_to(page)


def _end() -> None:
    st.session_state[_KEY] = None
    st.query_params.pop(_PLACE, None)


def _starts() -> dict[str, tuple[str, Start]]:
    """Starts that can be begun, by key, with the name of their page."""
    nothing: Sequence[Start] = ()
    return {
        start.key: (page.name, start)
        for page in pages().values()
        for start in told(page, lambda page: page.starts(), nothing)
        if start.lay_out is not None
    }


def _emphasised(words: str) -> Markup:
    """Words in which ``*these*`` are what stands on the screen."""
    pieces = words.split("*")
    template = Markup("<em>{}</em>")
    return text.joined(template.format(piece) if place % 2 else piece for place, piece in enumerate(pieces))
