"""Mean and spread of images that come one by one, so that memory does not grow with their number."""

from __future__ import annotations

import numpy as np


class RunningImage:
    """Mean and standard deviation, over the images so far, at every place.

    Images of another shape than the first are counted in `others`, and not added: there is no place to add them to.

    Parameters
    ----------
    spread : bool
        Whether the standard deviation is wanted too: one more array in memory.
    """

    def __init__(self, spread: bool = True) -> None:
        self.count = 0
        self.others = 0
        self._sum: np.ndarray | None = None
        self._squares: np.ndarray | None = None
        self._spread = spread

    def add(self, values: np.ndarray) -> None:
        """One more image."""
        if self._sum is None:
            self._sum = np.zeros(values.shape, dtype=np.float64)
            self._squares = np.zeros(values.shape, dtype=np.float64) if self._spread else None
        if values.shape != self._sum.shape:
            self.others += 1
            return
        # Welford: deviations from the mean before and after, so that nothing large is taken from anything large
        step = values - self._sum / max(self.count, 1)
        self._sum += values
        self.count += 1
        if self._squares is not None:
            self._squares += step * (values - self._sum / self.count)

    @property
    def mean(self) -> np.ndarray | None:
        """The mean, float32; None before the first image."""
        return None if self._sum is None else (self._sum / self.count).astype(np.float32)

    @property
    def spread(self) -> np.ndarray | None:
        """Standard deviation over the images (divided by their number), float32; None before the first, or unasked."""
        return None if self._squares is None else np.sqrt(self._squares / self.count).astype(np.float32)
