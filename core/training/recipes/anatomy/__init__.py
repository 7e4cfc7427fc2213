"""Recipe "anatomy": paper 3's three networks on films of the body's parts, with and without augmentation."""

from core.training.recipes.anatomy.parameters import SHIFTED_SEED, AnatomyParameters
from core.training.recipes.anatomy.recipe import Anatomy

__all__ = ["SHIFTED_SEED", "Anatomy", "AnatomyParameters"]
