"""Numbers and names in sentences: one way to write them, everywhere."""

from collections.abc import Sequence

#: Classes that cards name by the abbreviations of the field.
_SPELLED_OUT = {
    "AD": "Alzheimer's disease",
    "CN": "cognitively normal",
    "MCI": "mild cognitive impairment",
    "FTD": "frontotemporal dementia",
    "DLB": "dementia with Lewy bodies",
    "PD": "Parkinson's disease",
    "MS": "multiple sclerosis",
    "TB": "tuberculosis",
}


def percent(share: float) -> str:
    """A share or probability in words that do not overstate it.

    Whole percents in the middle, tenths near the ends (where they matter), and never 0 % or 100 % for what is merely
    close: a softmax is never sure.

    Parameters
    ----------
    share : float
        0..1.

    Returns
    -------
    str
        ``"42%"``, ``"3.4%"``, ``"99.2%"``; ``"<0.1%"`` and ``">99.9%"`` where tenths would round to the end.
    """
    if share < 0.0005:
        return "<0.1%"
    if share >= 0.9995:
        return ">99.9%"
    return f"{share:.0%}" if 0.0995 <= share < 0.9005 else f"{share:.1%}"


def listed(words: Sequence[str]) -> str:
    """Several things in a sentence: "a", "a and b", "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def sentence_case(words: str, start: bool) -> str:
    """`words` for the start of a sentence, or for its middle; only the first letter changes."""
    return (words[:1].upper() if start else words[:1].lower()) + words[1:]


def without_shared_lead(titles: Sequence[str]) -> list[str]:
    """Titles without the words before the first comma where these are the same for all: they tell nothing apart.

    Parameters
    ----------
    titles : sequence of str
        Of things that stand beside each other.

    Returns
    -------
    list of str
        ``["Anatomy, shallow network", "Anatomy, deeper network"]`` → ``["Shallow network", "Deeper network"]``; a
        single title, and titles with different leads or none, as they are.
    """
    parts = [title.partition(", ") for title in titles]
    if len(parts) < 2 or len({lead for lead, _, _ in parts}) > 1 or not all(rest for _, _, rest in parts):
        return list(titles)
    return [sentence_case(rest, True) for _, _, rest in parts]


def spelled_out(name: str) -> str:
    """A class in words, where its name is a usual abbreviation of the field; else as it is."""
    return _SPELLED_OUT.get(name, name)


def class_titles(names: Sequence[str]) -> dict[str, str]:
    """Titles of those classes whose names are usual abbreviations, for a model's card."""
    return {name: spelled_out(name) for name in names if spelled_out(name) != name}
