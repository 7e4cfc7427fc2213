"""Reading a cohort from a folder: a table with one row a session, or one folder of images a class."""

import csv
import glob
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from core.cohorts import bids
from core.cohorts.cohort import SPLITS, Cohort, Entry, Truth
from core.cohorts.landmark_labels import read_landmark_names, read_landmarks
from core.cohorts.places import IMAGE_ENDINGS, is_there, refuse_outside, stem_of
from core.cohorts.selection import Selection, read_cohort_card
from core.cohorts.tables import read_table
from core.errors import BadInput
from core.scans.scan import Scan

_TABLES = ("participants.tsv", "participants.csv")
_TRUTH = "planted_regions"
_NAMED = 5
#: Columns that only the table of participants may have.
_WHOSE = ("session_id", "file", "split", "pair", "landmarks")


def read_cohort(folder: Path, selection: Selection | None = None) -> Cohort:
    """Read the cohort of `folder`.

    With a table (``participants.tsv``, ``participants.csv``, or the one that `selection` names) one row is one session:
    the subject column, the label column, and where they exist ``session_id``, ``file``, ``split``, ``pair`` and
    ``landmarks``. Without ``file`` the scan is looked for as ``participant_id[/session_id]/*.nii[.gz]`` or
    ``participant_id[_session_id]*.nii[.gz]``, or as a picture ``participant_id[_session_id].png`` (.jpg, .tif, .dcm).
    ``n/a``, ``NA`` and ``NaN`` in a table are missing.

    In a BIDS tree (folders ``sub-…``, whose names the table may give without ``sub-``) the images of a session lie in
    ``sub-…[/ses-…][/anat, pet …]``. A row that names no session stands for all that the subject has, and the subject's
    ``sessions.tsv`` may add to it, and the session's ``scans.tsv`` to that, for the image that is taken. Of several
    kinds of image `Selection.image` names the one to take.

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
    if not is_there(path.is_file) or not path.resolve().is_relative_to(folder.resolve()):
        raise BadInput(f"The cohort folder holds no table {chosen.table}: name one that is in it with table=NAME.")
    return path


def _entries_of_table(folder: Path, table: Path, chosen: Selection) -> tuple[list[Entry], list[str], list[str]]:
    """Entries, rows without a scan, and sentences on what was left out."""
    images = _images_folder(folder, chosen)
    rows = read_table(table)
    if not rows:
        raise BadInput(f"{table.name} has no rows.")
    if len(rows[0]) == 1:
        between = "commas" if table.suffix.lower() == ".csv" else "tabs"
        raise BadInput(f"{table.name} has one column, {next(iter(rows[0]))!r}: put {between} between its columns.")
    if bids.is_tree(images):
        rows = _with_what_scans_say(folder, images, bids.sessions_of(rows, images, chosen.subject_column), chosen)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    for parameter in ("subject_column", "label_column"):
        column = getattr(chosen, parameter)
        if column not in columns:
            raise BadInput(
                f"The participants table has no column {column!r}; it has {', '.join(columns)}: "
                f"name the right one with --param {parameter}=NAME."
            )
    labelled = [row for row in rows if row.get(chosen.label_column)]
    named = [row for row in labelled if row.get(chosen.subject_column)]
    single = [row for row in named if not chosen.separator or chosen.separator not in row[chosen.label_column]]
    entries: list[Entry] = []
    missing: list[str] = []
    files, choices = _find_scans(folder, images, single, chosen)
    for row, file in zip(single, files, strict=True):
        if file is None:
            missing.append(f"{row[chosen.subject_column]} {row.get('session_id', '')}".strip())
        else:
            entries.append(_entry(folder, row, file, chosen))
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
    told = [f"{_some(count, 'row')} {why}." for why, count in left_out.items() if count]
    return once, missing, [*told, *choices]


def _with_what_scans_say(
    folder: Path, images: Path, rows: list[dict[str, str]], chosen: Selection
) -> list[dict[str, str]]:
    """Rows with the columns that ``scans.tsv`` has for the image of each; whose image it is, no table of scans says."""
    told = [bids.told_scans(images, row.get(chosen.subject_column, ""), row.get("session_id", "")) for row in rows]
    places = [index for index, scans in enumerate(told) if scans]
    try:
        files, _ = _find_scans(folder, images, [rows[index] for index in places], chosen)
    except BadInput:
        # told where the images of the rows that count are chosen
        return rows
    merged = list(rows)
    for index, file in zip(places, files, strict=True):
        said = told[index].get(folder / file, {}) if file is not None else {}
        whose = {chosen.subject_column, *_WHOSE}
        merged[index] = {**rows[index], **{key: value for key, value in said.items() if key not in whose}}
    return merged


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


def _entry(folder: Path, row: dict[str, str], file: str, chosen: Selection) -> Entry:
    participant, session = row[chosen.subject_column], row.get("session_id", "")
    if row.get("split", "") not in (*SPLITS, ""):
        raise BadInput(f"The split of {participant} is {row['split']!r}: use {', '.join(SPLITS)} or leave it empty.")
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


def _images_folder(folder: Path, chosen: Selection) -> Path:
    images = folder / chosen.images
    if not is_there(images.is_dir) or not images.resolve().is_relative_to(folder.resolve()):
        raise BadInput(f"The cohort has no folder {chosen.images!r}: name one that it has with images=FOLDER.")
    return images


def _find_scans(
    folder: Path, images: Path, rows: Sequence[dict[str, str]], chosen: Selection
) -> tuple[list[str | None], list[str]]:
    """The scan of each row inside `folder`, None where it is not there, and sentences on what was chosen of several."""
    candidates = [_candidates(images, row, chosen.subject_column) for row in rows]
    stems = {path: stem_of(path) for paths in candidates for path in paths}
    named = [index for index, row in enumerate(rows) if not row.get("file")]
    picked, notes = bids.choose([candidates[index] for index in named], stems, chosen.image)
    scans = [paths[0] if paths else None for paths in candidates]
    for index, path in zip(named, picked, strict=True):
        scans[index] = path
    for row, scan in zip(rows, scans, strict=True):
        if scan is not None:
            refuse_outside(folder, scan, f"The scan of {row[chosen.subject_column]} lies")
    return [None if scan is None else scan.relative_to(folder).as_posix() for scan in scans], notes


def _candidates(images: Path, row: dict[str, str], subject_column: str) -> list[Path]:
    """Images that may be the scan of a row: those in the first of the places where there is one."""
    participant, session, file = row[subject_column], row.get("session_id", ""), row.get("file", "")
    if file:
        return [path for path in [images / file] if is_there(path.is_file)]
    nested = images / participant / session
    stem = f"{participant}_{session}" if session else participant
    if is_there(nested.is_dir):
        found = sorted([*nested.glob("*.nii"), *nested.glob("*.nii.gz")])
        if found:
            return found
    exact = [path for ending in IMAGE_ENDINGS if is_there((path := images / f"{stem}{ending}").is_file)]
    if exact:
        return exact[:1]
    if not Path(stem).is_absolute():
        start = glob.escape(stem)  # a name is no pattern
        found = sorted([*images.glob(f"{start}_*.nii"), *images.glob(f"{start}_*.nii.gz")])
        if found:
            return found
    return bids.session_images(images, participant, session)


def _find_landmarks(folder: Path, participant: str, file: str) -> str:
    if not file:
        return ""
    path = folder / file
    if not is_there(path.is_file):
        raise BadInput(f"The landmarks of {participant}, {file}, are not there: copy them in or empty the column.")
    refuse_outside(folder, path, f"The landmarks of {participant} lie")
    return file


# ---- folders of images


def _entries_of_folders(folder: Path, chosen: Selection) -> list[Entry]:
    place = _images_folder(folder, chosen)
    if bids.is_tree(place):
        raise BadInput(
            f"{folder.name} holds folders of subjects and no participants.tsv, which says their classes: copy the "
            "table in. Of derivatives give the dataset itself, with images=derivatives/NAME."
        )
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
        refuse_outside(folder, folder / entry.file, f"The scan {entry.participant_id} lies")
    return entries


def _other_tables(folder: Path) -> str:
    found = sorted(path.name for path in folder.glob("*.[ct]sv"))
    return f" (for another table: table=NAME; it holds {_first_of(found)})" if found else ""


def _class_images(place: Path) -> Iterator[Path]:
    for inside in sorted(path for path in place.iterdir() if path.is_dir() and not path.name.startswith(".")):
        yield from (
            path
            for path in sorted(inside.iterdir())
            if path.name.lower().endswith(IMAGE_ENDINGS) and not path.name.startswith(".") and path.is_file()
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
