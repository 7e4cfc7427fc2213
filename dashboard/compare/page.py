"""The Compare page: one film in several networks, all films of a cohort, any results side by side, or two scans."""

import streamlit as st

from dashboard.callbacks import whole
from dashboard.compare.desk import VIEWS, compare_desk
from dashboard.compare.film import view as one_film
from dashboard.compare.films import view as all_films
from dashboard.compare.side_by_side import view as results
from dashboard.compare.two_scans import view as two_scans
from dashboard.frame.pages import Page

_TITLES = {"film": "One film", "films": "All films", "results": "Results", "scans": "Two scans"}


def show(page: Page) -> None:
    """Draw the page."""
    laid = compare_desk()
    with st.sidebar:
        key = f"compare view:{laid.view}"
        st.segmented_control(
            "What to compare on", VIEWS, default=laid.view, format_func=_TITLES.__getitem__, required=True, key=key,
            on_change=whole(_turn), args=(key,), label_visibility="collapsed", width="stretch",
        )  # fmt: skip
    if laid.view == "film":
        one_film.show(page, laid)
    elif laid.view == "films":
        all_films.show(page, laid)
    elif laid.view == "results":
        results.show(page, laid)
    else:
        two_scans.show(page, laid)


def _turn(key: str) -> None:
    compare_desk().view = st.session_state[key]
