"""The studies there are, as a form needs them. Readable without torch."""

from dataclasses import dataclass, replace

from core.cohorts.selection import Selection
from core.studies import studies
from dashboard.intake.catalogue import ExplainerEntry
from dashboard.intake.controls.declared import UNGROUPED, Control, read_schema


@dataclass(frozen=True)
class StudyEntry:
    """A study as a screen sees it.

    Parameters
    ----------
    name, title, summary : str
        As the study says.
    needs_cohort : bool
        Whether it cannot make scans of its own.
    task : str
        Of the models that it asks; empty: any.
    settings : ExplainerEntry
        Its parameters in the form that explainers' have (one panel draws both), without those that a page sets by other
        means: further models, a marked region, how a cohort is read.
    models : str, optional
        Parameter that names further models; None where it asks one.
    region : str, optional
        Parameter that takes a marked region; None where there is none.
    """

    name: str
    title: str
    summary: str
    needs_cohort: bool
    task: str
    settings: ExplainerEntry
    models: str | None = None
    region: str | None = None


def study_titles() -> dict[str, str]:
    """Title of every study by name, of the product and of plug-ins."""
    return {name: cls.title for name, cls in studies().items()}


def study_entry(name: str) -> StudyEntry | None:
    """A study by name; None for one that is no longer there."""
    cls = studies().get(name)
    if cls is None:
        return None
    told = cls.describe()
    controls = read_schema(told["parameters"])
    picked = {control.picks: control.name for control in controls}
    elsewhere = {picked.get("models"), picked.get("region")}
    if issubclass(cls.parameters_model, Selection):
        elsewhere |= set(Selection.model_fields)
    settings = ExplainerEntry(
        name=settings_key(name),
        title=told["title"],
        summary=told["summary"],
        reference=told["reference"],
        presets=told["presets"],
        preset_help=told["preset_help"],
        controls=tuple(_plain(control) for control in controls if control.name not in elsewhere),
    )
    return StudyEntry(
        name, told["title"], told["summary"], told["needs_cohort"], told["task"], settings,
        picked.get("models"), picked.get("region"),
    )  # fmt: skip


def _plain(control: Control) -> Control:
    """Without the heading of those that were put into no group: on these pages there is nothing above them."""
    return replace(control, group="") if control.group == UNGROUPED else control


def settings_key(study: str) -> str:
    """Under which name a desk keeps a study's settings."""
    return f"study {study}"
