"""How good a classifier is on subjects it never saw, and whether it looks where the disease is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from core.training.fitting.fills import random_blobs
from core.training.fitting.loop import probabilities


def held_out_metrics(probability: np.ndarray, labels: np.ndarray, target: int, seed: int) -> dict[str, Any]:
    """Balanced accuracy, area under the ROC curve of the target class, 95 % intervals.

    The interval of the balanced accuracy is that of `balanced_accuracy`. The area's is a bootstrap, left out where it
    is empty.

    Parameters
    ----------
    probability : numpy.ndarray, shape (N, classes)
        Class probabilities, one row a subject.
    labels : numpy.ndarray of int, shape (N,)
        True classes.
    target : int
        Class whose ROC is taken (against all others).
    seed : int
        Of the bootstrap: 2,000 draws of subjects, class by class, percentiles 2.5 and 97.5.
    """
    accuracy, interval = balanced_accuracy(labels, probability.argmax(axis=1))
    members = [np.flatnonzero(labels == c) for c in np.unique(labels)]
    metrics: dict[str, Any] = {
        "subjects": len(labels),
        "balanced_accuracy": round(accuracy, 4),
        "balanced_accuracy_95": [round(bound, 4) for bound in interval],
        "auc": round(area_under_curve(probability, labels, target), 4),
    }
    random = np.random.default_rng(seed)
    draws = [np.concatenate([random.choice(m, len(m)) for m in members]) for _ in range(2000)]
    spread = np.percentile([area_under_curve(probability[d], labels[d], target) for d in draws], (2.5, 97.5))
    if spread[0] < spread[1]:
        metrics["auc_95"] = [round(float(v), 4) for v in spread]
    return metrics


def film_metrics(
    probability: np.ndarray, labels: np.ndarray, classes: tuple[str, ...], patients: Sequence[str] | None = None
) -> dict[str, Any]:
    """What a classifier of several equal classes did: films, balanced accuracy with interval, recalls, confusion.

    Parameters
    ----------
    probability : numpy.ndarray, shape (N, classes)
        Class probabilities, one row a film.
    labels : numpy.ndarray of int, shape (N,)
        True classes, index into `classes`.
    classes : tuple of str
        Names. Those without a film are left out of the balanced accuracy and of ``recall``.
    patients : sequence of str, optional
        Whose film it is; see `balanced_accuracy`.

    Returns
    -------
    dict
        ``films``, ``balanced_accuracy``, ``balanced_accuracy_95``, ``recall`` (class → share), ``confusion`` (one
        list a true class, counts of the predicted ones); with `patients` their number.
    """
    predicted = probability.argmax(axis=1)
    accuracy, interval = balanced_accuracy(labels, predicted, patients)
    return {
        "films": len(labels),
        **({} if patients is None else {"patients": len(set(patients))}),
        "balanced_accuracy": round(accuracy, 4),
        "balanced_accuracy_95": [round(bound, 4) for bound in interval],
        "recall": recalls(probability, labels, classes),
        "confusion": confusion(labels, predicted, len(classes)).tolist(),
    }


def balanced_accuracy(
    labels: np.ndarray, predicted: np.ndarray, patients: Sequence[str] | None = None
) -> tuple[float, tuple[float, float]]:
    """Mean recall of the classes that occur, and its 95 % interval.

    The interval joins the Wilson intervals of the recalls (Zou and Donner's MOVER), so that it stays honest where
    every image was put right. With `patients` it is as wide as if each of them had one image a class: images of one
    patient are alike.

    Parameters
    ----------
    labels, predicted : numpy.ndarray of int, shape (N,)
        True and predicted classes.
    patients : sequence of str, optional
        Whose image it is.
    """
    members = [np.flatnonzero(labels == c) for c in np.unique(labels)]
    counted = [len(m) if patients is None else len({patients[int(i)] for i in m}) for m in members]
    recall = np.array([np.mean(predicted[m] == labels[m]) for m in members])
    bounds = np.array([wilson_interval(r * n, n) for r, n in zip(recall, counted, strict=True)])
    reach = np.sqrt(np.sum((bounds - recall[:, None]) ** 2, axis=0)) / len(members)
    accuracy = float(recall.mean())
    return accuracy, (float(accuracy - reach[0]), float(min(accuracy + reach[1], 1.0)))


def confusion(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Counts, int64, shape (classes, classes): rows are the truth, columns what was predicted."""
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (labels, predicted), 1)
    return counts


def wilson_interval(right: float, total: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927); `right` may be a share of `total` that is no whole number."""
    z = 1.959964
    share = right / total
    centre = (share + z * z / (2 * total)) / (1 + z * z / total)
    reach = z / (1 + z * z / total) * float(np.sqrt(share * (1 - share) / total + z * z / (4 * total * total)))
    return max(centre - reach, 0.0), min(centre + reach, 1.0)


def recalls(probability: np.ndarray, labels: np.ndarray, classes: tuple[str, ...]) -> dict[str, float]:
    """Share of each class that is put into it."""
    found = probability.argmax(axis=1) == labels
    return {name: round(float(found[labels == c].mean()), 4) for c, name in enumerate(classes) if np.any(labels == c)}


@dataclass(frozen=True, eq=False)
class Swap:
    """What is swapped for what in `swap_test`.

    Parameters
    ----------
    planted : numpy.ndarray of bool, spatial
        Where the disease is.
    healthy_mean : torch.Tensor, shape (C, *spatial)
        What is put there.
    support : torch.Tensor of bool, spatial
        Where there is tissue.
    spacing_mm : tuple of float
        Between samples.
    """

    planted: np.ndarray
    healthy_mean: torch.Tensor
    support: torch.Tensor
    spacing_mm: tuple[float, ...]


def swap_test(
    network: nn.Module, images: torch.Tensor, target: int, swap: Swap, random: torch.Generator
) -> dict[str, float]:
    """Mean P(target) of `images` as they are, with healthy tissue in the planted regions, and elsewhere.

    Elsewhere: ten draws of smooth blobs over as many voxels of the support, none of them planted. A network that
    uses the planted tissue loses its probability in the first case only.
    """
    planted = torch.from_numpy(swap.planted)
    planted_tissue, outside = swap.support & planted, swap.support & ~planted
    count = int(planted_tissue.sum())
    share = min(count / max(int(outside.sum()), 1), 1.0)  # more may be planted than is left
    elsewhere = []
    for _ in range(10):
        blobs = random_blobs(outside, swap.spacing_mm, 20.0, share, random)
        swapped = torch.where(blobs, swap.healthy_mean, images)
        elsewhere.append(probabilities(network, swapped)[:, target].mean())
    planted_swap = torch.where(planted_tissue, swap.healthy_mean, images)
    return {
        "voxels_swapped": count,
        "probability_before": round(float(probabilities(network, images)[:, target].mean()), 4),
        "probability_planted_swapped": round(float(probabilities(network, planted_swap)[:, target].mean()), 4),
        "probability_elsewhere_swapped": round(float(np.mean(elsewhere)), 4),
        "probability_elsewhere_swapped_lowest": round(float(np.min(elsewhere)), 4),
    }


def area_under_curve(probability: np.ndarray, labels: np.ndarray, target: int) -> float:
    """Mann-Whitney: how often a target scan scores above another; ties count half."""
    positive, negative = probability[labels == target, target], probability[labels != target, target]
    if not (len(positive) and len(negative)):
        return float("nan")
    above = (positive[:, None] > negative).mean() + 0.5 * (positive[:, None] == negative).mean()
    return float(above)
