"""What is padding in an image becomes its background: the lowest value that the image itself has."""

import math

import numpy as np

from core.wording import percent


class Background:
    """Remembers which pixels of the slices of one image are padding, and gives them a value once all slices are read.

    A padding value is a mark and not an intensity: left as it is, it would be the blackest air or the brightest bone of
    the image, and take its windows and percentiles with it.
    """

    def __init__(self) -> None:
        self._marked: list[tuple[int, np.ndarray]] = []
        self._lowest = math.inf
        self._padded = 0
        self._total = 0

    def look_at(self, place: int, values: np.ndarray, padding: np.ndarray | None) -> None:
        """Take note of slice `place`: `values` (rows, columns), finite, and which of them are `padding`."""
        self._total += values.size
        padding = None if padding is None else _outside(values, padding)
        padded = 0 if padding is None else int(np.count_nonzero(padding))
        if padding is not None and padded:
            self._marked.append((place, np.packbits(padding)))
            self._padded += padded
            values = values[~padding]
        if values.size:
            self._lowest = min(self._lowest, float(values.min()))

    @property
    def found(self) -> bool:
        """Whether there is padding to fill: an image that is nothing but padding stays as it is."""
        return 0 < self._padded < self._total

    def fill(self, view: np.ndarray) -> None:
        """Give padding its value in `view` (columns, rows, slices)."""
        if not self.found:
            return
        columns, rows = view.shape[:2]
        for place, packed in self._marked:
            padding = np.unpackbits(packed, count=rows * columns).reshape(rows, columns).astype(bool)
            view[..., place].T[padding] = self._lowest

    def notes(self) -> tuple[str, ...]:
        """What to say about it."""
        if not self.found:
            return ()
        share = percent(self._padded / self._total)
        return (
            f"{share} of the image is padding, where nothing was imaged: read as its lowest value, {self._lowest:.4g}.",
        )


def _outside(values: np.ndarray, padding: np.ndarray) -> np.ndarray:
    """What of `padding` can be believed.

    Some files name a padding value that the image itself has, 0 HU for instance. Where it lies between other values,
    only what reaches the edge of the picture is padding.
    """
    own, padded = values[~padding], values[padding]
    if not (own.size and padded.size) or padded.min() <= own.min() or padded.max() >= own.max():
        return padding
    from scipy import ndimage

    pieces = ndimage.label(padding)[0]
    at_edge = np.unique(np.concatenate([pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]]))
    return np.asarray(padding & np.isin(pieces, at_edge))
