"""Recipe "autoencoder": IBIX's T1 → T2 autoencoder on a folder of image pairs, or on phantoms it makes itself."""

from core.training.recipes.autoencoder.parameters import AutoencoderParameters
from core.training.recipes.autoencoder.recipe import AutoencoderRecipe

__all__ = ["AutoencoderParameters", "AutoencoderRecipe"]
