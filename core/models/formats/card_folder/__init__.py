"""Lightbox's own format: a folder with ``card.yaml`` and ``weights.safetensors``."""

from core.models.formats.card_folder.format import CardFolder

__all__ = ["CardFolder"]
