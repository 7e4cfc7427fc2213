"""What is laid out on the Explain page."""

from dataclasses import dataclass

from core.errors import BadInput
from core.runs import Run
from dashboard.desk import Desk, desk_of_session, shelf

_KEY = "desk"


@dataclass
class ExplainDesk(Desk):
    """A desk of the Explain page."""

    page: str = "explain"

    def current(self) -> Run | None:
        """The run that is shown; None when there is none (any more)."""
        if self.run is None:
            return None
        try:
            return shelf().run(self.run)
        except BadInput:
            self.forget(self.run)
            return None


def explain_desk() -> ExplainDesk:
    """The Explain page's desk of this session."""
    return desk_of_session(_KEY, ExplainDesk)
