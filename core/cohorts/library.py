"""The library's cohorts, by name."""

import hashlib
from pathlib import Path

from core.cohorts.selection import CohortCard, read_cohort_card
from core.errors import BadInput
from core.settings import ASSETS, settings


def cohort_folders() -> dict[str, Path]:
    """Cohort name → folder, from ``assets/cohorts`` and then the configured cohorts folder (which wins)."""
    found: dict[str, Path] = {}
    for parent in (ASSETS / "cohorts", settings().cohorts_dir):
        if parent is not None and parent.is_dir():
            found |= {path.name: path for path in sorted(parent.iterdir()) if path.is_dir() and path.name[0] != "."}
    return found


def cohort_cards() -> dict[str, CohortCard]:
    """Card of every cohort of the library by name, titled; those with an unreadable ``cohort.yaml`` are left out."""
    cards = {}
    for name, folder in cohort_folders().items():
        try:
            card = read_cohort_card(folder)
        except BadInput:
            continue
        cards[name] = card.model_copy(update={"title": card.title or name})
    return cards


def library_cohort(name: str) -> Path:
    """Folder of a cohort of the library.

    Raises
    ------
    BadInput
        When there is none of this name; lists the ones there are.
    """
    folders = cohort_folders()
    if name not in folders:
        known = ", ".join(folders) or "none (set LIGHTBOX_COHORTS_DIR to a folder of cohorts)"
        raise BadInput(f"There is no cohort {name!r} in the library. Cohorts there: {known}.")
    return folders[name]


def find_cohort(name: str) -> Path:
    """Folder of a cohort as requests name it: one of the library, or the whole path of a folder.

    Raises
    ------
    BadInput
        When it is not there.
    """
    folder = Path(name)
    if not folder.is_absolute():
        return library_cohort(name)
    if not folder.is_dir():
        raise BadInput(f"The cohort folder {folder.name} is not there (any more).")
    return folder


def cohort_stamp(folder: Path) -> str:
    """SHA-256 over names, sizes and times of every file of a cohort: another one after any change (64 hex digits)."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            status = path.stat()
            digest.update(f"{path.relative_to(folder).as_posix()}:{status.st_size}:{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
