"""What is laid out on the Study page: a study, a cohort, models, and a place in a result."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.cohorts.selection import as_names
from core.errors import BadInput
from core.runs import Run, StudySpec
from dashboard.desk import Desk, Setting, desk_of_session, shelf
from dashboard.intake.studies import StudyEntry, settings_key

_KEY = "study desk"


@dataclass(frozen=True)
class Place:
    """A place in a result: of a table (name, row, column) or of a matrix (name, row's and column's label)."""

    part: str
    row: str
    column: str


@dataclass
class StudyDesk(Desk):
    """A desk for any study.

    Parameters
    ----------
    study : str, optional
        Name of the study.
    cohort : str, optional
        Name of a cohort of the library; None lets the study make its own scans.
    models : tuple of str, optional
        Library names, the first is the study's model; None: what suits the cohort.
    region : str, optional
        Content hash of the stored region that the study reads.
    shown : str, optional
        Run whose result is shown.
    table, group : str, optional
        Table and group of maps that are shown of it.
    cell : Place, optional
        Cell of a matrix whose rows are shown.
    opened : Place, optional
        Cell of a table whose explanation is open.
    """

    page: str = "study"
    study: str | None = None
    cohort: str | None = None
    models: tuple[str, ...] | None = None
    region: str | None = None
    shown: str | None = None
    table: str | None = None
    group: str | None = None
    cell: Place | None = None
    opened: Place | None = None
    #: the person chose the cohort, or that there is none; otherwise it is the library's first
    cohort_chosen: bool = False
    #: what was opened → the run that explains it
    explained: dict[Hashable, str] = field(default_factory=dict)

    def forget(self, run: str) -> None:
        """Drop a run that was deleted."""
        super().forget(run)
        self.explained = {place: known for place, known in self.explained.items() if known != run}
        if self.shown == run:
            self.show_result(None)

    def start(self, entry: StudyEntry) -> None:
        """Ask for the study that is laid out. An equal one that ran before is found again.

        Raises
        ------
        LightboxError
            When it cannot be asked for.
        """
        if self.models:
            spec = StudySpec(study=entry.name, **self.request(entry))
            self.show_result(shelf().submit(spec))

    def request(self, entry: StudyEntry) -> dict[str, Any]:
        """The fields of the request, beside the study's name."""
        first, *others = self.models or ("",)
        setting = self.setting(entry.settings.name, entry.settings.first_preset)
        preset = setting.preset if setting.preset != entry.settings.first_preset else None
        parameters = dict(setting.changes)
        if entry.models is not None and others:
            parameters[entry.models] = ",".join(others)
        region = self.region if entry.region is not None else None
        chosen = {"preset": preset, "parameters": parameters, "region": region}
        return {"model": first, "cohort": self.cohort, **chosen}

    def show_result(self, run: str | None) -> None:
        """Show a run, from the beginning of its result."""
        if run != self.shown:
            self.shown, self.table, self.group, self.cell, self.opened = run, None, None, None, None

    def adopt(self, run: Run, entry: StudyEntry | None) -> None:
        """Lay out a stored study: cohort, models, settings and result."""
        request: Mapping[str, Any] = run.request
        parameters = dict(request.get("parameters") or {})
        name = str(request["study"])
        others = as_names(parameters.pop(entry.models if entry is not None and entry.models else "others", ()) or ())
        self.study, self.cohort, self.region = name, request.get("cohort"), request.get("region")
        self.cohort_chosen = True
        self.models = (str(request["model"]), *others)
        first = entry.settings.first_preset if entry is not None else "default"
        self.settings[settings_key(name)] = Setting(request.get("preset") or first, parameters)
        self.revision += 1
        self.show_result(run.id)

    def current(self) -> Run | None:
        """The run that is shown; None when there is none (any more)."""
        if self.shown is None:
            return None
        try:
            return shelf().run(self.shown)
        except BadInput:
            self.show_result(None)
            return None

    def open_rows(self, cell: Place | None, table: str | None) -> None:
        """Show the rows of a table that a cell of a matrix stands for; None shows all."""
        self.cell, self.opened = cell, None
        if table is not None:
            self.table = table


def study_desk() -> StudyDesk:
    """The Study page's desk of this session."""
    return desk_of_session(_KEY, StudyDesk)
