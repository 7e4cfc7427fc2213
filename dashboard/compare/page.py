"""The Compare page: one film in several networks, or all films of a cohort."""

import streamlit as st

from dashboard.callbacks import whole
from dashboard.compare.desk import VIEWS, compare_desk
from dashboard.compare.film import view as one_film
from dashboard.compare.films import view as all_films
from dashboard.frame.pages import Page

_TITLES = {"film": "One film", "films": "All films"}


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
    else:
        all_films.show(page, laid)


def _turn(key: str) -> None:
    compare_desk().view = st.session_state[key]
