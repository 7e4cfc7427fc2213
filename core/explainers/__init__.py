"""Explainers, one a file, and the one function that runs them."""

from core.explainers.base import Check, Explainer, Explanation, Findings, MapArray, Question
from core.explainers.registry import describe, explainers, get_explainer
from core.explainers.run import explain

__all__ = [
    "Check",
    "Explainer",
    "Explanation",
    "Findings",
    "MapArray",
    "Question",
    "describe",
    "explain",
    "explainers",
    "get_explainer",
]
