"""Models: cards, the library, and meeting an input contract."""

from core.models.card import Card
from core.models.inputs import PreparedInput
from core.models.library import list_cards, load_model, save_model
from core.models.model import Model

__all__ = ["Card", "Model", "PreparedInput", "list_cards", "load_model", "save_model"]
