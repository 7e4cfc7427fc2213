"""The recipe "anatomy". Importable without torch, which training it imports."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.models.card import Card
from core.progress import Report, silent
from core.training.base import FRESH_SEED, Recipe
from core.training.recipes.anatomy.parameters import AnatomyParameters

if TYPE_CHECKING:
    from core.training.fitting.data import TrainingImages


class Anatomy(Recipe):
    """Train one of paper 3's networks: split by patient, balanced batches, one-cycle Adam, augmentation."""

    name = "anatomy"
    title = "Anatomy of radiographs (paper 3)"
    summary = "Tells what is shown on films apart, split by patient, with films changed at random while training."
    reference = "Kumar and Menkovski 2016, tables 2 to 4"
    parameters_model = AnatomyParameters

    def train(self, parameters: Any, cohort: Path | None, out: Path, report: Report = silent) -> Card:
        """Train on `cohort` (or on phantoms) and write the model folder `out`; see `Recipe.train`."""
        from core.training.recipes.anatomy.training import train

        return train(self, parameters, cohort, out, report)

    def training_images(
        self, parameters: Any, cohort: Path | None, card: Card, report: Report = silent
    ) -> "TrainingImages":
        """What it was trained on, read or drawn again; see `Recipe.training_images`."""
        from core.training.recipes.anatomy.training import training_images

        return training_images(parameters, cohort, card, report)

    def drawn_anew(self, parameters: Any, count: int) -> Any:
        """Films of other people; see `Recipe.drawn_anew`."""
        from core.phantoms.radiographs.films import ANATOMIES

        films = max(2, -(-count // len(ANATOMIES)))
        return parameters.model_copy(update={"seed": parameters.seed + FRESH_SEED, "films": films})
