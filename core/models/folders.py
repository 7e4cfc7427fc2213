"""The library's folders and cards, readable without torch."""

import contextlib
import hashlib
from functools import lru_cache
from pathlib import Path

from core.errors import BadInput
from core.models.card import Card, read_card
from core.settings import ASSETS, settings

_CONTENT = ("card.yaml", "weights.safetensors", "references.safetensors")


def library_folders() -> dict[str, Path]:
    """Model name → folder, from ``assets/models`` and then the configured models folder (which wins)."""
    found: dict[str, Path] = {}
    for parent in (ASSETS / "models", settings().models_dir):
        if parent is not None and parent.is_dir():
            found |= {path.parent.name: path.parent for path in sorted(parent.glob("*/card.yaml"))}
    return found


def list_cards() -> list[Card]:
    """Cards of every model in the library, by name; unreadable folders are left out (``doctor`` names them)."""
    cards = []
    for folder in library_folders().values():
        try:
            cards.append(read_card(folder))
        except BadInput:
            continue
    return sorted(cards, key=lambda card: card.name)


def resolve(name: str | Path) -> Path:
    """Folder of a model given by library name or by path.

    Raises
    ------
    BadInput
        When neither exists; lists the library.
    """
    folders = library_folders()
    if str(name) in folders:
        return folders[str(name)]
    folder = Path(name)
    if str(name) and (folder / "card.yaml").is_file():
        return folder
    for other in folders.values():  # a folder may be called otherwise than its card
        with contextlib.suppress(BadInput):
            if read_card(other).name == str(name):
                return other
    known = ", ".join(sorted(folders)) or "none (run `make assets`)"
    raise BadInput(f"There is no model {str(name)!r}. Models in the library: {known}.")


def folder_hash(folder: Path) -> str:
    """SHA-256 over the bytes of a model folder's card, weights and references (64 hex digits)."""
    stamps = []
    for name in _CONTENT:
        path = folder / name
        if path.is_file():
            status = path.stat()
            stamps.append((str(path), status.st_mtime_ns, status.st_size))
    return _hash_files(tuple(stamps))


@lru_cache(maxsize=64)
def _hash_files(stamps: tuple[tuple[str, int, int], ...]) -> str:
    digest = hashlib.sha256()
    for path, _, size in stamps:
        digest.update(f"{Path(path).name}:{size}:".encode())
        with Path(path).open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
