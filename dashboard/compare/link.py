"""The address of the Compare page: it names the comparison, or the study and the place in it, that is on screen."""

from urllib.parse import urlencode

import streamlit as st

from core.errors import BadInput, LightboxError
from dashboard.compare.desk import VIEWS, Cell, CompareDesk
from dashboard.compare.films.intake import FIRST_PRESET, SETTINGS, STUDY
from dashboard.desk import shelf
from dashboard.intake import catalogue

_VIEW, _RUNS, _RUN, _CELL, _FILM = "view", "runs", "run", "cell", "film"
#: Between the parts of a value that names several things; class names may hold anything else.
_BETWEEN = "~"


def write(laid: CompareDesk) -> None:
    """Make the address name what is on screen."""
    wanted = query(laid)
    laid.linked = urlencode(wanted)
    for name in (_VIEW, _RUNS, _RUN, _CELL, _FILM):
        if name not in wanted:
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != wanted[name]:
            st.query_params[name] = wanted[name]


def query(laid: CompareDesk) -> dict[str, str]:
    """The parts of the address after the question mark."""
    if laid.view == "film":
        return {_RUNS: ",".join(laid.comparison)} if laid.comparison else {}
    if laid.study is None:
        return {_VIEW: laid.view}
    found = {_RUN: laid.study}
    if laid.cell is not None:
        found[_CELL] = _BETWEEN.join((laid.cell.network, laid.cell.truth, laid.cell.predicted))
        if laid.film is not None:
            found[_FILM] = laid.film
    return found


def follow(laid: CompareDesk) -> None:
    """Lay out what the address names, once.

    Raises
    ------
    LightboxError
        When that is not there (any more).
    """
    given = {name: st.query_params[name] for name in (_VIEW, _RUNS, _RUN, _CELL, _FILM) if name in st.query_params}
    if not given or urlencode(given) == laid.linked:
        return
    laid.linked = urlencode(given)
    if _RUNS in given:
        open_comparison(laid, given[_RUNS].split(","))
    elif _RUN in given:
        open_study(laid, given[_RUN])
        cell = given.get(_CELL, "").split(_BETWEEN)
        if len(cell) == 3:
            laid.cell, laid.film = Cell(*cell), given.get(_FILM)
            laid.shown = laid.cell.network
    elif given[_VIEW] in VIEWS:
        laid.view = VIEWS[VIEWS.index(given[_VIEW])]


def open_comparison(laid: CompareDesk, ids: list[str]) -> None:
    """Lay out stored runs of one comparison.

    Raises
    ------
    BadInput
        When one is gone, or they do not belong together.
    """
    runs = [shelf().run(run) for run in ids]
    entry = catalogue.explainer_entries().get(str(runs[0].request.get("explainer")))
    if entry is None:
        raise BadInput("This comparison used an explainer that is no longer installed: compare again with another.")
    laid.lay_out_comparison(runs, entry.first_preset)


def open_study(laid: CompareDesk, run_id: str) -> None:
    """Lay out a stored study.

    Raises
    ------
    BadInput
        When there is no such run of this owner, or it is no study of this page.
    """
    run = shelf().run(run_id)
    if run.kind != "study" or run.request.get("study") != STUDY:
        raise BadInput("This run is no study of networks: look at it on the Runs page.")
    laid.adopt_study(run, SETTINGS, FIRST_PRESET)


def show(laid: CompareDesk) -> None:
    """The menu with the link that opens what is on screen again; it has its place before there is something to open."""
    wanted = query(laid)
    nothing = set(wanted) <= {_VIEW}
    with st.popover("Keep", icon=":material/link:", width="content", disabled=nothing):
        if nothing:
            return
        st.caption("Link that opens this comparison again")
        base = (st.context.url or "").split("?")[0].rstrip("/")
        st.code(f"{base}?{urlencode(wanted, safe=',')}", language=None)


def problem_of(laid: CompareDesk) -> str | None:
    """`follow`, with what is wrong as a sentence."""
    try:
        follow(laid)
    except LightboxError as problem:
        return str(problem)
    return None
