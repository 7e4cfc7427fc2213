"""Names and folders of the Brain Imaging Data Structure (BIDS), as far as a cohort needs them.

Source: Gorgolewski et al. 2016, "The brain imaging data structure", and its specification 1.10 (entities, suffixes,
``sub-`` and ``ses-`` folders, ``sessions.tsv``, ``scans.tsv``, ``n/a``).
"""

import glob
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.cohorts.places import IMAGE_ENDINGS, is_there, stem_of
from core.cohorts.tables import read_table
from core.errors import BadInput

SUBJECT, SESSION = "sub-", "ses-"
#: What is taken where a session holds images of several kinds and nobody said which.
_USUAL_SUFFIX = "T1w"
#: Repetitions of one and the same image.
_REPETITION = "run"
_WHOSE = frozenset({"sub", "ses", _REPETITION})
#: Images that differ in these do not show the same thing in the same place.
_SAME = ("space", "label")
_NAMED = 5


@dataclass(frozen=True)
class ImageName:
    """A file name taken apart: ``sub-01_ses-02_run-1_T1w.nii.gz``.

    Parameters
    ----------
    entities : mapping of str to str
        Key → value, as they are written.
    suffix : str
        What kind of image it is (T1w, bold, probseg …).
    """

    entities: Mapping[str, str]
    suffix: str

    @property
    def kind(self) -> tuple[tuple[str, str], ...]:
        """Entities that say what image it is, and not whose or which of several alike."""
        return tuple(sorted((key, value) for key, value in self.entities.items() if key not in _WHOSE))

    @property
    def repetition(self) -> tuple[int, str]:
        """Order among several alike."""
        run = self.entities.get(_REPETITION, "")
        return (int(run), run) if run.isdecimal() else (0, run)


_Named = list[tuple[ImageName, Path]]


def image_name(stem: str) -> ImageName | None:
    """Take a name without its ending apart; None where it is none of BIDS.

    >>> image_name("sub-01_T1w").suffix
    'T1w'
    >>> image_name("scan_of_anna") is None
    True
    """
    *entities, suffix = stem.split("_")
    pairs = [entity.split("-", 1) for entity in entities]
    if not suffix.isalnum() or any(len(pair) < 2 or not all(pair) for pair in pairs):
        return None
    return ImageName(dict(pairs), suffix)


def is_tree(place: Path) -> bool:
    """Whether `place` holds folders of subjects."""
    return any(True for _ in subject_folders(place))


def subject_folders(place: Path) -> Iterator[Path]:
    """Folders ``sub-…`` of `place`, in order of their names."""
    yield from (path for path in sorted(place.glob(f"{SUBJECT}*")) if path.is_dir())


def with_prefix(prefix: str, label: str) -> str:
    """``01`` or ``sub-01`` as ``sub-01``; an empty label stays empty."""
    return label if not label or label.startswith(prefix) else f"{prefix}{label}"


def sessions_of(rows: Sequence[dict[str, str]], place: Path, subject_column: str) -> list[dict[str, str]]:
    """Rows of a table of participants, one a session.

    A row that names no session stands for all that its subject has in the tree `place`. What the subject's own
    ``sessions.tsv`` says of a session goes over what the row says of the subject.

    Parameters
    ----------
    rows : sequence of dict
        Column → cell.
    place : pathlib.Path
        Where the subjects' folders are.
    subject_column : str
        Column of the subject.
    """
    found: list[dict[str, str]] = []
    for row in rows:
        name = with_prefix(SUBJECT, row.get(subject_column, ""))
        folder = place / name
        named = row.get("session_id") or row.get("file")
        if named or not name or Path(name).name != name or not is_there(folder.is_dir):
            found.append(row)
            continue
        told = _told_sessions(folder)
        sessions = [path.name for path in sorted(folder.glob(f"{SESSION}*")) if path.is_dir()]
        if not sessions:
            found.append({**row, **told.get("", {})})
        found += [{**row, **told.get(session, {}), "session_id": session} for session in sessions]
    return found


