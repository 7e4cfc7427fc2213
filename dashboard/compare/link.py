"""The address of the Compare page: it names the comparison, or the study and the place in it, that is on screen."""

from collections.abc import Mapping

import streamlit as st

from core.errors import BadInput
from core.runs import Run
from dashboard.compare.desk import VIEWS, Cell, CompareDesk
from dashboard.compare.films.intake import FIRST_PRESET, SETTINGS
from dashboard.compare.side_by_side import members
from dashboard.desk import shelf
from dashboard.frame import opening
from dashboard.frame.pages import RUN, Page

_VIEW, _RUNS, _CELL, _FILM, _SCANS, _VALUES = "view", "runs", "cell", "film", "scans", "values"
#: Parts of the address.
NAMES = (_VIEW, _RUNS, RUN, _CELL, _FILM, _SCANS, _VALUES)
#: Between the parts of a value that names several things; class names may hold anything else.
_BETWEEN = "~"


def query(laid: CompareDesk) -> dict[str, str]:
    """The parts of the address after the question mark."""
    if laid.view == "results":
        return {_VIEW: laid.view, **({_RUNS: ",".join(laid.beside)} if laid.beside else {})}
    if laid.view == "scans":
        return {_VIEW: laid.view, **_pair_query(laid)}
    if laid.view == "film":
        return {_RUNS: ",".join(laid.comparison)} if laid.comparison else {}
    if laid.study is None:
        return {_VIEW: laid.view}
    found = {RUN: laid.study}
    if laid.cell is not None:
        found[_CELL] = _BETWEEN.join((laid.cell.network, laid.cell.truth, laid.cell.predicted))
        if laid.film is not None:
            found[_FILM] = laid.film
    return found


def follow(laid: CompareDesk, place: Mapping[str, str]) -> None:
    """Lay out what an address without a single run names.

    Raises
    ------
    BadInput
        When one of the runs is gone, or they do not belong together.
    """
    if _RUNS in place:
        open_comparison(laid, place[_RUNS].split(","), place.get(_VIEW) == "results")
    elif _SCANS in place:
        open_pair(laid, place[_SCANS].split(","), place.get(_VALUES))
    elif place.get(_VIEW) in VIEWS:
        laid.view = VIEWS[VIEWS.index(place[_VIEW])]


def open_comparison(laid: CompareDesk, ids: list[str], as_results: bool = False) -> None:
    """Lay out stored runs: as networks on one film where they are that, else as results side by side.

    Parameters
    ----------
    laid : CompareDesk
        Where they go.
    ids : list of str
        The runs, in their order.
    as_results : bool
        As results, whatever they are.

    Raises
    ------
    BadInput
        When one is gone, or they cannot stand side by side.
    """
    runs = [shelf().run(run) for run in dict.fromkeys(ids)]
    if not as_results and laid.are_networks_on_one_film(runs):
        laid.lay_out_comparison(runs)
        return
    members.check(runs)
    laid.put_side_by_side([run.id for run in runs])


def _pair_query(laid: CompareDesk) -> dict[str, str]:
    """The two scans, and how their values are brought together where somebody chose that."""
    names = [name for name in laid.pair if name is not None]
    if len(names) < 2:
        return {}
    return {_SCANS: ",".join(names), **({_VALUES: laid.normalised} if laid.normalised else {})}


def open_pair(laid: CompareDesk, scans: list[str], values: str | None) -> None:
    """Lay out two stored scans.

    Raises
    ------
    BadInput
        When one is gone, or they are not two.
    """
    if len(scans) != 2:
        raise BadInput("This link does not name two scans: choose them on the left.")
    for name in scans:
        shelf().scan_meta(name)
    laid.view, laid.pair = "scans", (scans[0], scans[1])
    laid.normalised = "none" if values == "none" else "z-score" if values == "z-score" else None


def open_study(laid: CompareDesk, run: Run, place: Mapping[str, str]) -> None:
    """Lay out a stored study, and what of it the rest of the address names."""
    laid.adopt_study(run, SETTINGS, FIRST_PRESET)
    cell = place.get(_CELL, "").split(_BETWEEN)
    if len(cell) == 3:
        laid.cell, laid.film = Cell(*cell), place.get(_FILM)
        laid.shown = laid.cell.network


def write(page: Page, laid: CompareDesk) -> None:
    """Make the address name what is on screen."""
    opening.write_address(page, laid, query(laid))


def show(page: Page, laid: CompareDesk) -> None:
    """The menu with the link that opens what is on screen again; it has its place before there is something to open."""
    wanted = query(laid)
    nothing = set(wanted) <= {_VIEW}
    with st.popover("Keep", icon=":material/link:", width="content", disabled=nothing):
        if nothing:
            return
        st.caption("Link that opens this comparison again")
        st.code(opening.address(page, wanted), language=None)
