"""What stands side by side: runs with their results, each with a letter and a title that says what sets it apart."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

import numpy as np

from core.errors import BadInput
from core.reports.explanation import StoredArray, StoredExplanation
from core.runs import ExplanationSpec, Run, Status
from core.scans.grid import Grid
from dashboard.compare.side_by_side.settings import Row, rows_of, titles_of
from dashboard.desk import shelf
from dashboard.results.pinned.words import target_of

#: Runs that stand beside each other.
FEWEST, MOST = 2, 9


@dataclass(frozen=True, eq=False)
class Member:
    """One of the runs.

    Parameters
    ----------
    letter, title : str
        What it is called in images and tables; what sets it apart from the others.
    run : Run
        Its row of the store.
    explanation : StoredExplanation, optional
        Its result, once it is there.
    grid : Grid
        Of its scan.
    """

    letter: str
    title: str
    run: Run
    explanation: StoredExplanation | None
    grid: Grid

    @property
    def scan(self) -> str:
        """Content hash of its scan."""
        return str(self.run.request["scan"])

    @property
    def name(self) -> str:
        """Letter and title."""
        return f"{self.letter} · {self.title}"

    @property
    def target(self) -> str:
        """Class that it explains; empty for a regressor."""
        return (self.explanation.target if self.explanation is not None else None) or target_of(self.run)

    @property
    def main(self) -> StoredArray:
        """Its map; only of one that has a result."""
        assert self.explanation is not None
        return self.explanation.arrays["map"]

    @property
    def empty(self) -> bool:
        """Whether its map says nothing anywhere."""
        return not np.any(self.main.values != self.main.neutral)

    @property
    def withheld(self) -> bool:
        """Whether it came to no result: its map is neither drawn nor compared."""
        return self.explanation is not None and self.explanation.verdict.withheld

    @property
    def refused(self) -> tuple[str, ...]:
        """Why its model cannot read its scan; empty where it can."""
        found = self.explanation.acceptance if self.explanation is not None else None
        return found.reasons if found is not None and found.refused else ()

    @property
    def in_mni_space(self) -> bool:
        """Whether its scan was found to lie in MNI space."""
        found = self.explanation.acceptance if self.explanation is not None else None
        return found is not None and found.in_mni_space is True


@dataclass(frozen=True, eq=False)
class Comparison:
    """All of them, and what differs.

    Parameters
    ----------
    members : tuple of Member
        In their order.
    rows : tuple of Row
        What they were asked that is not the same for all.
    """

    members: tuple[Member, ...]
    rows: tuple[Row, ...]

    @property
    def finished(self) -> tuple[Member, ...]:
        """Those that ran to their end."""
        return tuple(member for member in self.members if member.explanation is not None)

    @property
    def done(self) -> tuple[Member, ...]:
        """Those whose maps are compared: finished, and with a result that a picture may be made of."""
        return tuple(member for member in self.finished if not member.withheld)

    @property
    def scans(self) -> tuple[str, ...]:
        """Content hashes of their scans, each once."""
        return tuple(dict.fromkeys(member.scan for member in self.members))


def comparison_of(runs: Sequence[Run]) -> Comparison:
    """The runs with their results and titles.

    Raises
    ------
    BadInput
        When a scan is no longer there.
    """
    found = [shelf().explanation(run.id) if run.status is Status.DONE else None for run in runs]
    rows = rows_of(runs, [one.record if one is not None else None for one in found])
    titles = titles_of(runs, rows)
    members = tuple(
        Member(letter, title, run, explanation, _grid(str(run.request["scan"])))
        for letter, title, run, explanation in zip(ascii_uppercase, titles, runs, found, strict=False)
    )
    return Comparison(members, rows)


def why_not(runs: Sequence[Run]) -> str | None:
    """Why these runs cannot stand side by side, as a sentence; None where they can.

    Raises
    ------
    BadInput
        When a scan is no longer there.
    """
    if any(run.kind != ExplanationSpec.kind for run in runs):
        return "Only explanations are put side by side: studies and trainings have pages of their own."
    if len({run.id for run in runs}) < FEWEST:
        return "It takes two results to compare: tick or pin another one."
    if len(runs) > MOST:
        return f"At most {MOST} results stand side by side, and these are {len(runs)}: leave some out."
    if len({len(_grid(str(run.request["scan"])).shape) for run in runs}) > 1:
        return "Some of these results are of volumes and some of single images: compare those of one kind."
    return None


def check(runs: Sequence[Run]) -> None:
    """Refuse runs that cannot stand side by side.

    Raises
    ------
    BadInput
        With the reason.
    """
    reason = why_not(runs)
    if reason is not None:
        raise BadInput(reason)


def by_letter(members: Iterable[Member]) -> Mapping[str, Member]:
    """Members by their letters."""
    return {member.letter: member for member in members}


def _grid(scan: str) -> Grid:
    meta: Mapping[str, Any] = shelf().scan_meta(scan)
    return Grid(tuple(int(n) for n in meta["shape"][1:]), np.asarray(meta["affine"], dtype=np.float64))
