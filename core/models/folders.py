"""The library's folders and cards, readable without torch."""

import contextlib
import hashlib
import logging
from functools import lru_cache
from pathlib import Path

from core.errors import BadInput, LightboxError
from core.models.card import Card
from core.models.formats.base import FORMATS, Format
from core.models.formats.card_folder import CardFolder
from core.plugins import LeftOut, as_reason
from core.settings import ASSETS, settings

_log = logging.getLogger(__name__)


def format_of(path: Path) -> type[Format] | None:
    """The format that a folder or file is in; None where it is no model."""
    if _recognises(CardFolder, path):  # nearly every model is one: plug-ins are imported for what it does not know
        return CardFolder
    return next((known for known in FORMATS.all().values() if _recognises(known, path)), None)


def _recognises(known: type[Format], path: Path) -> bool:
    try:
        return known.sniff(path)
    except Exception:
        _log.warning("the model format %s stumbled over a path of the library", known.name, exc_info=True)
        return False


def library_folders() -> dict[str, Path]:
    """Model name → where it is, from ``assets/models`` and then the configured models folder (which wins)."""
    found: dict[str, Path] = {}
    for parent in (ASSETS / "models", settings().models_dir):
        if parent is not None and parent.is_dir():
            found |= {
                path.stem if path.is_file() else path.name: path for path in sorted(parent.glob("*")) if _is_model(path)
            }
    return found


def list_cards() -> list[Card]:
    """Cards of every model in the library, by name; `left_out` names those that are none."""
    return _sorted_out()[0]


def left_out() -> list[LeftOut]:
    """Folders of the library that cannot be used as models, each with the reason."""
    return _sorted_out()[1]


def _sorted_out() -> tuple[list[Card], list[LeftOut]]:
    """Cards by name, one a name, and what is left out: one bad card costs the others nothing."""
    folders = library_folders()
    found: dict[str, Card] = {}
    rest: list[tuple[str, str]] = []
    for place, path in folders.items():
        try:
            found[place] = card_of(path)
        except LightboxError as error:
            rest.append((place, str(error).rstrip(".")))
    taken = {place: place for place, card in found.items() if card.name == place}
    for place, card in list(found.items()):
        # a folder is found by its own name before a card's is looked at
        owner = taken.setdefault(card.name, card.name if card.name in folders else place)
        if owner != place:
            del found[place]
            rest.append(
                (place, f"its card has the name {card.name!r}, which is that of the model in {owner}: give it another")
            )
    cards = sorted(found.values(), key=lambda card: card.name)
    return cards, [LeftOut(f"The model in {place}", reason) for place, reason in sorted(rest)]


def card_of(path: Path) -> Card:
    """Card of a model, whatever its format.

    Raises
    ------
    BadInput
        When it is no model, or its card cannot be read.
    """
    known = format_of(path)
    if known is None:
        raise BadInput(f"{path.name} is in no format that models come in: {', '.join(FORMATS.all())}.")
    try:
        return known.card(path)
    except LightboxError:
        raise
    except Exception as error:
        raise BadInput(f"What the model {path.name} is cannot be read ({as_reason(error)}).") from error


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
    if str(name) and folder.exists() and _is_model(folder):
        return folder
    for other in folders.values():  # a folder may be called otherwise than its card
        with contextlib.suppress(BadInput):
            if card_of(other).name == str(name):
                return other
    known = ", ".join(sorted(folders)) or "none (run `make assets`)"
    raise BadInput(f"There is no model {str(name)!r}. Models in the library: {known}.")


def model_files(name: str | Path) -> list[Path]:
    """Files that a model given by library name or by path is read from.

    Raises
    ------
    BadInput
        As `resolve`.
    """
    folder = resolve(name)
    known = format_of(folder)
    return list(known.files(folder)) if known is not None else []


def folder_hash(folder: Path) -> str:
    """SHA-256 over the bytes of a model's files: card, weights, references (64 hex digits)."""
    known = format_of(folder)
    stamps = [(path, path.stat()) for path in (known.files(folder) if known is not None else ())]
    return _hash_files(tuple((str(path), status.st_mtime_ns, status.st_size) for path, status in stamps))


def _is_model(path: Path) -> bool:
    return format_of(path) is not None


@lru_cache(maxsize=64)
def _hash_files(stamps: tuple[tuple[str, int, int], ...]) -> str:
    digest = hashlib.sha256()
    for path, _, size in stamps:
        digest.update(f"{Path(path).name}:{size}:".encode())
        with Path(path).open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
