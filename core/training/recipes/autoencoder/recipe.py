"""The recipe "autoencoder". Importable without torch, which training it imports."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.models.card import Card
from core.progress import Report, silent
from core.training.base import FRESH_SEED, Recipe
from core.training.recipes.autoencoder.parameters import AutoencoderParameters

if TYPE_CHECKING:
    from core.training.fitting.data import TrainingImages


class AutoencoderRecipe(Recipe):
    """Train IBIX's autoencoder: mean squared error, Nadam, the weights of the best validation."""

    name = "autoencoder"
    title = "Autoencoder, image to image (IBIX)"
    summary = "Makes one kind of image of another, slices or volumes, learnt from pairs by the mean squared error."
    reference = "Espadoto et al., IBIX, section 4.1"
    parameters_model = AutoencoderParameters

    def train(self, parameters: Any, cohort: Path | None, out: Path, report: Report = silent) -> Card:
        """Train on the pairs of `cohort` (or on phantoms) and write the model folder `out`; see `Recipe.train`."""
        from core.training.recipes.autoencoder.training import train

        return train(self, parameters, cohort, out, report)

    def training_images(
        self, parameters: Any, cohort: Path | None, card: Card, report: Report = silent
    ) -> "TrainingImages":
        """What it was trained on, read or drawn again; see `Recipe.training_images`."""
        from core.training.recipes.autoencoder.training import training_images

        return training_images(parameters, cohort, card, report)

    def drawn_anew(self, parameters: Any, count: int) -> Any:
        """Other people's slices; see `Recipe.drawn_anew`."""
        return parameters.model_copy(
            update={"seed": parameters.seed + FRESH_SEED, "phantom_train": count, "phantom_held_out": 1}
        )
