"""From what is laid out to a request, and from a stored run back to what was laid out."""

from typing import Any

from core.errors import BadInput
from core.runs import ExplanationSpec, Run
from dashboard.desk import Desk, owner
from dashboard.intake import catalogue


def request(laid: Desk, **more: Any) -> ExplanationSpec | None:
    """What is laid out as a request to explain it; None while something is missing.

    Parameters
    ----------
    laid : Desk
        The desk.
    **more
        Further fields, or others than the desk's.
    """
    entry = catalogue.explainer_entries().get(laid.explainer or "")
    if laid.scan is None or (laid.model is None and "model" not in more) or entry is None:
        return None
    setting = laid.setting(entry.name, entry.first_preset)
    asked: dict[str, Any] = {
        "owner": owner(),
        "scan": laid.scan,
        "model": laid.model,
        "explainer": entry.name,
        "target": laid.target,
        "preset": setting.preset,
        "parameters": dict(setting.changes),
    }
    return ExplanationSpec(**asked | more)


def lay_out(laid: Desk, run: Run) -> None:
    """Lay a stored explanation out as it was: scan, model, explainer, class, parameters and result.

    Raises
    ------
    BadInput
        When its explainer is no longer there.
    """
    asked = run.request
    card = catalogue.cards().get(asked["model"])
    entry = catalogue.explainer_entries().get(asked["explainer"])
    if entry is None:
        raise BadInput("This run used an explainer that is no longer installed: ask again with another.")
    target = asked.get("target") or (card.target if card else None)
    laid.lay_out(run.id, asked, target, asked.get("preset") or entry.first_preset)
