"""Training recipes: `get_recipe(name)` gives one; ``python -m core train NAME`` runs it."""

from core.training.base import Recipe, get_recipe, known_recipes

__all__ = ["Recipe", "get_recipe", "known_recipes"]
