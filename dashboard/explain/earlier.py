"""The result that was on screen before: it stays beside what is asked for next, until that stands."""

from dataclasses import dataclass

from core.errors import BadInput
from core.reports.explanation import StoredExplanation
from core.runs import Run
from dashboard.desk import shelf
from dashboard.explain.desk import ExplainDesk
from dashboard.intake import catalogue
from dashboard.look import text
from dashboard.look.text import Markup


@dataclass(frozen=True, eq=False)
class Earlier:
    """A finished result that something else is asked for after.

    Parameters
    ----------
    run : str
        Id of its run.
    explanation : StoredExplanation
        What it found.
    title : str
        Of its picture.
    signed : bool
        Its map is shown with its signs.
    """

    run: str
    explanation: StoredExplanation
    title: str
    signed: bool


def earlier_of(laid: ExplainDesk) -> Earlier | None:
    """What was on screen before what is shown now; None where nothing was, or it can no longer be read."""
    run = laid.earlier()
    if run is None:
        return None
    try:
        explanation = shelf().explanation(run.id)
    except BadInput:
        return None
    # of many parts' maps over each other the sizes say where: as the form is at first on this page
    return Earlier(run.id, explanation, _title(laid, run), explanation.parts is None)


def _title(laid: ExplainDesk, run: Run) -> str:
    """What sets it apart from what is asked for now, in a few words."""
    asked = run.request
    words = []
    if asked.get("explainer") != laid.explainer:
        words.append(catalogue.explainer_title(str(asked["explainer"])))
    if asked.get("model") != laid.model:
        card = catalogue.cards().get(str(asked["model"]))
        words.append(card.title if card is not None else str(asked["model"]))
    if asked.get("target") != laid.target and asked.get("target"):
        words.append(str(asked["target"]))
    return f"Before: {', '.join(words)}" if words else "Before"


def line(earlier: Earlier) -> Markup:
    """What it said, in small print."""
    return text.quiet(f"{earlier.title}{'.' if ':' in earlier.title else ':'} {earlier.explanation.sentence}")
