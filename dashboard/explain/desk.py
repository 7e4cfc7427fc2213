"""What is laid out on the Explain page."""

from dataclasses import dataclass

from dashboard.desk import Desk, desk_of_session

_KEY = "desk"


@dataclass
class ExplainDesk(Desk):
    """A desk of the Explain page."""

    page: str = "explain"


def explain_desk() -> ExplainDesk:
    """The Explain page's desk of this session."""
    return desk_of_session(_KEY, ExplainDesk)
