"""Mask perturbation (Thibeau-Sutre et al., SPIE 2020): a small part that is enough to replace for another answer."""

from core.explainers.mask.explainer import Mask

__all__ = ["Mask"]
