"""What is laid out on the Trace page, and the run that follows from it."""

import logging
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np

from core.errors import BadInput, LightboxError
from core.runs import Run
from dashboard.components.viewer import VolumeRef
from dashboard.desk import Desk, desk_of_session, shelf
from dashboard.intake.request import lay_out, request
from dashboard.trace.questions import QuickMap

_LOG = logging.getLogger(__name__)
_KEY = "trace desk"


@dataclass(eq=False)
class Sketch:
    """A quick coarse map, until the exact one is there.

    Parameters
    ----------
    asked : str
        The request that it belongs to.
    coming : Future, optional
        Brings it; None where none was asked for.
    reference : VolumeRef, optional
        The map for the viewer, once it was published.
    filled : int
        How many of its samples are not zero.
    """

    asked: str
    coming: Future[QuickMap | None] | None
    reference: VolumeRef | None = None
    filled: int = 0
    _waited: bool = False

    def arrived(self, patience: float) -> QuickMap | None:
        """The map, if it is there; waits `patience` seconds for it the first time, and not at all later."""
        if self.coming is None:
            return None
        wait, self._waited = (0.0 if self._waited else patience), True
        try:
            return self.coming.result(timeout=wait)
        except TimeoutError:
            return None
        except Exception as problem:
            # the run itself will say what is wrong: a picture that only comes earlier must not take the page down
            if not isinstance(problem, LightboxError):
                _LOG.warning("no coarse map", exc_info=problem)
            self.coming = None
            return None


@dataclass
class TraceDesk(Desk):
    """A desk with a painted selection on it: its region.

    Parameters
    ----------
    handed : int
        Counts selections that did not come from the brush: the viewer takes them over.
    truth : str
        Ground truth: ``demo``, the hash of a stored scan, or nothing.
    others : tuple of str
        Hashes of further scans that the same selection is traced on.
    traced : str, optional
        The run that answers what is laid out.
    """

    page: str = "trace"
    handed: int = 0
    truth: str = ""
    #: the scan that `truth` was chosen for
    truth_for: str | None = None
    others: tuple[str, ...] = ()
    traced: str | None = None
    #: the scan that `others` were chosen for
    others_for: str | None = None
    #: scan and model that were on screen last
    hung: tuple[str | None, str | None] | None = None
    #: what `traced` was asked, as JSON
    asked: str | None = None
    #: lay out a stored run without asking for it again
    adopting: bool = False
    #: the scan and model that the backend was prepared for
    ready: str | None = None
    #: the scan and model for which a coarse map takes too long
    slow: str | None = None
    sketch: Sketch | None = None

    def select(self, region: np.ndarray | None, side: str | None) -> None:
        """Take over what was painted."""
        if region is None or side is None:
            self.clear()
            return
        found = shelf().add_region(region)
        if (found, side) != (self.region, self.side):
            self.region, self.side = found, "output" if side == "output" else "input"

    def clear(self) -> None:
        """Nothing is selected any more, and nothing goes on."""
        self.stop()
        self.region = self.side = self.traced = self.asked = self.sketch = None

    def stop(self) -> None:
        """Cancel what goes on for what was laid out before."""
        if self.sketch is not None and self.sketch.coming is not None:
            self.sketch.coming.cancel()
        run = self.current()
        if run is not None and not run.status.final:
            shelf().cancel(run.id)

    def current(self) -> Run | None:
        """The run that answers what is laid out; None when there is none (any more)."""
        if self.traced is None:
            return None
        try:
            return shelf().run(self.traced)
        except BadInput:
            self.traced = None
            return None

    def ask(self) -> None:
        """Make the run follow what is laid out: a new selection or setting cancels the last run and starts another."""
        spec = request(self, others=self.others) if self.region is not None else None
        if spec is None:
            return
        wanted = spec.model_dump_json()
        if self.adopting:
            self.adopting, self.asked = False, wanted
        if wanted == self.asked:
            return
        self.stop()
        self.asked, self.traced, self.sketch = wanted, None, None
        try:
            self.traced = shelf().submit(spec)
        except LightboxError as problem:
            self.problem = str(problem)

    def again(self) -> None:
        """Ask once more for what failed or was cancelled."""
        self.asked = None

    def adopt(self, run: Run) -> None:
        """Lay out a stored run: its scan, model, parameters, selection and result.

        Raises
        ------
        BadInput
            When its explainer is no longer there.
        """
        self.stop()
        lay_out(self, run)
        self.others, self.others_for = tuple(run.request.get("others") or ()), self.scan
        self.traced, self.asked, self.sketch, self.adopting = run.id, None, None, True
        self.handed += 1

    def forget(self, run: str) -> None:
        """Drop a run that was deleted."""
        super().forget(run)
        self.traced = None if self.traced == run else self.traced


def trace_desk() -> TraceDesk:
    """The Trace page's desk of this session."""
    return desk_of_session(_KEY, TraceDesk)


def history(laid: TraceDesk) -> list[str]:
    """Finished selections on this scan with this model, oldest first: ids of runs."""
    found = [
        run.id
        for run in shelf().runs(500)
        if run.request.get("explainer") == laid.explainer
        and run.request.get("region")
        and (run.request["scan"], run.request["model"]) == (laid.scan, laid.model)
        and (run.status == "done" or run.id == laid.traced)
    ]
    return found[::-1]
