"""One question asked of many scans: what their explanations have in common.

Espadoto et al. name the explanation of groups of samples as future work (section 5, "Limitations", and section 6): a
map of one scan shows what the model does there; the mean over scans shows what it does as a rule, and the spread where
it depends on the scan.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from core.errors import BadInput
from core.explainers.base import Explanation, MapArray
from core.explainers.run import explain
from core.models.model import Model
from core.progress import Progress, Report, part_of, silent
from core.scans.scan import Scan


@dataclasses.dataclass(frozen=True, eq=False)
class Group:
    """Explanation of a group of scans.

    Parameters
    ----------
    explanation : Explanation
        Of the first scan, with the group's arrays: ``map`` is the mean over scans, ``spread`` the standard deviation;
        its numbers are means over scans, with ``scans`` and ``relative_spread`` (spread over mean magnitude, both
        summed over the map: 0 where every scan gives the same map).
    rows : tuple of dict
        One a scan: ``scan`` (its name), ``seconds`` and the explainer's numbers.
    """

    explanation: Explanation
    rows: tuple[dict[str, Any], ...]


def explain_group(
    scans: Sequence[tuple[str, Callable[[], Scan]]],
    model: Model,
    explainer: str,
    *,
    target: str | None = None,
    region: np.ndarray | None = None,
    preset: str | None = None,
    report: Report = silent,
    **values: Any,
) -> Group:
    """Explain `model` on every scan of a group.

    Parameters
    ----------
    scans : sequence of (str, callable)
        Name and reader of each scan; they are read one at a time.
    model, explainer, target, region, preset, **values
        As in `core.explainers.explain`; the region is the same on every scan.
    report : Report
        Progress over all scans.

    Returns
    -------
    Group

    Raises
    ------
    BadInput
        No scan, scans of different shapes, and whatever `explain` refuses; names the scan.
    """
    running, rows = _Running(), []
    first: Explanation | None = None
    for number, (name, read) in enumerate(scans):
        scan = read()
        if first is not None and scan.shape != first.scan.shape:
            raise BadInput(f"The scan {name} has shape {scan.shape}, not {first.scan.shape}: a group lies on one grid.")
        part = _naming(part_of(report, number / len(scans), (number + 1) / len(scans)), number + 1, len(scans))
        found = explain(scan, model, explainer, target=target, region=region, preset=preset, report=part, **values)
        first = first or found
        running.add(found.arrays["map"].values)
        rows.append({"scan": name, "seconds": found.seconds, **found.numbers})
    if first is None:
        raise BadInput("There is no scan to explain: choose one or more.")
    return Group(_together(first, running, rows), tuple(rows))


def _naming(report: Report, number: int, count: int) -> Report:
    """Report that says which scan the work is on."""

    def named(progress: Progress) -> None:
        report(dataclasses.replace(progress, message=f"scan {number} of {count}: {progress.message}"))

    return named


class _Running:
    """Mean and variance in one pass (Welford), so that two arrays are kept however many scans there are."""

    def __init__(self) -> None:
        self._count = 0
        self._mean: np.ndarray | float = 0.0
        self._squares: np.ndarray | float = 0.0

    def add(self, values: np.ndarray) -> None:
        self._count += 1
        step = values.astype(np.float64) - self._mean
        self._mean = self._mean + step / self._count
        self._squares = self._squares + step * (values - self._mean)

    @property
    def mean(self) -> np.ndarray:
        return np.asarray(self._mean, np.float32)

    @property
    def spread(self) -> np.ndarray:
        return np.sqrt(np.asarray(self._squares) / self._count).astype(np.float32)


def _together(first: Explanation, running: _Running, rows: Sequence[Mapping[str, Any]]) -> Explanation:
    main, mean, spread = first.arrays["map"], running.mean, running.spread
    mass = float(np.abs(mean).sum())
    relative = float(spread.sum()) / mass if mass else 0.0
    title = f"{main.title}, mean of {len(rows)} scans"
    arrays = {
        **first.arrays,
        "map": dataclasses.replace(main, values=mean, title=title),
        "spread": MapArray(spread, "spread over scans", "attribution", unit=main.unit, side=main.side),
    }
    return dataclasses.replace(
        first,
        arrays=arrays,
        scores=None,
        history={},
        curves={},
        parts=None,
        regions=(),
        checks=(),
        numbers={**_means(rows), "scans": float(len(rows)), "relative_spread": relative},
        notes=(*first.notes, f"map and figures are means over {len(rows)} scans; scan and answer shown are the first"),
        sentence=_sentence(len(rows), mass, relative),
        seconds=sum(float(row["seconds"]) for row in rows),
    )


def _means(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Mean over scans of every number that all of them have."""
    shared = set.intersection(*(set(row) for row in rows)) - {"scan", "seconds"}
    return {name: float(np.mean([row[name] for row in rows])) for name in sorted(shared)}


def _sentence(count: int, mass: float, relative: float) -> str:
    scans = f"{count} scan{'s' if count > 1 else ''}"
    if not mass:
        return f"The map is zero everywhere, on all of {scans}."
    return (
        f"Mean map over {scans}; from scan to scan it varies by {relative:.0%} of its own mass, which says how far "
        "it is a rule of the model and not of one scan."
    )
