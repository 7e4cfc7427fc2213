"""What one person has laid out on a page: scan, model, explainer and parameters, and how to undo a change of them.

Every page that asks something has a desk of its own. Widgets forget their values when a page is left; a desk does not.
What is worth more than a session (runs, scans) is in the store.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import streamlit as st

from core.explainers.base import Side
from core.runs import LOCAL_OWNER, ManagedShelf, manager

#: Most changes that can be undone.
UNDO_DEPTH = 100
_MODEL = "model in use"

AnyDesk = TypeVar("AnyDesk", bound="Desk")


@dataclass(frozen=True)
class Setting:
    """Parameters of one explainer: a preset and what was changed on top of it."""

    preset: str
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Desk:
    """Everything that a person has laid out on a page.

    Parameters
    ----------
    scan : str, optional
        Content hash of the scan on the lightbox.
    model, explainer, target : str, optional
        What it is asked with.
    settings : dict of str to Setting
        By explainer.
    region : str, optional
        The region that is asked about, by its name in the store.
    side : {"input", "output"}, optional
        Where it lies: on the scan, or on the image that a regressor makes of it; None where there is no region.
    """

    #: page that it belongs to, part of the keys of its widgets
    page: str = ""
    scan: str | None = None
    model: str | None = None
    explainer: str | None = None
    target: str | None = None
    settings: dict[str, Setting] = field(default_factory=dict)
    region: str | None = None
    side: Side | None = None
    #: demo scan that is to be opened next, by name
    demo: str | None = None
    #: ask as soon as it can be asked: what a button of another page promised
    begin: bool = False
    #: counts changes that did not come from a control, so that controls start again from the values here
    revision: int = 0
    #: the scan that `model` was chosen for
    model_for: str | None = None
    #: the models that `explainer` was chosen for
    explainer_for: tuple[str, ...] = ()
    #: why a run could not be asked for, until it was said
    problem: str | None = None
    #: what the address of the page named last
    linked: str = ""
    _runs: dict[tuple[str | None, ...], str] = field(default_factory=dict)
    _undo: list[tuple[str, Setting | None]] = field(default_factory=list)

    @property
    def run(self) -> str | None:
        """The latest run with this scan, model, explainer and target, whatever its parameters."""
        return self._runs.get(self._choice)

    @run.setter
    def run(self, run: str | None) -> None:
        if run is None:
            self._runs.pop(self._choice, None)
        else:
            self._runs[self._choice] = run

    def forget(self, run: str) -> None:
        """Drop a run that was deleted."""
        self._runs = {choice: known for choice, known in self._runs.items() if known != run}
        self.linked = "" if run in self.linked else self.linked

    def take_model(self, name: str) -> None:
        """Ask this model from now on, about whatever class suits it."""
        self.model, self.target = name, None
        self.revision += 1

    def setting(self, explainer: str, first_preset: str) -> Setting:
        """Parameters of an explainer; untouched ones are its first preset."""
        return self.settings.get(explainer, Setting(first_preset))

    def change(self, explainer: str, before: Setting, name: str, value: Any) -> None:
        """Set one parameter; can be undone."""
        self._remember(explainer)
        self.settings[explainer] = replace(before, changes={**before.changes, name: value})

    def choose_preset(self, explainer: str, preset: str) -> None:
        """Take a preset as it is; can be undone."""
        wanted = Setting(preset)
        if self.settings.get(explainer) != wanted:
            self._remember(explainer)
            self.settings[explainer] = wanted
        self.revision += 1

    @property
    def can_undo(self) -> bool:
        """Whether a parameter was changed."""
        return bool(self._undo)

    def undo(self) -> None:
        """Take back the last change of a parameter or preset, and show the explainer it belonged to."""
        if not self._undo:
            return
        explainer, before = self._undo.pop()
        if before is None:
            self.settings.pop(explainer, None)
        else:
            self.settings[explainer] = before
        self.explainer = explainer
        self.revision += 1

    def lay_out(self, run: str, request: Mapping[str, Any], target: str | None, preset: str) -> None:
        """Lay everything out as it was for a run.

        Parameters
        ----------
        run : str
            Its id.
        request : mapping
            Its `core.runs.kinds.explanation.ExplanationSpec` as a mapping.
        target : str, optional
            Class it explains.
        preset : str
            Preset that its parameters are changes of.
        """
        self.scan, self.model, self.explainer = request["scan"], request["model"], request["explainer"]
        self.target, self.model_for = target, request["scan"]
        self.settings[request["explainer"]] = Setting(preset, dict(request.get("parameters") or {}))
        self.revision += 1
        self.run = run

    @property
    def _choice(self) -> tuple[str | None, ...]:
        return self.scan, self.model, self.explainer, self.target

    def _remember(self, explainer: str) -> None:
        self._undo.append((explainer, self.settings.get(explainer)))
        del self._undo[:-UNDO_DEPTH]


def desk_of_session(key: str, kind: type[AnyDesk]) -> AnyDesk:
    """The desk that this session keeps under `key`; a fresh one at first."""
    if key not in st.session_state:
        st.session_state[key] = kind()
    found: AnyDesk = st.session_state[key]
    return found


def model_in_use() -> str | None:
    """The model that was chosen last on a page that asks one model, by name."""
    found: str | None = st.session_state.get(_MODEL)
    return found


def use_model(name: str) -> None:
    """Remember that a model is asked."""
    st.session_state[_MODEL] = name


def owner() -> str:
    """Who is at the screen: one local person, as long as there is no login."""
    return LOCAL_OWNER


def shelf(whose: str | None = None) -> ManagedShelf:
    """Scans, regions, landmarks and runs of whoever is at the screen, and asking for more.

    Parameters
    ----------
    whose : str, optional
        Only for what is kept between sessions, and is kept under its owner's name: `owner` as it was then.
    """
    return manager().shelf(owner() if whose is None else whose)
