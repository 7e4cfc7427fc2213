"""What is laid out on the Explain page."""

from dataclasses import dataclass

from core.errors import BadInput
from core.runs import Run, RunSpec, Status
from dashboard.desk import Desk, desk_of_session, shelf

_KEY = "desk"


@dataclass
class ExplainDesk(Desk):
    """A desk of the Explain page.

    Parameters
    ----------
    stood : str, optional
        The finished run that was on screen last: it stays beside what is asked for next, until that stands.
    asked : str, optional
        The run that was asked for last.
    back : str, optional
        The finished run that came back because what was asked for after it was cancelled.
    """

    page: str = "explain"
    stood: str | None = None
    asked: str | None = None
    back: str | None = None

    def current(self) -> Run | None:
        """The run that is shown; None when there is none (any more).

        Where one was cancelled and the result before it answers the same question, that is shown again.
        """
        run = self._known(self.run)
        if run is None or run.status is not Status.CANCELLED or run.id != self.asked:
            return run
        before = self._known(self.stood)
        if before is None or _question(before) != _question(run):
            return run
        self.run = self.back = before.id
        return before

    def ask(self, spec: RunSpec) -> None:
        """Ask for a run, and show it from now on.

        Raises
        ------
        LightboxError
            When it cannot be asked for.
        """
        self.run = self.asked = shelf().submit(spec)
        self.back = None

    def earlier(self) -> Run | None:
        """The finished run of this scan that was on screen before what is shown now; None where there is none."""
        before = self._known(self.stood)
        if before is None or before.status is not Status.DONE or before.request.get("scan") != self.scan:
            return None
        return before if before.id != self.run else None

    def forget(self, run: str) -> None:
        """Drop a run that was deleted."""
        super().forget(run)
        self.stood = None if self.stood == run else self.stood
        self.back = None if self.back == run else self.back

    def _known(self, run: str | None) -> Run | None:
        if run is None:
            return None
        try:
            return shelf().run(run)
        except BadInput:
            self.forget(run)
            return None


def _question(run: Run) -> tuple[object, ...]:
    """What a run asks, whatever its settings."""
    return tuple(run.request.get(name) for name in ("scan", "model", "explainer", "target"))


def explain_desk() -> ExplainDesk:
    """The Explain page's desk of this session."""
    return desk_of_session(_KEY, ExplainDesk)
