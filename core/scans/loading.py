"""`load_scan` and its kin: one door for every format."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from math import prod
from pathlib import Path

import numpy as np

from core.errors import BadInput
from core.scans.budget import Budget, within_budget
from core.scans.collect import Collected, Upload, collect, sources_of_paths, sources_of_uploads
from core.scans.dicom.reading import find_series, read_series
from core.scans.dicom.series import DicomSeries
from core.scans.limits import Limits
from core.scans.pictures.reading import open_raster_file, read_raster
from core.scans.scan import Scan
from core.scans.sources import Source
from core.scans.volumes.reading import open_volume_file, read_volume

#: What a sample takes in most files.
_BYTES_A_SAMPLE = 2

Paths = str | Path | Sequence[str | Path]


@dataclass(frozen=True)
class SeriesChoice:
    """One image among those that were given.

    Parameters
    ----------
    key : str
        Stable name for ``load_scan(..., series=key)``: 12 hex digits, derived from the content.
    description : str
        Technical description for people, with nothing in it that the file's author wrote.
    files : int
        Number of files it is made of.
    shape : tuple of int
        Spatial shape as stored: 2 axes for images (rows, columns), 3 for volumes.
    volumes : int
        Number of volumes, frames or pages to choose from with ``volume=index``.
    is_second_choice : bool
        Whether others come first, however small: phases, segmentations, pictures of a screen.
    problem : str, optional
        Why it cannot be read, where its headers say that already.
    volume_names : tuple of str
        What sets each volume apart ("b 1000 s/mm²", "time 2, echo 1"), where the file says it; else empty.
    is_dicom : bool
        Whether it is one of the series of a study; otherwise it is a file of its own.
    """

    key: str
    description: str
    files: int
    shape: tuple[int, ...]
    volumes: int
    _read: Callable[[int | None], Scan] = field(repr=False, compare=False)
    is_second_choice: bool = False
    problem: str | None = None
    volume_names: tuple[str, ...] = ()
    is_dicom: bool = False

    def read(self, volume: int | None = None) -> Scan:
        """Read it.

        Parameters
        ----------
        volume : int, optional
            Which of its volumes, from 0; the first when not given, and a note says so.

        Raises
        ------
        BadInput
        """
        try:
            # what comes after reading headers may take as long as reading this one image alone
            with within_budget(_BYTES_A_SAMPLE * prod(self.shape) * self.volumes):
                return self._read(volume)
        except MemoryError:
            raise BadInput("The image does not fit into the memory of this machine: crop or downsample it.") from None


def load_scan(path: Paths, *, series: str | None = None, volume: int | None = None) -> Scan:
    """Read an image from disk.

    Parameters
    ----------
    path : path or sequence of paths
        NIfTI-1/2 (``.nii``, ``.nii.gz``, ``.hdr`` + ``.img``), Analyze, MGH/MGZ, DICOM, PNG, JPEG or TIFF; also a
        folder, a zip, a DICOMDIR, or several files. Formats are told apart by content.
    series : str, optional
        Key of one of `list_series`. Without it the first of them that can be read is taken, and notes say so.
    volume : int, optional
        Which volume of a 4D series (page of a TIFF), from 0. Without it the first, and a note says so.

    Returns
    -------
    Scan
        float32, channels first, RAS+; what was changed or lost on reading is in its notes.

    Raises
    ------
    BadInput
        One sentence: what is wrong with the file, and what to do.
    """
    limits = Limits.current()
    return _load(sources_of_paths(_as_list(path), limits), limits, series, volume)


def load_upload(files: Sequence[Upload], *, series: str | None = None, volume: int | None = None) -> Scan:
    """Read an image that came through the browser; as `load_scan`, but names are never used as paths.

    Raises
    ------
    BadInput
    """
    limits = Limits.current()
    return _load(sources_of_uploads(files, limits), limits, series, volume)


def load_upload_or_choices(files: Sequence[Upload]) -> Scan | list[SeriesChoice]:
    """The image that came through the browser where there is but one; else the images to choose from, largest first.

    Every file is looked at once. What cannot be read is among the choices, with its problem.

    Raises
    ------
    BadInput
    """
    limits = Limits.current()
    sources = sources_of_uploads(files, limits)
    with _budget_of(sources):
        choices, left_out = _choices(sources, limits)
        readable = [choice for choice in choices if choice.problem is None]
        if len(readable) > 1 or (readable and readable[0].volumes > 1):
            return choices
        return _first_readable(choices, None, left_out)


def list_series(path: Paths) -> list[SeriesChoice]:
    """Images to choose from: the one that `load_scan` takes by itself first, those that cannot be read last.

    Raises
    ------
    BadInput
        When there is none.
    """
    limits = Limits.current()
    return _choices(sources_of_paths(_as_list(path), limits), limits)[0]


def list_upload_series(files: Sequence[Upload]) -> list[SeriesChoice]:
    """Images to choose from among uploaded files; see `list_series`.

    Raises
    ------
    BadInput
    """
    return look_through_upload(files)[0]


def look_through_upload(files: Sequence[Upload]) -> tuple[list[SeriesChoice], list[str]]:
    """As `list_upload_series`, and a sentence for each reason for which files were left out.

    Raises
    ------
    BadInput
    """
    limits = Limits.current()
    sources = sources_of_uploads(files, limits)
    with _budget_of(sources):
        choices, damaged = _choices(sources, limits)
        return choices, _left_out([BadInput(why) for why in collect(sources, limits).left_out]) + damaged


def list_volumes(path: Paths, *, series: str | None = None) -> list[str]:
    """Description of every volume of a 4D series (or page of a TIFF); the place in the list is the ``volume`` index.

    Raises
    ------
    BadInput
    """
    choice = _pick(list_series(path), series)
    names = choice.volume_names or [""] * choice.volumes
    return [
        f"volume {number} of {choice.volumes}" + (f": {name}" if name else "") for number, name in enumerate(names, 1)
    ]


def _load(sources: list[Source], limits: Limits, series: str | None, volume: int | None) -> Scan:
    with _budget_of(sources):
        choices, left_out = _choices(sources, limits)
        if series is None:
            return _first_readable(choices, volume, left_out)
        scan = _pick(choices, series).read(volume)
        return replace(scan, notes=(*scan.notes, *left_out))


def _budget_of(sources: Sequence[Source]) -> AbstractContextManager[Budget]:
    return within_budget(sum(source.given for source in sources))


def _first_readable(choices: Sequence[SeriesChoice], volume: int | None, left_out: Sequence[str]) -> Scan:
    """The first image that can be read, which says what else was given with it and what could not be read."""
    unread: list[str] = []
    first_problem: BadInput | None = None
    for number, choice in enumerate(choices):
        try:
            scan = choice.read(volume)
        except BadInput as problem:
            first_problem = first_problem or BadInput(str(problem))  # without what it had read
            unread.append(_unread(choice, str(problem)))
            continue
        unread += [_unread(other, other.problem) for other in choices[number + 1 :] if other.problem]
        readable = len(choices) - len(unread)
        found = f"{readable} images were found: this one was taken ({choice.description})."
        return replace(scan, notes=(*scan.notes, *([found] if readable > 1 else []), *unread, *left_out))
    assert first_problem is not None
    raise first_problem


def _unread(choice: SeriesChoice, why: str) -> str:
    return f"An image could not be read and was left out ({choice.description}). {why}"


def _pick(choices: list[SeriesChoice], series: str | None) -> SeriesChoice:
    if series is None:
        return choices[0]
    for choice in choices:
        if choice.key == series:
            return choice
    raise BadInput("There is no series of that key in these files: list the series again and choose one.")


def _choices(sources: list[Source], limits: Limits) -> tuple[list[SeriesChoice], list[str]]:
    """Every image, those that can be read and the largest first, and sentences on the files that hold none."""
    with _budget_of(sources):
        return _read_choices(sources, limits)


def _read_choices(sources: list[Source], limits: Limits) -> tuple[list[SeriesChoice], list[str]]:
    found = collect(sources, limits)
    choices: list[SeriesChoice] = []
    series_found, problems = find_series(found.dicom, limits)
    problems += found.damaged
    choices.extend(_dicom_choice(series, limits) for series in series_found)
    for attempt in _attempts(found, limits):
        try:
            choices.extend(attempt())
        except BadInput as problem:
            problems.append(BadInput(str(problem)))  # without what it had read
    if not choices:
        raise problems[0]
    choices.sort(key=_order)
    return _told_apart(choices), _left_out(problems)


def _told_apart(choices: Sequence[SeriesChoice]) -> list[SeriesChoice]:
    """The same, with keys of their own: files of one name and size may come from several folders."""
    met: Counter[str] = Counter()
    apart = []
    for choice in choices:
        number = met[choice.key]
        met[choice.key] += 1
        key = hashlib.sha256(f"{choice.key}\0{number}".encode()).hexdigest()[:12] if number else choice.key
        apart.append(replace(choice, key=key))
    return apart


def _order(choice: SeriesChoice) -> tuple[bool, bool, int, str]:
    return choice.problem is not None, choice.is_second_choice, -prod(choice.shape) * choice.volumes, choice.key


def _left_out(problems: Sequence[BadInput]) -> list[str]:
    """One sentence for each reason for which files are no image, with how many."""
    counted = Counter(str(problem) for problem in problems)
    return [
        f"{count} file(s) that could not be read as an image were left out. {reason}"
        for reason, count in sorted(counted.items())
    ]


def _attempts(found: Collected, limits: Limits) -> list[Callable[[], list[SeriesChoice]]]:
    return [
        *(partial(_volume_choices, *volume, limits) for volume in found.volumes),
        *(partial(_raster_choices, raster, limits) for raster in found.rasters),
    ]


def _dicom_choice(series: DicomSeries, limits: Limits) -> SeriesChoice:
    return SeriesChoice(
        key=series.key,
        description=series.description,
        files=series.files,
        shape=series.shape,
        volumes=len(series.volumes),
        _read=lambda volume: read_series(series, limits, volume),
        is_second_choice=series.is_second_choice,
        problem=series.problem,
        volume_names=series.volume_names,
        is_dicom=True,
    )


def _volume_choices(
    source: Source, packed: bool, image: tuple[Source, bool] | None, limits: Limits
) -> list[SeriesChoice]:
    file = open_volume_file(source, packed, limits, image)
    header = file.header
    parts = [header.format, _times(header.shape), f"{_times(_spacing(header.affine))} mm"]
    if header.volumes > 1:
        parts.append(f"{header.volumes} volumes")
    choice = SeriesChoice(
        key=_key(header.format, source),
        description=" · ".join(parts),
        files=2 if header.pair else 1,
        shape=header.shape,
        volumes=header.volumes,
        _read=lambda volume: read_volume(file, volume),
    )
    return [choice]


def _raster_choices(source: Source, limits: Limits) -> list[SeriesChoice]:
    file = open_raster_file(source, limits)
    parts = [file.format, f"{_times(file.shape)} pixels"]
    if file.pages > 1:
        parts.append(f"{file.pages} pages")
    choice = SeriesChoice(
        key=_key(file.format, source),
        description=" · ".join(parts),
        files=1,
        shape=file.shape,
        volumes=file.pages,
        _read=lambda page: read_raster(file, limits, page),
    )
    return [choice]


def _key(kind: str, source: Source) -> str:
    return hashlib.sha256(f"{kind}\0{source.name}\0{source.size}".encode(errors="replace")).hexdigest()[:12]


def _spacing(affine: np.ndarray) -> tuple[float, ...]:
    return tuple(float(length) for length in np.linalg.norm(affine[:3, :3], axis=0))


def _times(numbers: Sequence[float]) -> str:
    return "×".join(f"{number:.3g}" if isinstance(number, float) else str(number) for number in numbers)


def _as_list(path: Paths) -> list[str | Path]:
    if path == "":
        raise BadInput("The path is empty: name a file or a folder.")
    return [path] if isinstance(path, str | Path) else list(path)
