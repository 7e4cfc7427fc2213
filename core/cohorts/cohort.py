"""A cohort: scans with labels, subjects and sessions, and how its subjects are divided.

`core.cohorts.reading` reads one from a folder; phantoms are made by a program.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from core.errors import BadInput
from core.scans.scan import Scan

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Entry:
    """One session of one subject.

    Parameters
    ----------
    participant_id, session_id : str
        Who and when, as the cohort names them.
    label : str
        Class, from the label column.
    file : str
        Path inside the cohort folder; empty for phantoms.
    split : str
        ``train``, ``validation``, ``test``, or empty where the cohort leaves it open.
    pair : str
        Subjects of one pair differ in their label and nothing else; they are trained side by side.
    details : dict of str to str
        The other columns (age, years_of_disease ...).
    landmarks : str
        Path of its landmarks' label image inside the cohort folder; empty where it has none.
    """

    participant_id: str
    session_id: str
    label: str
    file: str = ""
    split: str = ""
    pair: str = ""
    details: dict[str, str] = field(default_factory=dict, hash=False)
    landmarks: str = ""

    @property
    def group(self) -> str:
        """What must stay on one side of a split: the pair, or the subject."""
        return self.pair or self.participant_id


@dataclass(frozen=True)
class Truth:
    """Where the disease was planted: label volume (uint8, 0 elsewhere) and the name of label k at ``names[k - 1]``."""

    labels: Scan
    names: tuple[str, ...]


def no_landmarks(entry: Entry) -> dict[str, np.ndarray]:
    """Landmarks of a cohort that has none."""
    return {}


@dataclass(frozen=True, eq=False)
class Cohort:
    """Entries and how to read what belongs to one.

    Parameters
    ----------
    name : str
        The folder's, or what made it.
    entries : tuple of Entry
        Who is in it.
    load : callable
        Reads the scan of an entry.
    truth : Truth, optional
        Where a disease was planted, the same for all.
    left_out : tuple of str
        Whom the table names without a scan.
    landmarks : callable
        Entry → name → where that landmark is on its film (bool, the film's spatial shape); only those it has.
    title : str
        For people.
    synthetic : bool
        Made by a program and of nobody.
    notes : tuple of str
        Sentences on what was left out on reading, counted.
    """

    name: str
    entries: tuple[Entry, ...]
    load: Callable[[Entry], Scan]
    truth: Truth | None = None
    left_out: tuple[str, ...] = ()
    landmarks: Callable[[Entry], dict[str, np.ndarray]] = no_landmarks
    title: str = ""
    synthetic: bool = False
    notes: tuple[str, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """Labels, in order of first appearance."""
        return tuple(dict.fromkeys(entry.label for entry in self.entries))

    def part(self, split: str) -> tuple[Entry, ...]:
        """Entries of one split."""
        return tuple(entry for entry in self.entries if entry.split == split)

    def of_class(self, label: str) -> tuple[Entry, ...]:
        """Entries of one class.

        Raises
        ------
        BadInput
            When it has none; lists the classes that have.
        """
        found = tuple(entry for entry in self.entries if entry.label == label)
        if not found:
            raise BadInput(f"The class {label!r} has no film here; there are films of {', '.join(self.classes)}.")
        return found


def split_by_subject(cohort: Cohort, validation: float, test: float, seed: int, one_session: bool = True) -> Cohort:
    """Give every entry without a split one, whole subjects (and pairs) at a time, each class in the same shares.

    A cohort that comes with splits keeps them. Validation and test keep one session of each subject, the first,
    or all of them without `one_session` (films of different parts of a body).
    """
    entries = list(cohort.entries)
    open_ones = [entry for entry in entries if not entry.split]
    assigned: dict[str, str] = {}
    for groups in _groups_by_label(open_ones, seed).values():
        held_out = [round(share * len(groups)) for share in (validation, test)]
        for index, group in enumerate(groups):
            late = index - held_out[0]
            assigned[group] = "validation" if late < 0 else "test" if late < held_out[1] else "train"
    entries = [entry if entry.split else replace(entry, split=assigned[entry.group]) for entry in entries]
    _refuse_shared_subjects(entries)
    return replace(cohort, entries=tuple(_one_session_when_held_out(entries) if one_session else entries))


def folds(cohort: Cohort, count: int, seed: int) -> list[Cohort]:
    """The cohort split `count` times, every subject in the test part once; the rest is for training.

    Raises
    ------
    BadInput
        When a class has fewer subjects than there are folds.
    """
    fold_of: dict[str, int] = {}
    for label, groups in _groups_by_label(cohort.entries, seed).items():
        if len(groups) < count:
            raise BadInput(f"{count} folds need {count} subjects of each class and {label} has {len(groups)}.")
        fold_of |= {group: index % count for index, group in enumerate(groups)}
    made = []
    for fold in range(count):
        entries = [
            replace(entry, split="test" if fold_of[entry.group] == fold else "train") for entry in cohort.entries
        ]
        made.append(replace(cohort, entries=tuple(_one_session_when_held_out(entries))))
    return made


def _groups_by_label(entries: Iterable[Entry], seed: int) -> dict[str, list[str]]:
    """Groups in shuffled order under the label of their first entry."""
    label_of: dict[str, str] = {}
    for entry in entries:
        label_of.setdefault(entry.group, entry.label)
    random = np.random.default_rng(seed)
    shuffled = random.permutation(sorted(label_of))
    return {
        label: [str(group) for group in shuffled if label_of[str(group)] == label]
        for label in dict.fromkeys(label_of.values())
    }


def _one_session_when_held_out(entries: Sequence[Entry]) -> list[Entry]:
    seen: set[str] = set()
    kept = []
    for entry in entries:
        if entry.split == "train" or entry.participant_id not in seen:
            kept.append(entry)
        seen.add(entry.participant_id)
    return kept


def _refuse_shared_subjects(entries: Sequence[Entry]) -> None:
    split_of: dict[str, str] = {}
    for entry in entries:
        if split_of.setdefault(entry.participant_id, entry.split) != entry.split:
            raise BadInput(f"The sessions of {entry.participant_id} are in different splits: keep each subject in one.")
