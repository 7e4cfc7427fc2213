"""DICOMDIR: the table of contents of a DICOM medium, followed only inside its own folder."""

from pathlib import Path

from core.errors import BadInput
from core.scans.dicom.dataset import dicom_errors, read_dataset, read_meta
from core.scans.limits import MAX_FILES, Limits
from core.scans.sniff import Kind, sniff
from core.scans.sources import Source

_MISSING = "The DICOMDIR names them and they are not there: slices may be missing, so copy the whole medium again."
DICOMDIR_CLASS = "1.2.840.10008.1.3.10"


def is_directory(source: Source) -> bool:
    """Whether `source` is a DICOMDIR."""
    return sniff(source.head()) is Kind.DICOM and read_meta(source).media_class == DICOMDIR_CLASS


def referenced_files(source: Source, limits: Limits) -> list[Source]:
    """Files that a DICOMDIR on disk names; those that are not there say so when they are opened.

    Raises
    ------
    BadInput
        When it names a file outside its folder, or none that is there.
    """
    assert source.path is not None
    limits.check_file(source.size)
    folder = source.path.parent.resolve()
    dataset = read_dataset(source, limits, ("DirectoryRecordSequence",))
    with dicom_errors():
        names = [record.get("ReferencedFileID") for record in dataset.get("DirectoryRecordSequence") or ()]
        parts = [[name] if isinstance(name, str) else [str(part) for part in name] for name in names if name]
    if len(parts) > MAX_FILES:
        raise BadInput(f"The DICOMDIR names more than {MAX_FILES} files: give the folder of one series.")
    named = list(dict.fromkeys(_inside(folder, names) for names in parts))
    files = [path for path in named if _is_file(path)]
    if not files:
        raise BadInput("The DICOMDIR names no image that is there: give the whole folder it came in.")
    there = [Source.of_file(path, str(path.relative_to(folder))) for path in files]
    return there + [Source.absent(path.name, _MISSING) for path in named if path not in set(files)]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name longer than the disk allows
        return False


def _inside(folder: Path, parts: list[str]) -> Path:
    """Resolve a name of the DICOMDIR, links followed, and refuse what leaves the folder."""
    outside = BadInput("The DICOMDIR points outside its own folder: give the folder of images itself.")
    if any("\0" in part for part in parts):
        raise outside
    try:
        path = folder.joinpath(*parts).resolve()
    except (OSError, RuntimeError):
        raise outside from None
    if not path.is_relative_to(folder):
        raise outside
    return path
