"""The filters that a map was made of, in words and figures."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from core.explainers.extras import Part, Parts

_HELP = (
    "The layer's filters that this film excites most, each projected back to the film alone: bright is where what it "
    "saw lies. Every picture has its own scale. Click one to see it large."
)
_ABSENT = "Only the combined map was kept: set Each filter alone to always, explain again, and each can be seen."


def array_of(number: int) -> str:
    """Name of a filter's own map among the arrays."""
    return f"filter_{number:03d}"


def filters_as_parts(
    layer: str,
    scores: Mapping[int, float],
    kept: Collection[str],
    whole: float | None = None,
    held: float | None = None,
    there: int | None = None,
) -> Parts:
    """What is to be said of the filters that a map was made of.

    Parameters
    ----------
    layer : str
        Whose filters.
    scores : mapping of int to float
        Filter, from 0 → what it was chosen by; strongest first.
    kept : collection of str
        Names of the arrays there are.
    whole : float, optional
        Score of the whole layer; None where the scores are no parts of one: of largest activations there is no whole.
    held : float, optional
        Part of the layer's activation that these filters hold, 0..1.
    there : int, optional
        How many filters the layer has.
    """
    members = tuple(_part(number, score, kept, whole) for number, score in scores.items())
    used = f"The {len(members)} strongest" if len(members) != 1 else "The strongest"
    of = f"{used} of {there} filters" if there else f"{used} filter{'s' if len(members) != 1 else ''}"
    verb = ("hold", "were used") if len(members) != 1 else ("holds", "was used")
    sentence = f"{of} {verb[1]}." if held is None else f"{of} {verb[0]} {held:.0%} of the layer's activation."
    return Parts("filter", "filters", layer, members, sentence, _HELP, _ABSENT)


def _part(number: int, score: float, kept: Collection[str], whole: float | None) -> Part:
    share = score / whole if whole else None
    caption = f"score {score:.3g}" if share is None else f"{share:.1%} of the layer"
    array = array_of(number)
    return Part(number, f"Filter {number}", score, share, array if array in kept else None, caption)
