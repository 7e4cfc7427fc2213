"""Files and folders that a cohort names."""

from collections.abc import Callable
from pathlib import Path

from core.errors import BadInput

IMAGE_ENDINGS = (".nii.gz", ".nii", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".dcm")


def stem_of(path: Path) -> str:
    """Name of an image without its ending."""
    ending = next((ending for ending in IMAGE_ENDINGS if path.name.lower().endswith(ending)), "")
    return path.name[: len(path.name) - len(ending)]


def is_there(test: Callable[[], bool]) -> bool:
    """Answer of `Path.is_file` or `Path.is_dir`, which raise where a name is longer than any file's."""
    try:
        return test()
    except OSError:
        return False


def refuse_outside(folder: Path, path: Path, whose: str) -> None:
    """Refuse a file that lies outside the cohort, links followed.

    Parameters
    ----------
    folder : pathlib.Path
        The cohort's.
    path : pathlib.Path
        The file.
    whose : str
        Start of the sentence: "The scan of sub-01 lies".

    Raises
    ------
    BadInput
    """
    if not path.resolve().is_relative_to(folder.resolve()):
        raise BadInput(f"{whose} outside the cohort folder: copy the file in.")
