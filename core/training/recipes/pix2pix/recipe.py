"""The recipe "pix2pix". Importable without torch, which training it imports."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.models.card import Card
from core.progress import Report, silent
from core.training.base import FRESH_SEED, Recipe
from core.training.recipes.pix2pix.parameters import Pix2PixParameters

if TYPE_CHECKING:
    from core.training.fitting.data import TrainingImages


class Pix2PixRecipe(Recipe):
    """Train pix2pix: a U-Net against a PatchGAN, with L1."""

    name = "pix2pix"
    title = "Pix2pix, image to image (IBIX)"
    summary = "Makes one kind of slice of another, learnt from pairs by a generator and a network that judges it."
    reference = "Isola et al., CVPR 2017; Espadoto et al., IBIX, section 4.2"
    parameters_model = Pix2PixParameters

    def train(self, parameters: Any, cohort: Path | None, out: Path, report: Report = silent) -> Card:
        """Train on the pairs of `cohort` (or on phantoms) and write the model folder `out`; see `Recipe.train`."""
        from core.training.recipes.pix2pix.training import train

        return train(self, parameters, cohort, out, report)

    def training_images(
        self, parameters: Any, cohort: Path | None, card: Card, report: Report = silent
    ) -> "TrainingImages":
        """What it was trained on, read or drawn again; see `Recipe.training_images`."""
        from core.training.recipes.pix2pix.training import training_images

        return training_images(parameters, cohort, card, report)

    def drawn_anew(self, parameters: Any, count: int) -> Any:
        """Other heads; see `Recipe.drawn_anew`."""
        return parameters.model_copy(
            update={"seed": parameters.seed + FRESH_SEED, "phantom_train": count, "phantom_test": 1}
        )
