"""What is laid out on the Compare page: a scan and networks, or a cohort, networks and a place in their results."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from core.errors import BadInput
from core.runs import ExplanationSpec, Run, StudySpec
from core.scans.pairs import Normalisation
from dashboard.desk import Desk, Setting, desk_of_session, owner, shelf
from dashboard.intake import catalogue
from dashboard.intake.request import lay_out, request

View = Literal["film", "films", "results", "scans"]
#: Names of the parts of the page, as they stand in its address.
VIEWS: tuple[View, ...] = ("film", "films", "results", "scans")
#: Networks that stand beside each other; with the scan one more picture.
MOST_NETWORKS = 4
_KEY = "compare desk"


@dataclass(frozen=True)
class Cell:
    """One cell of a network's confusion matrix: films of one class that the network took for one class."""

    network: str
    truth: str
    predicted: str


@dataclass
class CompareDesk(Desk):
    """A desk with several networks on it.

    Parameters
    ----------
    view : {"film", "films", "results", "scans"}
        Which part of the page is shown.
    networks : tuple of str
        Library names of the networks that are compared, in the order they stand.
    cohort : str, optional
        Name of a cohort of the library.
    study : str, optional
        Run of the study that is shown.
    cell : Cell, optional
        The cell that was opened.
    film : str, optional
        Participant of the film that was opened from that cell.
    shown : str, optional
        Network whose confusion matrix is shown.
    class_name : str, optional
        Class whose mean map is shown.
    beside : tuple of str
        Runs whose results stand side by side, in their order.
    share : float
        Of all samples, those that a map marks there, 0..1.
    pair : tuple of str or None
        Content hashes of the two scans that are linked.
    normalised : {"none", "z-score"}, optional
        How their values are brought to one scale; None: as suits them.
    """

    page: str = "compare"
    view: View = "film"
    networks: tuple[str, ...] = ()
    #: the scan that `networks` were chosen for
    networks_for: str | None = None
    #: the person chose the class; otherwise it follows what the first network says
    target_chosen: bool = False
    cohort: str | None = None
    #: networks of the study, None: those that fit the cohort
    candidates: tuple[str, ...] | None = None
    study: str | None = None
    cell: Cell | None = None
    film: str | None = None
    shown: str | None = None
    class_name: str | None = None
    beside: tuple[str, ...] = ()
    share: float = 0.05
    pair: tuple[str | None, str | None] = (None, None)
    normalised: Normalisation | None = None
    #: what was opened → the run that explains it
    explained: dict[Hashable, str] = field(default_factory=dict)
    _comparisons: dict[tuple[object, ...], tuple[str, ...]] = field(default_factory=dict)

    @property
    def comparison(self) -> tuple[str, ...]:
        """The latest runs with this scan, these networks, explainer and class: one a network, in their order."""
        return self._comparisons.get(self._compared, ())

    @comparison.setter
    def comparison(self, runs: Sequence[str]) -> None:
        self._comparisons[self._compared] = tuple(runs)

    @property
    def _compared(self) -> tuple[object, ...]:
        return self.scan, self.networks, self.explainer, self.target

    def forget(self, run: str) -> None:
        """Drop a run that was deleted."""
        super().forget(run)
        self._comparisons = {key: runs for key, runs in self._comparisons.items() if run not in runs}
        self.explained = {film: known for film, known in self.explained.items() if known != run}
        self.leave_out(run)
        if self.study == run:
            self.show_study(None)

    def put_side_by_side(self, runs: Sequence[str]) -> None:
        """Show these runs beside each other."""
        self.view, self.beside = "results", tuple(dict.fromkeys(runs))

    def leave_out(self, run: str) -> None:
        """Show the others without this one."""
        self.beside = tuple(known for known in self.beside if known != run)

    def side_by_side(self) -> list[Run]:
        """The runs that stand side by side; without those that are gone."""
        found = []
        for name in self.beside:
            try:
                found.append(shelf().run(name))
            except BadInput:
                self.leave_out(name)
        return found

    def compare(self) -> None:
        """Ask for one run a network. Equal requests that ran before are found again, not repeated.

        Raises
        ------
        LightboxError
            When a run cannot be asked for.
        """
        asked = [request(self, model=network) for network in self.networks]
        self.comparison = [shelf().submit(spec) for spec in asked if spec is not None]

    def runs(self) -> dict[str, Run]:
        """The runs of `comparison` by network; empty when one of them is gone."""
        try:
            found = [shelf().run(run) for run in self.comparison]
        except BadInput:
            self.comparison = ()
            return {}
        return {str(run.request["model"]): run for run in found}

    @staticmethod
    def are_networks_on_one_film(runs: Sequence[Run]) -> bool:
        """Whether runs ask the same of several networks: what *One film* shows."""
        if any(run.kind != ExplanationSpec.kind for run in runs) or not 1 <= len(runs) <= MOST_NETWORKS:
            return False
        asked = [{**run.request, "model": "", "parameters": dict(run.request.get("parameters") or {})} for run in runs]
        names = [str(run.request["model"]) for run in runs]
        cards = catalogue.cards()
        known = all(name in cards and cards[name].task == "classification" for name in names)
        return known and len(set(names)) == len(runs) and all(one == asked[0] for one in asked)

    def lay_out_comparison(self, runs: Sequence[Run]) -> None:
        """Lay everything out as it was for the runs of one comparison (`are_networks_on_one_film`).

        Raises
        ------
        BadInput
            When the explainer is no longer there.
        """
        lay_out(self, runs[0])
        self.view, self.target_chosen = "film", True
        self.networks, self.networks_for = tuple(str(run.request["model"]) for run in runs), self.scan
        self.comparison = [run.id for run in runs]

    def study_cohort(self, study: str, preset: str, settings_of: str) -> None:
        """Ask for a study of the cohort. An equal one that ran before is found again.

        Parameters
        ----------
        study : str
            Name of the study.
        preset, settings_of : str
            First preset, and the name under which this desk keeps the study's settings.

        Raises
        ------
        LightboxError
            When it cannot be asked for.
        """
        if self.cohort is None or not self.candidates:
            return
        model, parameters = self.study_request(preset, settings_of)
        spec = StudySpec(owner=owner(), study=study, model=model, cohort=self.cohort, parameters=parameters)
        self.show_study(shelf().submit(spec))

    def study_request(self, preset: str, settings_of: str) -> tuple[str, dict[str, Any]]:
        """Model and parameters of the study that is laid out; the first network is the model, the rest others."""
        first, *others = self.candidates or ("",)
        changes = dict(self.setting(settings_of, preset).changes)
        return first, {**changes, **({"others": ",".join(others)} if others else {})}

    def show_study(self, run: str | None) -> None:
        """Show a study's result, from its beginning."""
        if run != self.study:
            self.study, self.cell, self.film, self.shown, self.class_name = run, None, None, None, None

    def adopt_study(self, run: Run, settings_of: str, preset: str) -> None:
        """Lay out a stored study: its cohort, its networks, its settings and its result."""
        parameters = dict(run.request.get("parameters") or {})
        others = str(parameters.pop("others", "") or "")
        self.view, self.cohort = "films", run.request.get("cohort")
        self.candidates = (str(run.request["model"]), *(name for name in others.split(",") if name))
        self.settings[settings_of] = Setting(preset, parameters)
        self.revision += 1
        self.show_study(run.id)

    def current_study(self) -> Run | None:
        """The study that is shown; None when there is none (any more)."""
        if self.study is None:
            return None
        try:
            return shelf().run(self.study)
        except BadInput:
            self.show_study(None)
            return None

    def open_film(self, film: str | None) -> None:
        """Show a film of the open cell with its map and filters; None puts it away."""
        self.film = film

    def open_cell(self, cell: Cell | None) -> None:
        """Show the films of a cell; the film of another cell is put away."""
        if cell != self.cell:
            self.cell, self.film = cell, None


def compare_desk() -> CompareDesk:
    """The Compare page's desk of this session."""
    return desk_of_session(_KEY, CompareDesk)
