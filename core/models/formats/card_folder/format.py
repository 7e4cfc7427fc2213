"""Recognising a model folder; `core.models.formats.card_folder.reading` reads it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from core.models.card import Card, read_card
from core.models.formats.base import Format

if TYPE_CHECKING:
    from core.models.model import Model

_CONTENT = ("card.yaml", "weights.safetensors", "references.safetensors")


class CardFolder(Format):
    """A card that names an architecture, its weights, and arrays that lie on the model's grid."""

    name: ClassVar[str] = "card-folder"
    title: ClassVar[str] = "Folder with card.yaml and weights.safetensors"

    @classmethod
    def sniff(cls, path: Path) -> bool:
        """A folder with a card, also one that cannot be read: that is said, and not overlooked."""
        return os.path.lexists(path / "card.yaml")

    @classmethod
    def files(cls, path: Path) -> list[Path]:
        """Card, weights and references, those that are there."""
        return [path / name for name in _CONTENT if (path / name).is_file()]

    @classmethod
    def card(cls, path: Path) -> Card:
        """The card; raises `core.errors.BadInput` when it cannot be read."""
        return read_card(path)

    @classmethod
    def load(cls, path: Path, device: str | None = None) -> Model:
        """See `core.models.formats.card_folder.reading.load_folder`."""
        from core.models.formats.card_folder.reading import load_folder

        return load_folder(path, device)
