"""What several maps have in common, sample by sample: which samples each marks, and how many mark the same."""

from collections.abc import Sequence

import numpy as np

#: Most samples that are ordered when two maps are compared by rank: more change nothing in the first two digits.
MOST_ORDERED = 1_000_000


def strongest(sizes: np.ndarray, share: float) -> np.ndarray:
    """Samples that a map marks: the strongest `share` of all, and whatever is as strong as the weakest of these.

    Parameters
    ----------
    sizes : numpy.ndarray
        How much the map says of each sample, from 0 (nothing).
    share : float
        0..1, of all samples.

    Returns
    -------
    numpy.ndarray of bool
        Of the same shape. A sample of which the map says nothing is never marked: a map that is zero nearly everywhere
        marks less than `share`.
    """
    flat = np.asarray(sizes).ravel()
    count = min(max(round(share * flat.size), 1), flat.size)
    least = np.partition(flat, flat.size - count)[flat.size - count]
    marked: np.ndarray = (sizes >= least) & (sizes > 0)
    return marked


def agreement(marked: Sequence[np.ndarray]) -> np.ndarray:
    """Share of maps that mark each sample, float32, 0..1.

    Parameters
    ----------
    marked : sequence of numpy.ndarray of bool
        Of one shape, from `strongest`.

    Raises
    ------
    ValueError
        When there is none, or they differ in shape.
    """
    if not marked or len({one.shape for one in marked}) > 1:
        raise ValueError("agreement is of one map or more, of one shape")
    total = np.zeros(marked[0].shape, dtype=np.float32)
    for one in marked:
        total += one
    return total / np.float32(len(marked))


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Dice coefficient of what two maps mark: 1 the same samples, 0 none in common, NaN where neither marks any."""
    total = int(one.sum()) + int(other.sum())
    return 2.0 * int((one & other).sum()) / total if total else float("nan")


def thinned(values: np.ndarray, most: int = MOST_ORDERED) -> np.ndarray:
    """Every so many-th sample along each axis, so that at most about `most` are left."""
    step = int(np.ceil((values.size / most) ** (1 / values.ndim))) if values.size > most else 1
    kept: np.ndarray = values[(slice(None, None, step),) * values.ndim]
    return kept
