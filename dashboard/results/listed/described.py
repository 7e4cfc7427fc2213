"""A run in words: what was asked, of which model, and which settings were changed."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.cohorts.library import cohort_cards
from core.cohorts.selection import as_names
from core.errors import LightboxError
from core.runs import Run
from core.wording import without_shared_lead
from dashboard.intake import catalogue
from dashboard.intake.catalogue import ExplainerEntry
from dashboard.intake.studies import study_entry

_LOG = logging.getLogger(__name__)
#: Longest text of one setting.
_LONGEST = 40


@dataclass(frozen=True)
class Described:
    """What a list says of a run.

    Parameters
    ----------
    method : str
        Title of the explainer or study; the run's own title for other kinds.
    target : str
        Class, or the cohort of a study; empty where there is none.
    model : str
        Title of the model, or of all that a study asks.
    settings : tuple of str
        What was changed from the published or first settings, in a few words each.
    """

    method: str
    target: str = ""
    model: str = ""
    settings: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Method and class in one."""
        return f"{self.method} · {self.target}" if self.target else self.method


def described(run: Run, target: str = "") -> Described:
    """A run in words, as far as its request can be read: one damaged run must not take the list of all others away.

    Parameters
    ----------
    run : Run
        Of any kind and state.
    target : str
        The class that it came to explain, where its request names none.
    """
    try:
        if run.kind == "study":
            return _study(run.request)
        if run.kind == "explanation":
            return _explanation(run.request, target)
        return Described(run.title, model=run.kind)
    except (AttributeError, KeyError, TypeError, ValueError, LightboxError):
        _LOG.warning("the run %s cannot be described", run.id, exc_info=True)
        return Described(run.title or "A run", model="what was asked cannot be read")


def _explanation(request: Mapping[str, Any], target: str) -> Described:
    card = catalogue.cards().get(request["model"])
    chosen = request.get("target") or target or (card.target if card else None)
    name = request["explainer"]
    further = ["marked region"] if request.get("region") else []
    if request.get("others"):
        further.append(f"{1 + len(request['others'])} scans")
    return Described(
        catalogue.explainer_title(name),
        chosen or "",
        card.title if card else Path(request["model"]).name,
        (*further, *_changed(catalogue.explainer_entries().get(name), request)),
    )


def _study(request: Mapping[str, Any]) -> Described:
    known, cohort = catalogue.cards(), request.get("cohort")
    card = cohort_cards().get(cohort or "")
    names = [request["model"], *as_names(request["parameters"].get("others") or ())]
    titles = [known[name].title if name in known else Path(name).name for name in names]
    entry = study_entry(request["study"])
    return Described(
        f"Study {request['study']}",
        (card.title if card else Path(cohort).name) if cohort else "",
        " · ".join(without_shared_lead(titles)),
        tuple(_changed(entry.settings if entry else None, request, {"others"})),
    )


def _changed(
    entry: ExplainerEntry | None, request: Mapping[str, Any], without: frozenset[str] | set[str] = frozenset()
) -> list[str]:
    """The preset where it is not the first, and parameters that are not as it has them."""
    preset = request.get("preset")
    usual = {} if entry is None else entry.values(preset or entry.first_preset)
    titles = {} if entry is None else {control.name: control.label for control in entry.controls}
    named = [f"preset {preset}"] if preset and (entry is None or preset != entry.first_preset) else []
    return named + [
        f"{titles.get(name, name.replace('_', ' '))}: {_value(value)}"
        for name, value in (request.get("parameters") or {}).items()
        if name not in without and not (name in usual and usual[name] == value)
    ]


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if value is None:
        return "none"
    words = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"
