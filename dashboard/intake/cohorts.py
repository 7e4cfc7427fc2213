"""The cohort that a page asks about: its choice, and what is known of it."""

from collections.abc import Callable

import streamlit as st

from core.cohorts.library import cohort_cards
from dashboard.backend import cohorts, pool
from dashboard.backend.cohorts import CohortFacts
from dashboard.callbacks import whole

#: What stands for the choice of no cohort.
MADE = "Made by the study"


def cohort_titles() -> dict[str, str]:
    """Title of every cohort of the library by name."""
    return {name: card.title for name, card in cohort_cards().items()}


def choose_cohort(
    chosen: str | None, key: str, on_choice: Callable[[str | None], None], *, or_none: bool = False
) -> None:
    """Draw the list of cohorts.

    Parameters
    ----------
    chosen : str, optional
        Name of the one that is in use.
    key : str
        Of the widget; another one starts it anew.
    on_choice : callable
        Called with the name that was chosen, before the rerun that this causes.
    or_none : bool
        Whether no cohort can be chosen, too.
    """
    titles = cohort_titles()
    options: list[str | None] = [*titles, *([None] if or_none else [])]
    key = f"{key}:{len(titles)}"  # not with what is chosen: the box would be built anew by every choice
    st.selectbox(
        "Cohort",
        options,
        index=options.index(chosen) if chosen in options else None,
        format_func=lambda name: MADE if name is None else titles.get(name, name),
        placeholder="No cohort in the library",
        key=key,
        on_change=whole(lambda: on_choice(st.session_state[key])),
        help="Folders of scans with labels. LIGHTBOX_COHORTS_DIR adds your own.",
    )


@st.cache_data(ttl=60, max_entries=16, show_spinner="Reading the cohort")
def cohort_facts(cohort: str) -> CohortFacts:
    """Facts of a cohort of the library, looked up once a minute."""
    return pool.ask(cohorts.cohort_facts, cohort)
