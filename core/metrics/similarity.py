"""How alike two maps are: by region of an atlas, in the eyes of a network (paper 1, section 2.4), and by rank."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch
    from torch import nn


def roi_densities(hidden: np.ndarray, labels: np.ndarray, regions: Iterable[int]) -> np.ndarray:
    """Density of a mask in each region: the mean of 1 − m over the region's voxels.

    The paper's "1 minus the sum of the values in the ROI" is read as this mean: a vector of densities, as its next
    sentence calls it, that does not depend on the regions' sizes.

    Parameters
    ----------
    hidden : numpy.ndarray
        1 − m, 0..1.
    labels : numpy.ndarray of int, same shape
        Region of each voxel.
    regions : iterable of int
        Labels, in the order of the vector; a region without voxels has density 0.

    Returns
    -------
    numpy.ndarray, float64
        One density a region, 0..1.

    Raises
    ------
    ValueError
        When mask and labels differ in shape.
    """
    wanted = np.fromiter(regions, dtype=np.int64)
    if hidden.shape != labels.shape:
        raise ValueError(f"mask {hidden.shape} and labels {labels.shape} differ in shape")
    top = int(max(labels.max(initial=0), wanted.max(initial=0))) + 1
    voxels = np.bincount(labels.ravel(), minlength=top)
    mass = np.bincount(labels.ravel(), weights=hidden.ravel().astype(np.float64), minlength=top)
    return mass[wanted] / np.maximum(voxels[wanted], 1)


def roi_similarity(one: np.ndarray, other: np.ndarray) -> float:
    """Cosine of two density vectors: 1 the same up to a factor, 0 no region in common, NaN for an empty mask."""
    norms = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / norms if norms > 0 else float("nan")


def prob_cnn(network: nn.Module, masked: Iterable[torch.Tensor], target: int) -> float:
    """The paper's prob_CNN: mean probability of the true class that `network` gives scans masked for another context.

    Parameters
    ----------
    network : torch.nn.Module
        In eval mode; logits of classes that exclude each other, (N, classes): `core.models.Model.scores`.
    masked : iterable of torch.Tensor, shape (1, C, *spatial)
        Scans hidden by masks made for another network, session or setting.
    target : int
        The true class.

    Returns
    -------
    float
        Near 1: the masks mean nothing to this network (dissimilar). It has a direction: report it both ways.

    Raises
    ------
    ValueError
        When there is no scan.
    """
    import torch

    with torch.inference_mode():
        # copies: a network may write into what it is given
        found = [float(torch.softmax(network(scan.clone()).float(), dim=1)[0, target]) for scan in masked]
    if not found:
        raise ValueError("prob_cnn needs at least one scan")
    return float(np.mean(found))


def rank_correlations(maps: Sequence[np.ndarray]) -> np.ndarray:
    """Spearman's rank correlation of every pair of maps: whether they order the samples alike.

    Parameters
    ----------
    maps : sequence of numpy.ndarray
        Of one shape. Equal values share the mean of their ranks.

    Returns
    -------
    numpy.ndarray, float64, shape (maps, maps)
        -1..1; NaN for a map that is the same everywhere.

    Raises
    ------
    ValueError
        When the maps differ in shape.
    """
    from scipy.stats import rankdata

    shapes = {values.shape for values in maps}
    if len(shapes) > 1:
        raise ValueError(f"maps of the shapes {sorted(shapes)} cannot be ordered alike")
    ranks = np.stack([rankdata(values, axis=None) for values in maps])
    ranks -= ranks.mean(axis=1, keepdims=True)
    lengths = np.sqrt((ranks**2).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        found: np.ndarray = (ranks @ ranks.T) / np.outer(lengths, lengths)
    return found


def block_labels(shape: Sequence[int], parts: int) -> np.ndarray:
    """Labels of the blocks that an image falls into when each side is cut into equal parts.

    Parameters
    ----------
    shape : sequence of int
        Of the image.
    parts : int
        Along each side; a side that is shorter is cut into its samples.

    Returns
    -------
    numpy.ndarray of int, `shape`
        From 0, without gaps.
    """
    labels = np.zeros(tuple(shape), dtype=np.int64)
    for axis, length in enumerate(shape):
        count = min(parts, length)
        along = np.arange(length) * count // length
        labels = labels * count + along.reshape([-1 if number == axis else 1 for number in range(len(shape))])
    return labels
