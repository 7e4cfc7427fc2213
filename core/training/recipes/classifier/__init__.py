"""Recipe "classifier": paper 1's network on any cohort of labelled scans, or on phantoms it makes itself."""

from core.training.recipes.classifier.recipe import Classifier

__all__ = ["Classifier"]
