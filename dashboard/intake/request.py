"""From what is laid out to a request, and from a stored run back to what was laid out."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.errors import BadInput
from core.explainers.base import Side
from core.runs import ExplanationSpec, Run, Status
from dashboard.desk import Desk, Setting, owner, shelf
from dashboard.intake import catalogue
from dashboard.intake.catalogue import ExplainerEntry


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
    model = more.get("model", laid.model)
    if laid.scan is None or model is None or entry is None:
        return None
    setting = laid.setting(entry.name, entry.first_preset)
    region = laid.region if entry.takes_region else None
    steered = entry.steered.get(laid.side or "input", {}) if region is not None else {}
    asked: dict[str, Any] = {
        "owner": owner(),
        "scan": laid.scan,
        "model": model,
        "explainer": entry.name,
        "target": laid.target,
        "preset": setting.preset,
        "parameters": {**setting.changes, **steered},
        "region": region,
    }
    return ExplanationSpec(**asked | more)


def lay_out(laid: Desk, run: Run) -> None:
    """Lay a stored explanation out as it was: scan, model, explainer, class, parameters, region and result.

    Raises
    ------
    BadInput
        When its explainer is no longer there, or its model is none of the library: beside another model's answer its
        result would look like that model's.
    """
    asked = run.request
    card = catalogue.cards().get(asked["model"])
    entry = catalogue.explainer_entries().get(asked["explainer"])
    if entry is None:
        raise BadInput("This run used an explainer that is no longer installed: ask again with another.")
    if card is None:
        raise BadInput(
            f"This run asked {Path(asked['model']).name}, which is not in the library: put the model's folder where "
            "LIGHTBOX_MODELS_DIR points and ask again; the files that the command wrote hold this result."
        )
    target = asked.get("target") or _explained(run) or card.target
    laid.lay_out(run.id, asked, target, asked.get("preset") or entry.first_preset)
    changes = dict(asked.get("parameters") or {})
    laid.region = asked.get("region") if entry.takes_region else None
    laid.side = None if laid.region is None else side_of(entry, changes)
    if laid.region is not None:
        changes = {name: value for name, value in changes.items() if name not in entry.set_by_region}
        laid.settings[entry.name] = replace(laid.settings[entry.name], changes=changes)


def _explained(run: Run) -> str | None:
    """The class that a finished run explains: one that was asked about none is of what the model said."""
    if run.status is not Status.DONE:
        return None
    try:
        return shelf().explanation(run.id).target
    except BadInput:
        return None


def side_of(entry: ExplainerEntry, parameters: Mapping[str, Any]) -> Side:
    """Where the region of a request lies: on the side whose values its parameters have."""
    for side, values in entry.steered.items():
        if values and all(parameters.get(name) == value for name, value in values.items()):
            return side
    return "input"


def changed_since(laid: Desk, entry: ExplainerEntry, setting: Setting, run: Run) -> bool:
    """Whether a stored run was asked for with other parameters, or about another region, than what is laid out."""
    asked = run.request
    then = {**entry.values(asked.get("preset") or entry.first_preset), **(asked.get("parameters") or {})}
    steered = entry.steered.get(laid.side or "input", {}) if laid.region is not None else {}
    now = {**entry.values(setting.preset), **setting.changes, **steered}
    return then != now or (entry.takes_region and asked.get("region") != laid.region)
