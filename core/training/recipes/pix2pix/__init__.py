"""Recipe "pix2pix": IBIX's MR → CT network on a folder of image pairs, or on phantoms it makes itself."""

from core.training.recipes.pix2pix.parameters import Pix2PixParameters
from core.training.recipes.pix2pix.recipe import Pix2PixRecipe

__all__ = ["Pix2PixParameters", "Pix2PixRecipe"]
