"""Colours of maps: the tables and the ranges of the screen, for every picture that leaves it."""

from typing import Literal

import numpy as np

Kind = Literal["attribution", "mask", "image", "answer", "labels"]
GREY_KINDS = ("image", "answer")
#: Percentiles that the first window of an image shows.
WINDOW_PERCENTILES = (1, 99.5)
#: The scale of sizes reaches at least to this share of the largest: few samples beyond all others may leave it.
LEAST_SCALE = 0.1


def colour_table(kind: Kind, signed: bool) -> str:
    """Matplotlib's name of the colours on screen: blue to red with signs, grey for images, magma for other maps."""
    return "coolwarm" if signed else "gray" if kind in GREY_KINDS else "magma"


def display_range(values: np.ndarray, kind: Kind = "attribution", neutral: float | None = None) -> tuple[float, float]:
    """Values at the two ends of the colours that a map has on screen.

    Returns
    -------
    (float, float)
        With signs (`neutral` given) the same distance on both sides of it; 0 and 1 of a mask; 0 and the largest of
        labels; of images what the viewer's first window shows; of any other map its smallest and largest value.
    """
    shown = np.asarray(values)
    low, high = float(shown.min()), float(shown.max())
    if neutral is not None:
        reach = max(high - neutral, neutral - low)
        return neutral - reach, neutral + reach
    if kind == "mask":
        return 0.0, 1.0
    if kind == "labels":
        return 0.0, high
    if kind in GREY_KINDS:
        window = np.percentile(shown, WINDOW_PERCENTILES)
        return (float(window[0]), float(window[1])) if window[1] > window[0] else (low, high)
    return low, high


def sizes(values: np.ndarray, neutral: float) -> np.ndarray:
    """How far a map with signs is from saying nothing, float32: what the screen calls heat."""
    found: np.ndarray = np.abs(np.asarray(values) - np.float32(neutral)).astype(np.float32, copy=False)
    return found


def largest_size(window_high: float, high: float) -> float:
    """Size at the upper end of the heat colours, which begin at 0.

    Parameters
    ----------
    window_high : float
        Upper end of the first window of the sizes, a percentile (`WINDOW_PERCENTILES`).
    high : float
        Largest size.
    """
    return max(window_high, LEAST_SCALE * high)
