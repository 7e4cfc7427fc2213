"""Superpixels (supervoxels) of an input: SLIC with any number of channels, in 2D and 3D, kept to the body."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.networks import Box

#: A body below this share of the image was not found; above the other there is no background to leave out.
_BODY_SHARES = (0.01, 0.97)


@dataclass(frozen=True, eq=False)
class Superpixels:
    """A partition of the body into superpixels D_k.

    Parameters
    ----------
    labels : numpy.ndarray of int32
        1..K, 0 outside the body.
    windows : list of Box
        Bounding box of each, in the order of the labels.
    sizes : numpy.ndarray of int
        Pixels of each.
    centres : numpy.ndarray, shape (K, axes)
        Centre of each bounding box, in samples.
    """

    labels: np.ndarray
    windows: list[Box]
    sizes: np.ndarray
    centres: np.ndarray

    def __len__(self) -> int:
        return len(self.windows)

    def within(self, shape: Sequence[int], box: Box) -> Superpixels:
        """The same superpixels on a larger grid of this shape, in which this one is `box`."""
        labels = np.zeros(tuple(shape), dtype=self.labels.dtype)
        labels[box] = self.labels
        starts = [s.start for s in box]
        windows = [
            tuple(slice(s.start + start, s.stop + start) for s, start in zip(window, starts, strict=True))
            for window in self.windows
        ]
        return Superpixels(labels, windows, self.sizes, self.centres + np.array(starts))

    def paint(self, values: np.ndarray, onto: np.ndarray | None = None, chosen: np.ndarray | None = None) -> np.ndarray:
        """Map in which each superpixel has its value, float32.

        Parameters
        ----------
        values : numpy.ndarray, shape (K,)
        onto : numpy.ndarray, optional
            Map to paint over; 0 everywhere when absent.
        chosen : numpy.ndarray of bool, shape (K,), optional
            Superpixels to paint; all when absent.
        """
        table = np.concatenate([[0.0], values]).astype(np.float32)
        painted = table[self.labels]
        if onto is None:
            onto = np.zeros(self.labels.shape, dtype=np.float32)
        kept = self.labels > 0 if chosen is None else np.concatenate([[False], chosen])[self.labels]
        return np.where(kept, painted, onto)


def window_of(region: np.ndarray) -> Box:
    """Bounding box of a region that is not empty."""
    found = []
    for axis in range(region.ndim):
        hit = np.flatnonzero(region.any(axis=tuple(a for a in range(region.ndim) if a != axis)))
        found.append(slice(int(hit[0]), int(hit[-1]) + 1))
    return tuple(found)


def body_of(image: np.ndarray) -> np.ndarray:
    """Where the body is, bool: what stands out from the background, closed and filled.

    Parameters
    ----------
    image : numpy.ndarray, shape (C, *spatial)

    Returns
    -------
    numpy.ndarray of bool, spatial shape
        Everywhere, when no background can be told from a body.
    """
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    low, high = np.percentile(image, (0.1, 99.9), axis=tuple(range(1, image.ndim)), keepdims=True)
    grey = np.clip((image - low) / np.maximum(high - low, 1e-12), 0, 1).mean(axis=0)
    if grey.max() <= grey.min():
        return np.ones(grey.shape, dtype=bool)
    # half way to Otsu's threshold: the darker half of the tissue is body too
    found = grey > grey.min() + 0.5 * (threshold_otsu(grey) - grey.min())
    found = ndimage.binary_opening(found)
    found = ndimage.binary_fill_holes(ndimage.binary_closing(np.pad(found, 2), iterations=2))
    found = found[tuple(slice(2, -2) for _ in range(found.ndim))]
    if not _BODY_SHARES[0] <= found.mean() <= _BODY_SHARES[1]:
        return np.ones(grey.shape, dtype=bool)
    return found


def superpixels_of(
    image: np.ndarray,
    count: int,
    compactness: float,
    spacing: Sequence[float],
    body: np.ndarray | None = None,
) -> Superpixels:
    """SLIC superpixels of `image`, cut to the body.

    Parameters
    ----------
    image : numpy.ndarray, shape (C, *spatial)
        Scaled to 0..1 by SLIC, channels as they are (never read as colours).
    count : int
        How many to ask for over the whole image, at most its pixels; SLIC gives about as many.
    compactness : float
        Larger: rounder; smaller: closer to edges.
    spacing : sequence of float
        Size of a sample along each axis; only their ratio matters.
    body : numpy.ndarray of bool, optional
        Pixels to keep.

    """
    from skimage.segmentation import slic

    count = min(count, int(np.prod(image.shape[1:])))
    # SLIC starts from cubes of samples whatever their spacing: thick slices are repeated until samples are about cubes
    repeats = _repeats(spacing)
    for axis, times in enumerate(repeats):
        image = np.repeat(image, times, axis=axis + 1)
    steps = np.asarray(spacing, dtype=float) / repeats
    labels = slic(
        image[0] if len(image) == 1 else image,
        n_segments=count,
        compactness=compactness,
        channel_axis=None if len(image) == 1 else 0,
        convert2lab=False,
        start_label=1,
        spacing=steps / np.exp(np.log(steps).mean()),
    )
    labels = labels[tuple(slice(times // 2, None, times) for times in repeats)]
    return _numbered(labels if body is None else np.where(body, labels, 0))


def counts_by_level(coarse: int, fine: int, levels: int) -> list[int]:
    """How many superpixels each level asks for: from `coarse` to `fine` by equal factors."""
    if levels == 1:
        return [fine]
    return [round(float(n)) for n in np.geomspace(min(coarse, fine), fine, levels)]


def touching(superpixels: Superpixels, area: np.ndarray) -> np.ndarray:
    """Which superpixels have a pixel in `area` (bool); shape (K,)."""
    return np.bincount(superpixels.labels[area].ravel(), minlength=len(superpixels) + 1)[1:] > 0


def nearest_first(superpixels: Superpixels, region: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Order of the superpixels by the distance of their centres from a region's centre of mass."""
    places = np.argwhere(region)
    # an answer of another size covers the same field of view
    scale = np.array(superpixels.labels.shape) / np.array(region.shape)
    centre = (places.mean(axis=0) + 0.5) * scale - 0.5
    return np.argsort((((superpixels.centres - centre) * np.asarray(spacing)) ** 2).sum(axis=1), kind="stable")


def _repeats(spacing: Sequence[float]) -> list[int]:
    """How often samples are repeated along each axis; at most 4 times, for memory."""
    return [int(np.clip(round(step / min(spacing)), 1, 4)) for step in spacing]


def _numbered(labels: np.ndarray) -> Superpixels:
    """Labels 1..K without gaps, with what is needed of each superpixel."""
    from scipy import ndimage

    present = np.unique(labels)
    present = present[present > 0]
    table = np.zeros(int(labels.max(initial=0)) + 1, dtype=np.int32)
    table[present] = np.arange(1, len(present) + 1)
    numbered = table[labels]
    windows = [tuple(slice(int(s.start), int(s.stop)) for s in box) for box in ndimage.find_objects(numbered)]
    sizes = np.bincount(numbered.ravel(), minlength=len(present) + 1)[1:]
    centres = np.array([[(s.start + s.stop - 1) / 2 for s in box] for box in windows]).reshape(-1, labels.ndim)
    return Superpixels(numbered, windows, sizes, centres)
