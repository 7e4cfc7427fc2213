"""The address of the Study page: it names the run, and the place in its result, that is on screen."""

from collections.abc import Mapping

from core.runs import Run
from dashboard.frame.pages import RUN
from dashboard.intake.studies import study_entry
from dashboard.study.desk import Place, StudyDesk

_CELL, _OPENED = "cell", "open"
#: Parts of the address.
NAMES = (RUN, _CELL, _OPENED)
#: Between the parts of a value that names a place; labels and columns may hold anything else.
_BETWEEN = "~"


def query(laid: StudyDesk) -> dict[str, str]:
    """The parts of the address after the question mark."""
    if laid.shown is None:
        return {}
    found = {RUN: laid.shown}
    for name, place in ((_CELL, laid.cell), (_OPENED, laid.opened)):
        if place is not None:
            found[name] = _BETWEEN.join((place.part, place.row, place.column))
    return found


def open_run(laid: StudyDesk, run: Run, place: Mapping[str, str]) -> None:
    """Lay out a stored study, and what of it the rest of the address names."""
    laid.adopt(run, study_entry(str(run.request["study"])))
    laid.cell, laid.opened = (_place(place.get(name)) for name in (_CELL, _OPENED))
    if laid.opened is not None:
        laid.table = laid.opened.part


def _place(value: str | None) -> Place | None:
    parts = (value or "").split(_BETWEEN)
    return Place(*parts) if len(parts) == 3 else None
