"""Reading a cohort from a folder: a table with one row a session, or one folder of images a class."""

import csv
import glob
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from core.cohorts.cohort import SPLITS, Cohort, Entry, Truth
from core.cohorts.landmark_labels import read_landmark_names, read_landmarks
from core.cohorts.selection import Selection, read_cohort_card
from core.errors import BadInput
from core.scans.scan import Scan

_TABLES = ("participants.tsv", "participants.csv")
_IMAGE_ENDINGS = (".nii.gz", ".nii", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".dcm")
_TRUTH = "planted_regions"
_NAMED = 5


def read_cohort(folder: Path, selection: Selection | None = None) -> Cohort:
    """Read the cohort of `folder`.

    With a table (``participants.tsv``, ``participants.csv``, or the one that `selection` names) one row is one session:
    the subject column, the label column, and where they exist ``session_id``, ``file``, ``split``, ``pair`` and
    ``landmarks``. Without ``file`` the scan is looked for as ``participant_id[/session_id]/*.nii[.gz]`` or
    ``participant_id[_session_id]*.nii[.gz]``, or as a picture ``participant_id[_session_id].png`` (.jpg, .tif, .dcm).

    Without a table, folders of images are classes: ``CLASS/anything.png`` is a scan of CLASS, and every file a subject
    of its own.

    Parameters
    ----------
    folder : pathlib.Path
        The cohort's.
    selection : Selection, optional
        How to read it; what it leaves open is as ``cohort.yaml`` says, and else the usual.

    Returns
    -------
    Cohort
        What was left out (rows without a class or a subject, with several classes or a scan named before, excluded and
        small classes, scans that are not there) is told in its `notes`; rows whose scan is not there are also named in
        `left_out`.

    Raises
    ------
    BadInput
        No table and no folders of images, a missing column, fewer than two classes with scans, a scan or landmarks
        that lie outside the folder, one scan in two classes. Loading an entry names the file that cannot be read.
    """
    card = read_cohort_card(folder)
    chosen = (selection or Selection()).selection.over(card.selection).over(Selection.usual())
    table = _find_table(folder, chosen)
    if table is not None:
        found, missing, notes = _entries_of_table(folder, table, chosen)
    else:
        found, missing, notes = _entries_of_folders(folder, chosen), [], []
    entries, dropped = _keep_classes(found, chosen)
    names = read_landmark_names(folder)

    def load(entry: Entry) -> Scan:
        try:
            return _load(folder / entry.file)
        except BadInput as error:
            raise BadInput(f"{entry.file}: {error}") from error

    def landmarks(entry: Entry) -> dict[str, np.ndarray]:
        if not entry.landmarks:
            return {}
        return read_landmarks(folder / entry.landmarks, load(entry), names, entry.participant_id)

    cohort = Cohort(
        folder.name,
        tuple(entries),
        load,
        _read_truth(folder),
        tuple(missing),
        landmarks,
        card.title or folder.name,
        card.synthetic,
        (*notes, *dropped),
    )
    if len(cohort.classes) < 2:
        where = f"The column {chosen.label_column!r}" if table is not None else f"The folder {folder.name}"
        raise BadInput(f"{where} has {len(cohort.classes)} class(es): a classifier needs two or more.")
    return cohort


# ---- a table


def _find_table(folder: Path, chosen: Selection) -> Path | None:
    """The table; None where there is none and none was asked for."""
    if not chosen.table:
        return next((folder / name for name in _TABLES if (folder / name).is_file()), None)
    path = folder / chosen.table
    if not _is_there(path.is_file) or not path.resolve().is_relative_to(folder.resolve()):
        raise BadInput(f"The cohort folder holds no table {chosen.table}: name one that is in it with table=NAME.")
    return path


