"""Numbers in sentences: one way to write them, everywhere."""


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


def sentence_case(words: str, start: bool) -> str:
    """`words` for the start of a sentence, or for its middle; only the first letter changes."""
    return (words[:1].upper() if start else words[:1].lower()) + words[1:]
