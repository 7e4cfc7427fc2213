"""What runs were asked that is not the same for all of them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.runs import Run
from core.wording import without_shared_lead
from dashboard.intake import catalogue
from dashboard.intake.catalogue import ExplainerEntry
from dashboard.results.pinned.words import model_title, scan_label, target_of

#: What a run says nothing of.
NOTHING = "–"
#: Differences that a title names; the table names all.
_MOST_IN_TITLE = 2


@dataclass(frozen=True)
class Row:
    """Something that they were asked, and how each was.

    Parameters
    ----------
    name : str
        What it is.
    values : tuple of str
        One a run, in their order; `NOTHING` where it does not apply.
    setting : bool
        A parameter of an explainer: a title names it beside its value.
    """

    name: str
    values: tuple[str, ...]
    setting: bool = False


def rows_of(runs: Sequence[Run], recorded: Sequence[Mapping[str, Any] | None]) -> tuple[Row, ...]:
    """What differs among runs, the most telling first.

    Parameters
    ----------
    runs : sequence of Run
        Explanations.
    recorded : sequence of mapping or None
        What each found, as its record says; None while there is no record.
    """
    asked = [run.request for run in runs]
    facts = [
        Row("Explainer", tuple(catalogue.explainer_title(str(one["explainer"])) for one in asked)),
        Row("Model", tuple(without_shared_lead([model_title(str(one["model"])) for one in asked]))),
        Row("Class", tuple(_target(run, record) for run, record in zip(runs, recorded, strict=True))),
        Row("Region", tuple(_short(one.get("region")) for one in asked)),
        Row("Scan", _labelled([str(one["scan"]) for one in asked])),
        Row("Scans of the group", tuple(str(1 + len(one.get("others") or ())) for one in asked)),
    ]
    return (*(row for row in facts if len(set(row.values)) > 1), *_parameters(runs, recorded))


def titles_of(runs: Sequence[Run], rows: Sequence[Row]) -> list[str]:
    """A few words for each run that set it apart from the others; when it was asked, where nothing does."""
    facts = [tuple(row.values[number] for row in rows if not row.setting) for number in range(len(runs))]
    found = []
    for number, run in enumerate(runs):
        pieces = [value for value in facts[number] if value != NOTHING]
        if facts.count(facts[number]) > 1:
            settings = [row for row in rows if row.setting and row.values[number] != NOTHING]
            pieces += [f"{row.name} {row.values[number]}" for row in settings]
        when = time.strftime("%d %b %Y, %H:%M", time.localtime(run.created))
        found.append(", ".join(pieces[:_MOST_IN_TITLE]) or when)
    return found


def _target(run: Run, record: Mapping[str, Any] | None) -> str:
    """The class that was explained: a model without one of its own is asked about what it says."""
    return (str(record["target"] or "") if record is not None else "") or target_of(run) or NOTHING


def _labelled(scans: Sequence[str]) -> tuple[str, ...]:
    """What the scans are called; two of one name are told apart by the start of their hash, as in the list of scans."""
    labels = {scan: scan_label(scan) for scan in scans}
    twins = {label for label in labels.values() if list(labels.values()).count(label) > 1}
    return tuple(labels[scan] + (f" · {scan[:4]}" if labels[scan] in twins else "") for scan in scans)


def _short(region: object) -> str:
    """The marked region that a run was asked about: regions have no names, so the start of its hash."""
    return f"region {str(region)[:4]}" if region else NOTHING


def _parameters(runs: Sequence[Run], recorded: Sequence[Mapping[str, Any] | None]) -> list[Row]:
    """Parameters that differ among runs of one explainer, or that somebody changed in one of a kind alone."""
    entries = catalogue.explainer_entries()
    names = [str(run.request["explainer"]) for run in runs]
    # a record says what "auto" came to, a request does not: what is not finished is held against what was asked
    open_ends = {name for name, record in zip(names, recorded, strict=True) if record is None}
    known = [None if name in open_ends else record for name, record in zip(names, recorded, strict=True)]
    values = [_values(run, record, entries.get(name)) for run, record, name in zip(runs, known, names, strict=True)]
    rows: list[Row] = []
    for explainer in dict.fromkeys(names):
        entry, kind = entries.get(explainer), [number for number, name in enumerate(names) if name == explainer]
        for name in dict.fromkeys(name for number in kind for name in values[number]):
            found = {number: shown(values[number].get(name)) for number in kind if name in values[number]}
            changed = any(name in (runs[number].request.get("parameters") or {}) for number in kind)
            if len(set(found.values())) > 1 or (len(kind) == 1 and len(set(names)) > 1 and changed):
                title = _title(entry, name)
                rows.append(Row(title, tuple(found.get(number, NOTHING) for number in range(len(runs))), setting=True))
    return rows


def _values(run: Run, record: Mapping[str, Any] | None, entry: ExplainerEntry | None) -> dict[str, Any]:
    """What a run ran with; before it has a record, what follows from its request."""
    if record is not None:
        return dict(record["parameters"])
    asked = run.request
    known = entry.values(asked.get("preset") or entry.first_preset) if entry is not None else {}
    return {**known, **(asked.get("parameters") or {})}


def _title(entry: ExplainerEntry | None, name: str) -> str:
    controls = entry.controls if entry is not None else ()
    return next((control.label for control in controls if control.name == name), name.replace("_", " "))


def shown(value: Any) -> str:
    """A value of a parameter for a table."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int | float):
        return f"{value:.4g}"
    if value is None or value == "":
        return "none"
    if isinstance(value, list | tuple):
        return ", ".join(shown(one) for one in value) or "none"
    return str(value)
