"""Explainers, one a file, and the one function that runs them.

Only `explain` and the explainers themselves need torch; it is imported when they are first used.
"""

from typing import TYPE_CHECKING, Any

from core.explainers.base import Check, Explainer, Explanation, Findings, MapArray, Question
from core.explainers.checked_map import CheckedMap, MapParameters
from core.explainers.extras import Curve, Part, Parts
from core.explainers.registry import describe, explainers, get_explainer
from core.explainers.sampling import BaselineMap, BaselineParameters

if TYPE_CHECKING:
    from core.explainers.run import explain

__all__ = [
    "BaselineMap",
    "BaselineParameters",
    "Check",
    "CheckedMap",
    "Curve",
    "Explainer",
    "Explanation",
    "Findings",
    "MapArray",
    "MapParameters",
    "Part",
    "Parts",
    "Question",
    "describe",
    "explain",
    "explainers",
    "get_explainer",
]


def __getattr__(name: str) -> Any:
    if name != "explain":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from core.explainers.run import explain

    return explain
