"""Home: what this is, one click into each demo, a place to drop a scan, and what was done last."""

from collections.abc import Sequence
from functools import lru_cache, partial

import streamlit as st

from dashboard.callbacks import whole
from dashboard.desk import shelf
from dashboard.frame import opening, tour
from dashboard.frame.pages import CARDS, Page, Start, pages, told
from dashboard.intake import demo, dropping
from dashboard.look import text
from dashboard.look.text import Markup
from dashboard.results.run_list import show_runs

#: Width and height of a card's picture, pixels.
_PICTURE = (480, 300)
#: Runs that are shown: a row of cards on a wide screen, two on a laptop.
_LATEST = 8
#: The page where a scan that is dropped here hangs.
_HANGS_ON = "explain"


def show() -> None:
    """Draw the page."""
    _show_welcome()
    offered = [(page.name, start) for page in pages().values() for start in _starts_of(page) if start.on_home]
    with_picture = [(name, start) for name, start in offered if start.picture]
    if with_picture:
        for place, column in enumerate(st.columns(len(with_picture), gap="medium")):
            with column:
                _show_card(*with_picture[place], first=place == 0)
    left, right = st.columns([1.6, 1], gap="medium")
    with left:
        _show_drop_zone()
    with right, st.container(border=True, key="more-demos"):
        text.show(text.title("Or try"))
        _show_buttons([(name, start) for name, start in offered if not start.picture])
    st.markdown("## Latest runs")
    if shelf().runs(limit=1):
        show_runs(_LATEST)
    else:
        text.show(text.quiet("Nothing ran yet. What you explain is listed here and on the Runs page."))


def _show_welcome() -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="welcome"):
        words = Markup(
            "<h2>See what a medical-image model looks at</h2>"
            "<p>Hang a scan, pick a model and a way to explain it, and see <em>what</em>, <em>where</em> and "
            "<em>how sure</em> side by side.</p>"
        )
        text.show(words)
        st.button(
            "Two-minute tour", icon=":material/tour:", key="tour", disabled=len(tour.stops()) < 2,
            on_click=whole(tour.begin), help="From a brain to a network that looks at the wrong thing, stop by stop.",
        )  # fmt: skip
    if not demo.scans():
        text.show(text.quiet("The demo scans are not there: run make assets once."))


def _show_card(page: str, start: Start, first: bool) -> None:
    """A picture, what it is about, and the button that lays it out."""
    with st.container(border=True, key=f"card-{start.picture}"):
        template = Markup("<div class='card'>{}<b>{}</b><span>{}</span></div>")
        text.show(template.format(_picture(start.picture), start.title, start.help))
        _show_button(page, start, first)


@lru_cache
def _picture(name: str) -> Markup:
    """Of a card; nothing where there is none. Its words say what is to be seen."""
    path = CARDS / f"{name}.webp"
    if not path.is_file():
        return Markup()
    return text.picture(path.read_bytes(), "Computed with the demo; synthetic data.", _PICTURE) + Markup(
        "<small>synthetic data</small>"
    )


def _show_buttons(offered: Sequence[tuple[str, Start]]) -> None:
    for page, start in offered:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _show_button(page, start, first=False)
            text.show(text.quiet_word(start.help))


def _show_button(page: str, start: Start, first: bool) -> None:
    st.button(
        start.label,
        type="primary" if first else "secondary",
        icon=start.icon,
        disabled=start.lay_out is None,
        key=start.key,
        on_click=whole(_begin),
        args=(page, start),
    )


def _show_drop_zone() -> None:
    page = pages().get(_HANGS_ON)
    laid = told(page, lambda page: page.desk(), None) if page is not None else None
    if laid is not None:
        dropping.show_drop_zone(laid, partial(opening.go_to, _HANGS_ON))


def _starts_of(page: Page) -> Sequence[Start]:
    nothing: Sequence[Start] = ()
    return told(page, lambda page: page.starts(), nothing)


def _begin(name: str, start: Start) -> None:
    if start.lay_out is not None:
        start.lay_out()
    opening.go_to(name)
