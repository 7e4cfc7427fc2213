"""IBIX (Espadoto et al.): what a marked place changes at the other side of a model, or what there it rests on."""

from core.explainers.ibix.explainer import Ibix

__all__ = ["Ibix"]
