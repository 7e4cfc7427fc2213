"""Opening a stored run on the page that it belongs to."""

from core.runs import manager
from dashboard import catalogue, explain
from dashboard.session import owner
from dashboard.trace import page as trace


def open_run(run_id: str) -> str:
    """Lay a stored run out as it was; returns the name of the page that shows it.

    Raises
    ------
    BadInput
        When there is no such run of this owner, or it is nothing that a page shows.
    """
    page = catalogue.page_of(manager().store.run(run_id, owner()))
    if page == "trace":
        trace.open_run(run_id)
    else:
        explain.open_run(run_id)
    return page