def session_images(place: Path, participant: str, session: str) -> list[Path]:
    """Images of a subject's session in the tree `place`: in its folder and in those of its kinds of data."""
    subject, session = with_prefix(SUBJECT, participant), with_prefix(SESSION, session)
    if Path(subject).name != subject or (session and Path(session).name != session):
        return []
    folder = place / subject / session
    if not is_there(folder.is_dir):
        return []
    start = glob.escape("_".join(filter(None, (subject, session))))  # a name is no pattern
    paths = sorted([*folder.glob(f"{start}_*"), *folder.glob(f"*/{start}_*")])
    return [path for path in paths if path.name.lower().endswith(IMAGE_ENDINGS) and is_there(path.is_file)]


def images_by_session(place: Path, wanted: str) -> dict[str, Path]:
    """``sub-01`` or ``sub-01_ses-1`` → its image of the kind `wanted`, see `choose`; only those that have one.

    Raises
    ------
    BadInput
    """
    rows = sessions_of([{"": folder.name} for folder in subject_folders(place)], place, "")
    names = ["_".join(filter(None, (row[""], row.get("session_id", "")))) for row in rows]
    sessions = [session_images(place, row[""], row.get("session_id", "")) for row in rows]
    stems = {path: stem_of(path) for images in sessions for path in images}
    chosen, _ = choose(sessions, stems, wanted)
    return {name: path for name, path in zip(names, chosen, strict=True) if path is not None}


def told_scans(place: Path, participant: str, session: str) -> dict[Path, dict[str, str]]:
    """Image → what the ``scans.tsv`` of its session (or subject) says of it, such as ``acq_time``; ``n/a`` is missing.

    Parameters
    ----------
    place : pathlib.Path
        Where the subjects' folders are.
    participant, session : str
        As a table gives them.
    """
    subject, session = with_prefix(SUBJECT, participant), with_prefix(SESSION, session)
    names = [name for name in (subject, session) if name]
    if not subject or any(Path(name).name != name for name in names):
        return {}
    folder = place.joinpath(*names)
    path = folder / f"{'_'.join(names)}_scans.tsv"
    if not is_there(path.is_file) or not path.resolve().is_relative_to(place.resolve()):
        return {}
    try:
        rows = read_table(path)
    except BadInput:
        # what is said beside a scan is no reason not to read it
        return {}
    return {
        folder / row["filename"]: {key: value for key, value in row.items() if key != "filename" and value}
        for row in rows
        if row.get("filename")
    }


def _told_sessions(folder: Path) -> dict[str, dict[str, str]]:
    """Session → what ``sub-…_sessions.tsv`` says of it, without its name."""
    path = folder / f"{folder.name}_sessions.tsv"
    if not path.is_file() or not path.resolve().is_relative_to(folder.parent.resolve()):
        return {}
    rows = read_table(path)
    return {
        with_prefix(SESSION, row.get("session_id", "")): {
            key: value for key, value in row.items() if key != "session_id" and value
        }
        for row in rows
    }


def choose(
    sessions: Sequence[Sequence[Path]], stems: Mapping[Path, str], wanted: str
) -> tuple[list[Path | None], list[str]]:
    """One image a session, of the same kind in all of them.

    Parameters
    ----------
    sessions : sequence of sequence of pathlib.Path
        The images of every session. Those whose names are none of BIDS have no kind: of these the first is taken.
    stems : mapping of pathlib.Path to str
        Their names without endings.
    wanted : str
        Suffix of the images to take, with entities before it where several have that: ``label-GM_probseg``. When empty
        all sessions must have one kind of image, or T1w.

    Returns
    -------
    list of pathlib.Path or None
        The image of each session; None where it has none of this kind.
    list of str
        Sentences on what was chosen.

    Raises
    ------
    BadInput
        When what to take is not certain: names what there is.
    """
    names = {path: name for path, stem in stems.items() if (name := image_name(stem)) and "sub" in name.entities}
    named = [[(names[path], path) for path in images if path in names] for images in sessions]
    notes: list[str] = []
    kind = _wanted_name(wanted) if wanted else _common_suffix(named, notes)
    chosen: list[Path | None] = []
    repeated = several = 0
    for images, of_session in zip(sessions, named, strict=True):
        if of_session or wanted:
            fitting = _fitting(of_session, kind, bool(wanted))
            repeated += len(fitting) > 1
            chosen.append(fitting[0][1] if fitting else None)
        else:
            several += len(images) > 1
            chosen.append(min(images, default=None))
    _refuse_different([names[path] for path in chosen if path is not None and path in names])
    if repeated:
        notes.append(f"Of the runs of one image the first was taken ({_some(repeated)}).")
    if several:
        notes.append(f"Of several images the first by name was taken ({_some(several)}).")
    return chosen, notes


