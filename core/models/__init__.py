"""Models: cards, the library, and meeting an input contract.

Names are imported when first used, so that cards can be listed without paying for torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.models.card import Card
    from core.models.folders import list_cards
    from core.models.inputs import PreparedInput
    from core.models.library import load_model, save_model
    from core.models.model import Model

__all__ = ["Card", "Model", "PreparedInput", "list_cards", "load_model", "save_model"]

_HOME = {
    "Card": "card",
    "Model": "model",
    "PreparedInput": "inputs",
    "list_cards": "folders",
    "load_model": "library",
    "save_model": "library",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