def _entries_of_table(folder: Path, table: Path, chosen: Selection) -> tuple[list[Entry], list[str], list[str]]:
    """Entries, rows without a scan, and sentences on what was left out."""
    images = _images_folder(folder, chosen)
    rows = _read_table(table)
    for parameter in ("subject_column", "label_column"):
        column = getattr(chosen, parameter)
        if column not in rows[0]:
            raise BadInput(
                f"The participants table has no column {column!r}; it has {', '.join(rows[0])}: "
                f"name the right one with --param {parameter}=NAME."
            )
    labelled = [row for row in rows if row[chosen.label_column]]
    named = [row for row in labelled if row[chosen.subject_column]]
    single = [row for row in named if not chosen.separator or chosen.separator not in row[chosen.label_column]]
    entries: list[Entry] = []
    missing: list[str] = []
    for row in single:
        entry = _entry(folder, images, row, chosen)
        if entry is None:
            missing.append(f"{row[chosen.subject_column]} {row.get('session_id', '')}".strip())
        else:
            entries.append(entry)
    if not entries and missing:
        raise BadInput(f"None of the {len(missing)} scans in the table is in the cohort folder (first: {missing[0]}).")
    once = _each_scan_once(entries)
    left_out = {
        "without a class left out": len(rows) - len(labelled),
        "without a subject left out": len(labelled) - len(named),
        "with several classes left out": len(named) - len(single),
        f"of the table without a scan left out: {_first_of(missing)}": len(missing),
        "with a scan named before left out": len(entries) - len(once),
    }
    return once, missing, [f"{_some(count, 'row')} {why}." for why, count in left_out.items() if count]


def _each_scan_once(entries: list[Entry]) -> list[Entry]:
    """Entries without those whose scan was there before: it must not count twice, nor be in two splits."""
    first: dict[str, Entry] = {}
    for entry in entries:
        before = first.setdefault(entry.file, entry)
        if before.label != entry.label:
            raise BadInput(
                f"The table names {entry.file} as {before.label} and as {entry.label}: keep the row that is right."
            )
    return list(first.values())


def _entry(folder: Path, images: Path, row: dict[str, str], chosen: Selection) -> Entry | None:
    """Entry of one row; None when its scan is not there."""
    participant, session = row[chosen.subject_column], row.get("session_id", "")
    if row.get("split", "") not in (*SPLITS, ""):
        raise BadInput(f"The split of {participant} is {row['split']!r}: use {', '.join(SPLITS)} or leave it empty.")
    file = _find_scan(folder, images, participant, session, row.get("file", ""))
    if file is None:
        return None
    known = {chosen.subject_column, "session_id", "file", "split", "pair", "landmarks", chosen.label_column}
    return Entry(
        participant_id=participant,
        session_id=session,
        label=row[chosen.label_column],
        file=file,
        split=row.get("split", ""),
        pair=row.get("pair", ""),
        details={key: value for key, value in row.items() if key not in known},
        landmarks=_find_landmarks(folder, participant, row.get("landmarks", "")),
    )


def _read_table(path: Path) -> list[dict[str, str]]:
    delimiter = "," if path.suffix.lower() == ".csv" else "\t"
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file, delimiter=delimiter)
            rows = [{str(k).strip(): (v or "").strip() for k, v in row.items() if k is not None} for row in table]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path.name} is not a text table in UTF-8: export it again as tab-separated text.") from error
    if not rows:
        raise BadInput(f"{path.name} has no rows.")
    if len(rows[0]) == 1:
        between = "commas" if delimiter == "," else "tabs"
        raise BadInput(f"{path.name} has one column, {next(iter(rows[0]))!r}: put {between} between its columns.")
    return rows


def _images_folder(folder: Path, chosen: Selection) -> Path:
    images = folder / chosen.images
    if not _is_there(images.is_dir) or not images.resolve().is_relative_to(folder.resolve()):
        raise BadInput(f"The cohort has no folder {chosen.images!r}: name one that it has with images=FOLDER.")
    return images


def _find_scan(folder: Path, images: Path, participant: str, session: str, file: str) -> str | None:
    if file:
        candidates = [images / file]
    else:
        nested = images / participant / session
        stem = f"{participant}_{session}" if session else participant
        candidates = sorted([*nested.glob("*.nii"), *nested.glob("*.nii.gz")]) if _is_there(nested.is_dir) else []
        candidates += [images / f"{stem}{ending}" for ending in _IMAGE_ENDINGS]
        if not Path(stem).is_absolute():
            start = glob.escape(stem)  # a name is no pattern
            candidates += sorted([*images.glob(f"{start}_*.nii"), *images.glob(f"{start}_*.nii.gz")])
    for candidate in candidates:
        if _is_there(candidate.is_file):
            _refuse_outside(folder, candidate, f"The scan of {participant} lies")
            return candidate.relative_to(folder).as_posix()
    return None


