"""The recipe "classifier". Importable without torch, which training it imports."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.models.card import Card
from core.progress import Report, silent
from core.training.base import FRESH_SEED, Recipe
from core.training.recipes.classifier.parameters import ClassifierParameters

if TYPE_CHECKING:
    import numpy as np

    from core.training.fitting.data import TrainingImages


class Classifier(Recipe):
    """Train paper 1's network: balanced batches of twins, one-cycle Adam, random fills, batch norm re-estimated."""

    name = "classifier"
    title = "Classifier (paper 1)"
    summary = (
        "Tells the classes of any labelled scans apart, volumes or slices, and is hardened against what masks paint."
    )
    reference = "Thibeau-Sutre et al., SPIE Medical Imaging 2020"
    parameters_model = ClassifierParameters

    def train(self, parameters: Any, cohort: Path | None, out: Path, report: Report = silent) -> Card:
        """Train on `cohort` (or on phantoms) and write the model folder `out`; see `Recipe.train`."""
        from core.training.recipes.classifier.training import train

        return train(self, parameters, cohort, out, report)

    def training_images(
        self, parameters: Any, cohort: Path | None, card: Card, report: Report = silent
    ) -> "TrainingImages":
        """What it was trained on, read or drawn again; see `Recipe.training_images`."""
        from core.training.recipes.classifier.training import training_images

        return training_images(parameters, cohort, card, report)

    def healthy_subjects(
        self, parameters: Any, cohort: Path | None, card: Card, count: int, report: Report = silent
    ) -> "list[np.ndarray]":
        """Healthy subjects that it was trained on, read or drawn again; see `Recipe.healthy_subjects`."""
        from core.training.recipes.classifier.training import healthy_subjects

        return healthy_subjects(parameters, cohort, card, count, report)

    def drawn_anew(self, parameters: Any, count: int) -> Any:
        """Other people without a twin; see `Recipe.drawn_anew`."""
        return parameters.model_copy(
            update={
                "seed": parameters.seed + FRESH_SEED,
                "phantom_twins": 1,
                "phantom_singles": max(2, -(-count // 2)),
            }
        )
