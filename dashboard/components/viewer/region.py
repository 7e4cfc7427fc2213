"""Regions on their way between the browser and Python: run lengths there, checked boolean arrays here.

A region travels as ``{"shape": [X, Y, Z], "runs": [start, length, start, length, ...]}`` with starts counted in Fortran
order (first axis fastest), the order in which the browser holds the volume.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.errors import BadInput

#: Most runs a region may have. A region that a person painted has a few thousand; noise over a whole scan has millions.
MAX_RUNS = 200_000


def encode_region(region: np.ndarray) -> dict[str, list[int]]:
    """Pack a region as run lengths.

    Parameters
    ----------
    region : numpy.ndarray, bool
        Marked samples, of the scan's spatial shape (2D or 3D).

    Returns
    -------
    dict
        ``shape`` and ``runs`` as described at the top of the module.
    """
    flat = np.asarray(region, dtype=bool).ravel(order="F")
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flat, [False])).astype(np.int8)))
    runs = edges.reshape(-1, 2).copy()
    runs[:, 1] -= runs[:, 0]
    return {"shape": [int(n) for n in region.shape], "runs": [int(n) for n in runs.ravel()]}


def decode_region(payload: Any, shape: Sequence[int]) -> np.ndarray | None:
    """Check what a browser sent as a region and unpack it.

    Parameters
    ----------
    payload : Any
        Whatever arrived: nothing in it is trusted.
    shape : sequence of int
        Spatial shape of the scan that the region must belong to.

    Returns
    -------
    numpy.ndarray, bool, of shape `shape`, or None
        None where nothing is marked.

    Raises
    ------
    BadInput
        When the payload is not a region of exactly this shape.
    """
    if payload is None:
        return None
    expected = [int(n) for n in shape]
    if not isinstance(payload, Mapping) or set(payload) != {"shape", "runs"}:
        raise BadInput("The browser sent something that is not a region; clear the region and draw it again.")
    if not _whole_numbers(payload["shape"], at_most=4) or list(payload["shape"]) != expected:
        raise BadInput("The region belongs to another image; clear it and draw it on the one that is shown.")
    runs = payload["runs"]
    if not _whole_numbers(runs, at_most=2 * MAX_RUNS) or len(runs) % 2:
        raise BadInput("The region is malformed or too ragged to use; clear it and draw a simpler one.")
    if not runs:
        return None
    pairs = np.array(runs, dtype=np.int64).reshape(-1, 2)
    starts, lengths = pairs[:, 0], pairs[:, 1]
    total = math.prod(expected)
    in_bounds = starts[0] >= 0 and bool((lengths > 0).all()) and bool((lengths <= total).all())
    # a run may end where the next one starts, never beyond: sorted and without overlap
    if not in_bounds or bool((starts[1:] < (starts + lengths)[:-1]).any()) or starts[-1] + lengths[-1] > total:
        raise BadInput("The region reaches outside the image; clear it and draw it again.")
    flat = np.zeros(total, dtype=bool)
    for start, length in pairs:
        flat[start : start + length] = True
    return flat.reshape(expected, order="F")


def _whole_numbers(value: Any, at_most: int) -> bool:
    """Whether `value` is a list of at most `at_most` integers (bool is not one) that int64 arithmetic can hold."""
    if not isinstance(value, list) or len(value) > at_most:
        return False
    return all(type(n) is int and -(2**62) < n < 2**62 for n in value)
