"""Which classes probabilities call. Importable without torch, for those who have nothing but a stored answer."""

from collections.abc import Mapping

#: From here on a class that stands for itself is called.
ENOUGH = 0.5
#: How closely probabilities of classes that exclude each other add up to 1.
_SUM = 1e-3


def exclude_each_other(probabilities: Mapping[str, float]) -> bool:
    """Whether probabilities (class → 0..1) are of classes that exclude each other: two or more that add up to 1."""
    return len(probabilities) > 1 and abs(sum(probabilities.values()) - 1) <= _SUM


def called(probabilities: Mapping[str, float]) -> tuple[str, ...]:
    """The classes that a model calls, the likeliest first.

    Of classes that exclude each other the likeliest; of classes that each stand for themselves those from 0.5 on, which
    may be none.
    """
    ranked = sorted(probabilities, key=lambda name: -probabilities[name])
    if exclude_each_other(probabilities):
        return tuple(ranked[:1])
    return tuple(name for name in ranked if probabilities[name] >= ENOUGH)