def _fitting(of_session: _Named, kind: ImageName, exactly: bool) -> _Named:
    """Images of one kind of a session, which are the runs of one image, in their order.

    Raises
    ------
    BadInput
        When they are several images.
    """
    fitting = sorted(
        (item for item in of_session if _fits(item[0], kind)), key=lambda item: (item[0].repetition, item[1])
    )
    if exactly:  # what was asked for and no more of it goes before what also fits
        fitting = [item for item in fitting if len(item[0].kind) == len(kind.kind)] or fitting
    ends = sorted({_described(name) for name, _ in fitting})
    if len(ends) > 1:
        raise BadInput(
            f"{_whose(fitting[0][0])} has several images that end in {kind.suffix} ({_first(ends)}): name the one to "
            "take with image=NAME, as far as it tells them apart."
        )
    return fitting


def _refuse_different(chosen: Sequence[ImageName]) -> None:
    for key in _SAME:
        values = sorted({name.entities.get(key, "none") for name in chosen})
        if len(values) > 1:
            raise BadInput(
                f"The images of the sessions differ in {key} ({_first(values)}): name those to take with image=NAME, "
                f"such as {key}-{values[0] if values[0] != 'none' else values[1]}_{chosen[0].suffix}."
            )


def _wanted_name(wanted: str) -> ImageName:
    name = image_name(wanted)
    if name is None:
        raise BadInput(
            f"The image {wanted!r} is no end of a BIDS name: give a suffix, or entities and a suffix, such as T1w or "
            "space-MNI152NLin6Asym_label-GM_probseg."
        )
    return name


def _common_suffix(named: Sequence[_Named], notes: list[str]) -> ImageName:
    """The suffix that is taken when none is asked for."""
    suffixes = Counter(suffix for of_session in named for suffix in {name.suffix for name, _ in of_session})
    if len(suffixes) <= 1:
        return ImageName({}, next(iter(suffixes), _USUAL_SUFFIX))
    kinds = ", ".join(f"{suffix} {count}" for suffix, count in sorted(suffixes.items(), key=_most_first))
    if _USUAL_SUFFIX not in suffixes:
        raise BadInput(f"The sessions hold images of several kinds ({kinds}): name the one to take with image=NAME.")
    notes.append(f"Of the images of each session {_USUAL_SUFFIX} was taken; there are {kinds}. Another: image=NAME.")
    return ImageName({}, _USUAL_SUFFIX)


def _most_first(counted: tuple[str, int]) -> tuple[int, str]:
    return -counted[1], counted[0]


def _fits(name: ImageName, kind: ImageName) -> bool:
    return name.suffix == kind.suffix and all(name.entities.get(key) == value for key, value in kind.entities.items())


def _described(name: ImageName) -> str:
    return "_".join([*(f"{key}-{value}" for key, value in name.kind), name.suffix])


def _whose(name: ImageName) -> str:
    return " ".join(f"{key}-{name.entities[key]}" for key in ("sub", "ses") if key in name.entities) or "A session"


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")


def _some(count: int) -> str:
    return f"{count} session{'s' if count != 1 else ''}"
