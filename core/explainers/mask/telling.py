"""What a mask says of itself beside its figures."""

from __future__ import annotations

from dataclasses import replace

from core.explainers.base import Check

#: Iterations in which a settled mask has become no cheaper.
WINDOW = 30
#: A mask that lies over this share of where hiding is allowed is a veil, and names no place.
VEIL = 0.5
#: Number of a mask that was not made, because healthy tissue in place of healthy tissue changes nothing.
HEALTHY_FILL = "healthy_by_healthy"


def healthy_by_healthy(name: str) -> str:
    """Why the healthy class is not asked about with healthy tissue, and what to do instead."""
    return (
        f"{name} is the healthy class, and mean healthy tissue in its place cannot be expected to change it: nothing "
        "was hidden. Choose another μ fill: a constant (0 takes tissue away), or blur."
    )


def not_applicable(check: Check) -> Check:
    """`check` of a mask that changed nothing: that it was passed says nothing; that it failed still does."""
    if check.passed is not True:
        return check
    return replace(check, passed=None, applies=False, sentence="Not applicable: the mask did not change the answer.")


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
