"""From what a person gives (files, folders, zips, uploads) to the image files in it."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import BadInput
from core.scans.archive import zip_members
from core.scans.dicom.directory import is_directory, referenced_files
from core.scans.limits import MAX_FILES, Limits
from core.scans.sniff import HEADER_KINDS, RASTER_KINDS, VOLUME_KINDS, Kind, sniff_source
from core.scans.sources import Source, gunzip

READ_FORMATS = "NIfTI, Analyze, MGH/MGZ, DICOM, PNG, JPEG or TIFF"
_REFUSED = {
    Kind.EMPTY: "The file is empty (0 bytes): copy or download it again.",
    Kind.SURFACE: "This is a surface mesh and not an image: give the volume it was made from.",
    Kind.ARCHIVE: "This kind of archive is not unpacked: give a zip, a folder, or the image itself.",
    Kind.OTHER_IMAGE: "This image format is not read: save it as PNG or TIFF.",
    Kind.ZIP: "There is a zip inside: unpack it and give the inner one.",
    Kind.GZIP: "The file is damaged (its compressed data is wrong): copy or download it again.",
    Kind.UNKNOWN: f"This is not an image that is read: give {READ_FORMATS}.",
}


@dataclass(frozen=True)
class Upload:
    """A file that came through the browser.

    Parameters
    ----------
    name : str
        What the browser calls it; may be hostile, never used as a path.
    path : Path
        Where the upload was spooled to.
    """

    name: str
    path: Path


@dataclass(frozen=True, eq=False)
class Collected:
    """Image files, told apart by content.

    Parameters
    ----------
    dicom : list of Source
        Files that look like DICOM.
    volumes : list of (header Source, gzip?, (image Source, gzip?) or None)
        NIfTI, MGH and complete pairs.
    rasters : list of Source
        PNG, JPEG, TIFF.
    left_out : list of str
        For each file that is no image, the sentence that says so.
    damaged : list of BadInput
        For each file of which not even that can be said, why: it may have been a slice of what is read.
    """

    dicom: list[Source]
    volumes: list[tuple[Source, bool, tuple[Source, bool] | None]]
    rasters: list[Source]
    left_out: list[str]
    damaged: list[BadInput] = field(default_factory=list)


def sources_of_paths(paths: Iterable[str | Path], limits: Limits) -> list[Source]:
    """Every file that `paths` stand for; folders are walked, zips are looked into, pairs are completed.

    Raises
    ------
    BadInput
    """
    sources: list[Source] = []
    for given in paths:
        path = Path(given)
        if path.is_dir():
            sources.extend(_files_in(path))
            continue
        source = Source.of_file(path)
        if is_directory(source):
            sources.extend(referenced_files(source, limits))
            continue
        sources.append(source)
        sources.extend(_other_half(path))
    return _look_into_zips(sources, limits)


def sources_of_uploads(uploads: Sequence[Upload], limits: Limits) -> list[Source]:
    """Every file that came with `uploads`; zips are looked into.

    Raises
    ------
    BadInput
    """
    return _look_into_zips([Source.of_file(upload.path, upload.name) for upload in uploads], limits)


def collect(sources: Sequence[Source], limits: Limits) -> Collected:
    """Sort files by what they hold.

    Raises
    ------
    BadInput
        When there is no image among them; the sentence says what there is, if there is only one file.
    """
    if not sources:
        raise BadInput(f"There is no file in it: give {READ_FORMATS}.")
    found = Collected([], [], [], [])
    headers: list[tuple[Source, bool]] = []
    others: list[tuple[Source, bool]] = []
    for source in sources:
        try:
            kind, packed = sniff_source(source)
            if kind is Kind.DICOM:
                found.dicom.append(gunzip(source, limits) if packed else source)
                continue
        except BadInput as problem:
            # one damaged member of a zip leaves the others as good as they are
            found.damaged.append(BadInput(str(problem)))
            continue
        if kind in HEADER_KINDS:
            headers.append((source, packed))
        elif source.suffix == ".img" and kind is not Kind.NIFTI:
            others.append((source, packed))
        elif kind in VOLUME_KINDS:
            found.volumes.append((source, packed, None))
        elif kind in RASTER_KINDS and not packed:
            found.rasters.append(source)
        elif kind is Kind.GZIP:
            found.damaged.append(BadInput(_REFUSED[kind]))
        else:
            found.left_out.append(_REFUSED.get(kind, _REFUSED[Kind.UNKNOWN]))
    _join_pairs(found, headers, others)
    if not (found.dicom or found.volumes or found.rasters):
        raise BadInput(_why_nothing([*found.left_out, *map(str, found.damaged)]))
    return found


def _join_pairs(found: Collected, headers: list[tuple[Source, bool]], others: list[tuple[Source, bool]]) -> None:
    images = {_stem(source): (source, packed) for source, packed in others}
    for header, packed in headers:
        image = images.pop(_stem(header), None)
        if image is None and len(headers) == len(others) == 1:
            image = others[0]
            images.clear()
        found.volumes.append((header, packed, image))
    found.left_out.extend("An .img file needs its .hdr: give both." for _ in images)


def _stem(source: Source) -> str:
    return source.name.lower().removesuffix(".gz").removesuffix(".hdr").removesuffix(".img")


def _why_nothing(reasons: list[str]) -> str:
    if len(set(reasons)) == 1:
        return reasons[0]
    return f"None of the {len(reasons)} files is an image that is read: give {READ_FORMATS}."


def _files_in(folder: Path) -> Iterator[Source]:
    count = 0
    for parent, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent) / name
            if name.startswith(".") or not path.is_file():
                continue
            count += 1
            if count > MAX_FILES:
                raise BadInput(f"The folder holds more than {MAX_FILES} files: give the folder of one series.")
            source = Source.of_file(path, str(path.relative_to(folder)))
            if source.size:
                yield source


def _other_half(path: Path) -> Iterator[Source]:
    """The ``.img`` of a ``.hdr`` and the other way round, where it lies beside."""
    name = path.name
    for mine, other in ((".hdr", ".img"), (".img", ".hdr")):
        for packing in ("", ".gz"):
            if not name.lower().endswith(mine + packing):
                continue
            stem = name[: len(name) - len(mine + packing)]
            for candidate in (stem + other, stem + other + ".gz", stem + other.upper()):
                beside = path.with_name(candidate)
                if beside.is_file():
                    yield Source.of_file(beside)
                    return


def _look_into_zips(sources: list[Source], limits: Limits) -> list[Source]:
    opened: list[Source] = []
    for source in _without_repeats(sources):
        if source.problem:
            opened.append(source)
            continue
        with source.open() as stream:
            is_zip = stream.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
        opened.extend(zip_members(source, limits) if is_zip else [source])
    if len(opened) > MAX_FILES:
        raise BadInput(f"There are more than {MAX_FILES} files: give one series.")
    return opened


def _without_repeats(sources: list[Source]) -> list[Source]:
    seen: set[Path] = set()
    kept = []
    for source in sources:
        if source.path is not None:
            path = source.path.resolve()
            if path in seen:
                continue
            seen.add(path)
        kept.append(source)
    return kept
