"""How far something lies from what was seen in training: the Mahalanobis distance in the directions that vary there.

The covariance is that of probabilistic principal component analysis (Tipping and Bishop, J. R. Stat. Soc. B 61, 1999):
the strongest directions with their own variance, all others with their common one. Of classes, the nearest counts (Lee
et al., NeurIPS 2018).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations, product

import numpy as np

_MOST_DIRECTIONS = 32
#: What hardly varied in training may vary by this share of what a typical number did.
_STILL = 0.05
#: No direction is believed to have less of the variance than this, where a typical one has 1.
_FLOOR = 1e-2
_TINY = 1e-9


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """Where training vectors lie.

    Parameters
    ----------
    centres : numpy.ndarray, shape (classes, D)
        Mean of each class, in units of `scale`.
    scale : numpy.ndarray, shape (D,)
        By which vectors are divided.
    directions : numpy.ndarray, shape (K, D)
        Orthonormal.
    variances : numpy.ndarray, shape (K + 1,)
        Along each of them, and at last along any other.
    """

    centres: np.ndarray
    scale: np.ndarray
    directions: np.ndarray
    variances: np.ndarray

    @classmethod
    def of(cls, vectors: np.ndarray, labels: np.ndarray) -> Neighbourhood:
        """Fit to training vectors (N, D) with a class number each."""
        known = np.unique(labels)
        means = np.stack([vectors[labels == label].mean(axis=0) for label in known])
        rest = vectors - means[np.searchsorted(known, labels)]
        scale = rest.std(axis=0)
        scale = np.maximum(scale, max(_STILL * float(np.median(scale)), _TINY))
        rest = rest / scale
        _, sizes, directions = np.linalg.svd(rest, full_matrices=False)
        variances = sizes**2 / max(len(rest) - len(known), 1)
        kept = min(_MOST_DIRECTIONS, max(len(rest) // 4, 1), len(variances))
        others = vectors.shape[1] - kept
        remaining = float(variances[kept:].sum()) / others if others else 1.0
        floored = np.maximum([*variances[:kept], remaining], _FLOOR)
        return cls(means / scale, scale, directions[:kept], floored)

    def distances(self, vectors: np.ndarray) -> np.ndarray:
        """Of vectors (N, D) from the nearest class, about 1 for those of training; shape (N,)."""
        apart = (vectors / self.scale)[:, None, :] - self.centres[None]
        along = apart @ self.directions.T
        outside = np.maximum((apart**2).sum(axis=2) - (along**2).sum(axis=2), 0)
        squared = (along**2 / self.variances[:-1]).sum(axis=2) + outside / self.variances[-1]
        nearest: np.ndarray = np.sqrt(squared / vectors.shape[1]).min(axis=1)
        return nearest


@dataclass(frozen=True, eq=False)
class Orientation:
    """How much nearer to the training scans something would lie, were it turned or mirrored.

    A picture that hangs upside down may have about the distance that others have, and yet be nearer the other way
    round: the two distances are compared, so that all else that is unusual in it counts for nothing.

    Parameters
    ----------
    upright : Neighbourhood
        Of what lies where in the training scans, as they are.
    shape : tuple of int
        Sides of what its vectors hold, all alike.
    """

    upright: Neighbourhood
    shape: tuple[int, ...]

    def distances(self, vectors: np.ndarray) -> np.ndarray:
        """Of vectors (N, D) as they are, over that of their nearest other orientation; shape (N,).

        Above 1 where another orientation would fit better. Heads and hands are much like their mirror images: about 1
        is usual.
        """
        others = [self.upright.distances(turned) for turned in self._turned(vectors)]
        ratio: np.ndarray = self.upright.distances(vectors) / np.maximum(np.min(others, axis=0), _TINY)
        return ratio

    def _turned(self, vectors: np.ndarray) -> Iterator[np.ndarray]:
        """The vectors in every other orientation: axes exchanged and turned round, each in every way."""
        arrays = vectors.reshape(-1, *self.shape)
        axes = range(1, len(self.shape) + 1)
        for order, signs in product(permutations(axes), product((1, -1), repeat=len(self.shape))):
            if order == tuple(axes) and min(signs) == 1:
                continue
            turned = arrays.transpose(0, *order)[(slice(None), *(slice(None, None, sign) for sign in signs))]
            yield turned.reshape(len(vectors), -1)
