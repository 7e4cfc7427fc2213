"""One question asked of many scans, one at a time, and what their explanations have in common.

Espadoto et al. name the explanation of groups of samples as future work (section 5, "Limitations", and section 6): a
map of one scan shows what the model does there; the mean over scans shows what it does as a rule, and the spread where
it depends on the scan.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import numpy as np

from core.acceptance.many import Refusals, as_row, with_refusals
from core.acceptance.verdict import Acceptance
from core.errors import BadInput
from core.explainers.base import Explanation, MapArray
from core.metrics.running import RunningImage
from core.progress import Progress, Report, part_of, silent

if TYPE_CHECKING:
    from core.models.model import Model
    from core.scans.scan import Scan

_Given = TypeVar("_Given")
_Found = TypeVar("_Found")

#: What rows hold that there is no mean of.
_NO_FIGURES = {"scan", "seconds", "acceptance", "reason"}
#: What becomes of the others when one cannot be asked about: all stop, or it is skipped and said.
Failures = Literal["stop", "skip"]


@dataclasses.dataclass(frozen=True, eq=False)
class Asked(Generic[_Found]):
    """What came of one of many.

    Parameters
    ----------
    number : int
        Its place among all, from 0.
    name : str
        What it is called.
    answer : Any
        What was found; None where it could not be asked about.
    problem : str
        Why not, as a sentence; empty where there is an answer.
    """

    number: int
    name: str
    answer: _Found | None
    problem: str = ""


def over_many(
    items: Sequence[tuple[str, Callable[[], _Given]]],
    ask: Callable[[_Given, Report], _Found],
    *,
    report: Report = silent,
    failures: Failures = "stop",
    word: str = "scan",
) -> Iterator[Asked[_Found]]:
    """Read one after another, ask about each, and forget it: memory does not grow with their number.

    Parameters
    ----------
    items : sequence of (str, callable)
        Name and reader of each.
    ask : callable
        (what was read, report) → what was found. The report counts for this one from 0 to 1, and says its place before
        every message ("scan 2 of 9: …"). It may raise `core.errors.Cancelled`, which ends everything.
    report : Report
        Progress over all.
    failures : {"stop", "skip"}
        Whether one that cannot be read or asked about ends everything, or only has no answer.
    word : str
        What one is called.

    Yields
    ------
    Asked

    Raises
    ------
    BadInput
        When one cannot be read or asked about and `failures` is ``"stop"``; begins with its name.
    """
    for number, (name, read) in enumerate(items):
        part = part_of(report, number / len(items), (number + 1) / len(items))
        told = _placed(part, f"{word} {number + 1} of {len(items)}")
        try:
            answer = ask(read(), told)
        except BadInput as error:
            if failures == "stop":
                raise BadInput(f"{name}: {error}") from error
            yield Asked(number, name, None, str(error))
        else:
            yield Asked(number, name, answer)
            del answer  # the next one is read while nothing of this one is kept here


def _placed(report: Report, place: str) -> Report:
    """Report that says which one the work is on."""

    def placed(progress: Progress) -> None:
        report(dataclasses.replace(progress, message=f"{place}: {progress.message}"))

    return placed


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
        One a scan: ``scan`` (its name), ``seconds``, ``acceptance`` and ``reason`` (whether the model can read it, and
        why not), and the explainer's numbers.
    left_out : tuple of (str, str)
        Scans that could not be explained, each with the reason.
    """

    explanation: Explanation
    rows: tuple[dict[str, Any], ...]
    left_out: tuple[tuple[str, str], ...] = ()


def explain_group(
    scans: Sequence[tuple[str, Callable[[], Scan]]],
    model: Model,
    explainer: str,
    *,
    target: str | None = None,
    region: np.ndarray | None = None,
    preset: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    report: Report = silent,
    failures: Failures = "stop",
    **values: Any,
) -> Group:
    """Explain `model` on every scan of a group.

    Parameters
    ----------
    scans : sequence of (str, callable)
        Name and reader of each scan; they are read one at a time.
    model, explainer, target, region, preset, parameters, **values
        As in `core.explainers.explain`; the region is the same on every scan.
    report : Report
        Progress over all scans.
    failures : {"stop", "skip"}
        As in `over_many`; a scan that is left out is named in the warnings.

    Returns
    -------
    Group

    Raises
    ------
    BadInput
        No scan, scans of different shapes, and whatever `explain` refuses; names the scan.
    """
    from core.explainers.run import Asker  # torch, which listing studies does without

    asker = Asker(model, explainer, target=target, preset=preset, parameters={**(parameters or {}), **values})
    running, rows, left_out = RunningImage(), [], []
    first: Explanation | None = None
    accepted: list[Acceptance] = []

    def ask(scan: Scan, told: Report) -> Explanation:
        if first is not None and scan.shape != first.scan.shape:
            raise BadInput(f"The scan has shape {scan.shape}, not {first.scan.shape}: a group lies on one grid.")
        return asker.explain(scan, region, told, ranked=first is None)

    for asked in over_many(scans, ask, report=report, failures=failures):
        if asked.answer is None:
            left_out.append((asked.name, asked.problem))
            continue
        found = asked.answer
        first = first or found
        running.add(found.arrays["map"].values)
        said = found.acceptance or Acceptance("unknown")
        accepted.append(said)
        rows.append({"scan": asked.name, "seconds": found.seconds, **as_row(said), **found.numbers})
    if first is None:
        if left_out:
            name, problem = left_out[0]
            raise BadInput(f"None of the scans could be explained. {name}: {problem}")
        raise BadInput("There is no scan to explain: choose one or more.")
    refusals = Refusals.of(model.card.title, rows)
    found = dataclasses.replace(_together(first, running, rows, left_out), acceptance=_of_most(accepted, refusals))
    sentence = with_refusals(found.sentence, [refusals])
    notes = (*found.warnings, *refusals.notes()) if refusals.reasons else found.warnings
    return Group(dataclasses.replace(found, sentence=sentence, warnings=notes), tuple(rows), tuple(left_out))


def _of_most(accepted: Sequence[Acceptance], refusals: Refusals) -> Acceptance:
    """What is said of the group: what is said of the first of most of its scans."""
    return next((one for one in accepted if one.refused == refusals.most), accepted[0])


def _together(
    first: Explanation,
    running: RunningImage,
    rows: Sequence[Mapping[str, Any]],
    left_out: Sequence[tuple[str, str]],
) -> Explanation:
    main, mean, spread = first.arrays["map"], running.mean, running.spread
    assert mean is not None and spread is not None
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
        on_model_grid=None,
        regions=(),
        checks=(),
        numbers={**_means(rows), "scans": float(len(rows)), "relative_spread": relative},
        notes=(*first.notes, f"map and figures are means over {len(rows)} scans; scan and answer shown are the first"),
        warnings=(*first.warnings, *(f"the scan {name} was left out: {problem}" for name, problem in left_out)),
        sentence=_sentence(len(rows), mass, relative),
        technical="",
        seconds=sum(float(row["seconds"]) for row in rows),
    )


def _means(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Mean over scans of every number that all of them have."""
    shared = set.intersection(*(set(row) for row in rows)) - _NO_FIGURES
    return {name: float(np.mean([row[name] for row in rows])) for name in sorted(shared)}


def _sentence(count: int, mass: float, relative: float) -> str:
    scans = f"{count} scan{'s' if count > 1 else ''}"
    if not mass:
        return f"The map is zero everywhere, on all of {scans}."
    return (
        f"Mean map over {scans}; from scan to scan it varies by {relative:.0%} of its own mass, which says how far "
        "it is a rule of the model and not of one scan."
    )
