"""From page to page: opening a stored run where it can be shown, following an address, writing it."""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlencode

import streamlit as st

from core.errors import BadInput, LightboxError
from core.runs import Run
from core.settings import ROOT
from dashboard.desk import Desk, shelf
from dashboard.frame.pages import RUN, Page, pages, told
from dashboard.look import text

_GO_TO = "page to turn to"


def show_page(name: str) -> None:
    """Draw a page, after what its address names was laid out. All that a file of ``pages`` does."""
    page = pages()[name]
    problem = _follow(page)
    turn_page()
    if problem:
        st.error(text.as_markdown(problem))
    page.show()


def page_of(run: Run, preferred: Page | None = None) -> Page | None:
    """The page that shows a stored run: the preferred one if it can, else the first that can, else none."""
    known = [*([preferred] if preferred is not None else ()), *pages().values()]
    return next((page for page in known if told(page, lambda page: page.opens(run), False)), None)


def open_run(run_id: str, preferred: Page | None = None, place: Mapping[str, str] | None = None) -> Page:
    """Lay a stored run out as it was.

    Parameters
    ----------
    run_id : str
        The run.
    preferred : Page, optional
        Where it is to be shown, if it can be.
    place : mapping of str to str, optional
        The rest of the address.

    Returns
    -------
    Page
        Where it is shown.

    Raises
    ------
    BadInput
        When there is no such run of this owner, or no page shows it.
    """
    run = shelf().run(run_id)
    page = page_of(run, preferred)
    if page is None:
        raise BadInput("No page shows runs of this kind: look at it on the Runs page.")
    page.open(run, place or {})
    return page


def open_together(run_ids: Sequence[str]) -> Page:
    """Lay stored runs out side by side; returns the page that shows them.

    Parameters
    ----------
    run_ids : sequence of str
        In the order in which they are to stand.

    Raises
    ------
    BadInput
        When one of them is gone, or no page puts these side by side: the sentence says why.
    """
    runs = [shelf().run(run) for run in run_ids]
    for page in pages().values():
        if told(page, lambda page: page.opens_together(runs), False):
            page.open_together(runs)
            return page
    raise BadInput("These runs cannot be put side by side: choose two or more explanations.")


def _follow(page: Page) -> str | None:
    """Lay out what the address names, once; why that could not be done, as a sentence."""
    laid = page.desk()
    given = {name: st.query_params[name] for name in page.link_names if name in st.query_params}
    if laid is None or not given or urlencode(given) == laid.linked:
        return None
    laid.linked = urlencode(given)
    try:
        if RUN not in given:
            page.follow(given)
            return None
        shown = open_run(given.pop(RUN), page, given)
    except LightboxError as problem:
        return str(problem)
    if shown.name != page.name:
        go_to(shown.name)
    return None


def write_address(page: Page, laid: Desk, wanted: Mapping[str, str]) -> None:
    """Make the address of a page name what is on screen."""
    laid.linked = urlencode(wanted)
    for name in page.link_names:
        if name not in wanted:
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != wanted[name]:
            st.query_params[name] = wanted[name]


def address(page: Page, wanted: Mapping[str, str]) -> str:
    """The whole address of a page that shows `wanted`."""
    here = (st.context.url or "").split("?")[0].rstrip("/")
    known = next((name for name in pages() if here.endswith(f"/{name}")), None)
    base = here.removesuffix(f"/{known}") if known else here
    return f"{base}/{page.name}?{urlencode(wanted, safe=',')}"


def forget(run_id: str) -> None:
    """Take a run that was deleted off every page."""
    for page in pages().values():
        laid = told(page, lambda page: page.desk(), None)
        if laid is not None:
            laid.forget(run_id)


def go_to(name: str, place: Mapping[str, str] | None = None) -> None:
    """Turn to a page, and to a place on it that its address names, as soon as the script runs again; for callbacks.

    A callback is never lost, whereas what a button returns is when the script is started again (by a poll, by the
    viewer) before it gets to the button.
    """
    st.session_state[_GO_TO] = name, dict(place or {})


def turn_page() -> None:
    """Go to the page that `go_to` asked for."""
    asked = st.session_state.pop(_GO_TO, None)
    if asked is not None:
        name, place = asked
        st.switch_page(navigable(pages()[name]), query_params=place)


def navigable(page: Page) -> st.Page:
    """A page for Streamlit's navigation: its file in ``pages``, or the page itself where another package brings it."""
    file = ROOT / "pages" / f"{page.name}.py"
    ours = type(page).__module__.startswith("dashboard.") and file.is_file()
    first = ours and page.order == 0
    title = text.as_markdown(page.title)
    return st.Page(file if ours else _script(page.name), title=title, url_path=page.name, default=first)


def _script(name: str) -> Callable[[], None]:
    def draw() -> None:
        show_page(name)

    return draw
