"""Tables of a result, as rows that leave as CSV."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from core.reports.explanation import StoredExplanation
from dashboard.results.landmarks import overlaps_with

Rows = Sequence[Mapping[str, Any]]


def tables_of(scan: str, explanation: StoredExplanation) -> dict[str, Rows]:
    """Those that have rows: name → rows.

    Parameters
    ----------
    scan : str
        Content hash, for its landmarks.
    explanation : StoredExplanation
        The result; regions and landmarks are not told of one that is withheld, regions not where the model cannot
        read the scan either: the page does not name them.
    """
    refused = explanation.acceptance is not None and explanation.acceptance.refused
    withheld = explanation.verdict.withheld
    caution = {"caution": explanation.caution} if explanation.caution else {}
    found: dict[str, Rows] = {
        "regions": [] if refused or withheld else [{**row, **caution} for row in explanation.regions],
        "landmarks": [] if withheld else _landmarks(scan, explanation, caution),
        "checks": explanation.checks,
        "probabilities": [{**row, **caution} for row in _probabilities(explanation)],
        "history": _history(explanation.history),
    }
    return {name: rows for name, rows in found.items() if rows}


def _landmarks(scan: str, explanation: StoredExplanation, caution: Mapping[str, str]) -> Rows:
    found = overlaps_with(scan, str(explanation.arrays["map"].path))
    names = {"name": "landmark", "share": "share of the map", "area": "share of the scan"}
    return [{**{names.get(key, key): value for key, value in asdict(one).items()}, **caution} for one in found]


def _probabilities(explanation: StoredExplanation) -> Rows:
    scores = explanation.scores or {}
    before, after = scores.get("before") or {}, scores.get("after") or {}
    return [{"class": name, "before": value, "after": after.get(name)} for name, value in before.items()]


def _history(history: Mapping[str, Sequence[float | None]]) -> Rows:
    length = max(map(len, history.values()), default=0)
    steps = range(length)
    return [{name: values[at] if at < len(values) else None for name, values in history.items()} for at in steps]
