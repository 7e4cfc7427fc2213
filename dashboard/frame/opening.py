"""Opening a stored run on the page that it belongs to."""

import streamlit as st

from core.errors import LightboxError
from dashboard.compare import link as compare
from dashboard.compare.desk import compare_desk
from dashboard.desk import Desk, desk, shelf
from dashboard.explain import page as explain
from dashboard.frame.shell import turn_page
from dashboard.intake import catalogue
from dashboard.trace import page as trace

_LINK = "run"


def open_run(run_id: str) -> str:
    """Lay a stored run out as it was; returns the name of the page that shows it.

    Raises
    ------
    BadInput
        When there is no such run of this owner, or it is nothing that a page shows.
    """
    page = catalogue.page_of(shelf().run(run_id))
    if page == "compare":
        compare.open_study(compare_desk(), run_id)
    elif page == "trace":
        trace.open_run(run_id)
    else:
        explain.open_run(run_id)
    return page


def follow_link(laid: Desk) -> None:
    """Open the run that the address of a page names, once; a run of another page leads there.

    Parameters
    ----------
    laid : Desk
        Of the page.
    """
    wanted = st.query_params.get(_LINK)
    if wanted is None or wanted == laid.linked:
        return
    laid.linked = wanted
    try:
        page = open_run(wanted)
    except LightboxError as problem:
        st.error(str(problem))
        return
    if page != laid.page:
        desk().go_to = page
        turn_page()