def _find_landmarks(folder: Path, participant: str, file: str) -> str:
    if not file:
        return ""
    path = folder / file
    if not _is_there(path.is_file):
        raise BadInput(f"The landmarks of {participant}, {file}, are not there: copy them in or empty the column.")
    _refuse_outside(folder, path, f"The landmarks of {participant} lie")
    return file


def _is_there(test: Callable[[], bool]) -> bool:
    """Answer of `Path.is_file` or `Path.is_dir`, which raise where a name is longer than any file's."""
    try:
        return test()
    except OSError:
        return False


def _refuse_outside(folder: Path, path: Path, whose: str) -> None:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise BadInput(f"{whose} outside the cohort folder: copy the file in.")


# ---- folders of images


def _entries_of_folders(folder: Path, chosen: Selection) -> list[Entry]:
    place = _images_folder(folder, chosen)
    entries = []
    for path in _class_images(place):
        name = path.relative_to(place).with_suffix("").as_posix()
        entries.append(Entry(name, "", label=path.parent.name, file=path.relative_to(folder).as_posix()))
    if len({entry.label for entry in entries}) < 2:
        raise BadInput(
            f"{folder.name} is not a cohort folder: it has no participants.tsv and no folders of images, one a class"
            f"{_other_tables(folder)}."
        )
    for entry in entries:
        _refuse_outside(folder, folder / entry.file, f"The scan {entry.participant_id} lies")
    return entries


def _other_tables(folder: Path) -> str:
    found = sorted(path.name for path in folder.glob("*.[ct]sv"))
    return f" (for another table: table=NAME; it holds {_first_of(found)})" if found else ""


def _class_images(place: Path) -> Iterator[Path]:
    for inside in sorted(path for path in place.iterdir() if path.is_dir() and not path.name.startswith(".")):
        yield from (
            path
            for path in sorted(inside.iterdir())
            if path.name.lower().endswith(_IMAGE_ENDINGS) and not path.name.startswith(".") and path.is_file()
        )


# ---- both


def _keep_classes(entries: list[Entry], chosen: Selection) -> tuple[list[Entry], list[str]]:
    """Entries of the classes that are wanted and large enough, and sentences on the others."""
    count = Counter(entry.label for entry in entries)
    unknown = [name for name in chosen.exclude if name not in count]
    if unknown:
        raise BadInput(f"There is no class {unknown[0]!r} to exclude; the cohort has {', '.join(sorted(count))}.")
    wanted = {label: films for label, films in count.items() if label not in chosen.exclude}
    small = {label: films for label, films in wanted.items() if films < chosen.minimum}
    if wanted and len(small) == len(wanted):
        largest = max(wanted, key=lambda label: wanted[label])
        raise BadInput(
            f"No class has {chosen.minimum} scans; the largest, {largest}, has {wanted[largest]}: lower minimum."
        )
    notes = []
    if chosen.exclude:
        out = _some(sum(count[label] for label in chosen.exclude), "scan")
        classes = _some(len(chosen.exclude), "class", "es")
        notes.append(f"{out} of {classes} left out as asked: {', '.join(chosen.exclude)}.")
    if small:
        out, classes = _some(sum(small.values()), "scan"), _some(len(small), "class", "es")
        listed = ", ".join(f"{label} {films}" for label, films in sorted(small.items(), key=lambda item: -item[1]))
        notes.append(f"{out} of {classes} with fewer than {chosen.minimum} left out: {listed}.")
    return [entry for entry in entries if entry.label in wanted and entry.label not in small], notes


def _load(path: Path) -> Scan:
    from core.scans import load_scan

    return load_scan(path)


def _read_truth(folder: Path) -> Truth | None:
    path, names = folder / f"{_TRUTH}.nii.gz", folder / f"{_TRUTH}.tsv"
    if not (path.is_file() and names.is_file()):
        return None
    try:
        with names.open(encoding="utf-8", newline="") as file:
            found = {int(row["index"]): row["name"].strip() for row in csv.DictReader(file, delimiter="\t")}
    except (csv.Error, KeyError, TypeError, ValueError, AttributeError) as error:  # also what is not UTF-8
        raise BadInput(
            f"{names.name} must be tab-separated text with the columns index (a whole number) and name."
        ) from error
    return Truth(_load(path), tuple(found[index] for index in sorted(found)))


def _first_of(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")


def _some(count: int, thing: str, ending: str = "s") -> str:
    return f"{count} {thing}{ending if count != 1 else ''}"
