"""What a mask says of itself beside its figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.explainers.base import Check
from core.metrics.sanity import Drop
from core.wording import listed

#: Iterations in which a settled mask has become no cheaper.
WINDOW = 30
#: A mask that lies over this share of the tissue that it may hide is a veil, and names no place.
VEIL = 0.5
#: What to try after one.
VEIL_REMEDY = (
    "A mask over most of what can be hidden names no place. Try a larger λ₁, which makes hiding dearer, another μ "
    "fill, or another explainer."
)
#: Other fills than each.
_OTHER_FILLS = {
    "healthy_mean": "a constant, or blur",
    "blur": "a constant, or the mean healthy scan where the model has one",
    "constant": "blur, or the mean healthy scan where the model has one",
}
#: Iterations that most masks need.
_ENOUGH = 300
#: Number of a mask that was not made, because healthy tissue in place of healthy tissue changes nothing.
HEALTHY_FILL = "healthy_by_healthy"


def healthy_by_healthy(name: str) -> str:
    """Why the healthy class is not asked about with healthy tissue, and what to do instead."""
    return (
        f"{name} is the healthy class, and mean healthy tissue in its place cannot be expected to change it: nothing "
        "was hidden. Choose another fill (μ): one value (0 takes tissue away), or the blurred scan."
    )


def not_applicable(check: Check, reason: str) -> Check:
    """`check` of a mask that is no place, for `reason`: that it was passed says nothing; that it failed still does."""
    if check.passed is not True:
        return check
    return replace(check, passed=None, applies=False, sentence=f"Not applicable: {reason}.")


def goal_remedy(parameters: Mapping[str, Any]) -> str:
    """What to try after a mask that missed its goal with `parameters` (or only those of them that a record has)."""
    tried = []
    if parameters.get("start") == "ones":
        tried.append("the preset robust")
    others = _OTHER_FILLS.get(parameters.get("mu", ""))
    tried.append(f"another μ fill ({others})" if others else "another μ fill")
    if parameters.get("iterations", _ENOUGH) < _ENOUGH:
        tried.append("more iterations")
    tried.append("a smaller λ₁")
    return f"No mask brought the answer down to the goal. Try {listed(tried)}."


def remedy_of(check: Mapping[str, Any], parameters: Mapping[str, Any], before: float | None) -> str:
    """`Check.remedy` of a check in a record of before that was written; `before`: the class's probability, if known."""
    if check["passed"] is not False:
        return ""
    if check["name"] == "empty" and check.get("value"):
        return VEIL_REMEDY
    if check["name"] == "goal" and before is not None and Drop(before, check["value"]).enough:
        return ""
    return goal_remedy(parameters) if check["name"] in ("goal", "empty") else ""


def settled_check(improved: float, settled: bool, iterations: int) -> Check:
    """Whether more iterations would have made the mask smaller; it informs, and fails nothing."""
    if settled or improved == 0:
        sentence = f"The mask had settled after {iterations} iterations: {_fall(improved)}."
    else:
        fall = _fall(improved) if improved < 1 else "it had not met the goal long enough to tell"
        sentence = (
            f"The iterations ended after {iterations} before the mask had settled: {fall}. More may make it smaller."
        )
    return Check("settled", "As small as it gets", improved, sentence)


def _fall(improved: float) -> str:
    return f"in the last {WINDOW} it became {improved:.1%} cheaper"
