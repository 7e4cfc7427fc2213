"""A cohort: scans with labels, subjects and sessions; a folder with ``participants.tsv``, or phantoms."""

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from core.errors import BadInput
from core.scans.scan import Scan

SPLITS = ("train", "validation", "test")
_TRUTH = "planted_regions"


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
    """

    participant_id: str
    session_id: str
    label: str
    file: str = ""
    split: str = ""
    pair: str = ""
    details: dict[str, str] = field(default_factory=dict, hash=False)

    @property
    def group(self) -> str:
        """What must stay on one side of a split: the pair, or the subject."""
        return self.pair or self.participant_id


@dataclass(frozen=True)
class Truth:
    """Where the disease was planted: label volume (uint8, 0 elsewhere) and the name of label k at ``names[k - 1]``."""

    labels: Scan
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Cohort:
    """Entries, how to read the scan of one, and whom the table names without a scan (`left_out`)."""

    name: str
    entries: tuple[Entry, ...]
    load: Callable[[Entry], Scan]
    truth: Truth | None = None
    left_out: tuple[str, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """Labels, in order of first appearance."""
        return tuple(dict.fromkeys(entry.label for entry in self.entries))

    def part(self, split: str) -> tuple[Entry, ...]:
        """Entries of one split."""
        return tuple(entry for entry in self.entries if entry.split == split)


def read_cohort(folder: Path, label_column: str = "diagnosis", subject_column: str = "participant_id") -> Cohort:
    """Read ``participants.tsv`` (or ``.csv``) of `folder`.

    One row is one session: the subject column, the label column, and where they exist ``session_id``, ``file``,
    ``split`` and ``pair``. Without ``file`` the scan is looked for as ``participant_id[/session_id]/*.nii[.gz]`` or
    ``participant_id[_session_id]*.nii[.gz]``. Rows whose scan is not there are left out and named in `Cohort.left_out`.

    Raises
    ------
    BadInput
        No table, a missing column, fewer than two classes with scans, a scan that lies outside the folder.
    """
    rows = _read_table(folder)
    for parameter, column in (("subject_column", subject_column), ("label_column", label_column)):
        if column not in rows[0]:
            raise BadInput(
                f"The participants table has no column {column!r}; it has {', '.join(rows[0])}: "
                f"name the right one with --param {parameter}=NAME."
            )
    known = {subject_column, "session_id", "file", "split", "pair", label_column}
    entries: list[Entry] = []
    left_out: list[str] = []
    for row in rows:
        participant, session = row[subject_column], row.get("session_id", "")
        if not row[label_column]:
            continue
        if row.get("split", "") not in (*SPLITS, ""):
            raise BadInput(
                f"The split of {participant} is {row['split']!r}: use {', '.join(SPLITS)} or leave it empty."
            )
        file = _find_scan(folder, participant, session, row.get("file", ""))
        if file is None:
            left_out.append(f"{participant} {session}".strip())
            continue
        entries.append(
            Entry(
                participant_id=participant,
                session_id=session,
                label=row[label_column],
                file=file,
                split=row.get("split", ""),
                pair=row.get("pair", ""),
                details={key: value for key, value in row.items() if key not in known},
            )
        )
    if not entries and left_out:
        raise BadInput(
            f"None of the {len(left_out)} scans in the table is in the cohort folder (first: {left_out[0]})."
        )
    cohort = Cohort(
        folder.name, tuple(entries), lambda entry: _load(folder / entry.file), _read_truth(folder), tuple(left_out)
    )
    if len(cohort.classes) < 2:
        raise BadInput(
            f"The column {label_column!r} has {len(cohort.classes)} class(es): a classifier needs two or more."
        )
    return cohort


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


def _read_table(folder: Path) -> list[dict[str, str]]:
    for name, delimiter in (("participants.tsv", "\t"), ("participants.csv", ",")):
        path = folder / name
        if path.is_file():
            try:
                with path.open(encoding="utf-8-sig", newline="") as file:
                    table = csv.DictReader(file, delimiter=delimiter)
                    rows = [{str(k): (v or "").strip() for k, v in row.items() if k is not None} for row in table]
            except (UnicodeDecodeError, csv.Error) as error:
                raise BadInput(
                    f"{name} is not a text table in UTF-8: export it again as tab-separated text."
                ) from error
            if not rows:
                raise BadInput(f"{name} has no rows.")
            return rows
    raise BadInput(f"{folder.name} is not a cohort folder: it has no participants.tsv.")


def _find_scan(folder: Path, participant: str, session: str, file: str) -> str | None:
    if file:
        candidates = [folder / file]
    else:
        nested = folder / participant / session
        stem = f"{participant}_{session}" if session else participant
        candidates = sorted([*nested.glob("*.nii"), *nested.glob("*.nii.gz")])
        candidates += [folder / f"{stem}{suffix}" for suffix in (".nii.gz", ".nii")]
        candidates += sorted([*folder.glob(f"{stem}_*.nii"), *folder.glob(f"{stem}_*.nii.gz")])
    root = folder.resolve()
    for candidate in candidates:
        if candidate.is_file():
            if not candidate.resolve().is_relative_to(root):
                raise BadInput(f"The scan of {participant} lies outside the cohort folder: copy it in.")
            return candidate.relative_to(folder).as_posix()
    return None


def _load(path: Path) -> Scan:
    from core.scans import load_scan

    return load_scan(path)


def _read_truth(folder: Path) -> Truth | None:
    path, names = folder / f"{_TRUTH}.nii.gz", folder / f"{_TRUTH}.tsv"
    if not (path.is_file() and names.is_file()):
        return None
    with names.open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file, delimiter="\t"), key=lambda row: int(row["index"]))
    return Truth(_load(path), tuple(row["name"] for row in rows))
