"""How good a classifier is on subjects it never saw, and whether it looks where the disease is."""

from typing import Any

import numpy as np
import torch
from torch import nn

from core.training.fills import random_blobs
from core.training.loop import probabilities


def held_out_metrics(probability: np.ndarray, labels: np.ndarray, target: int, seed: int) -> dict[str, Any]:
    """Balanced accuracy, area under the ROC curve of the target class, recall of each class, 95 % intervals.

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
    random = np.random.default_rng(seed)
    members = [np.flatnonzero(labels == c) for c in np.unique(labels)]
    draws = [np.concatenate([random.choice(m, len(m)) for m in members]) for _ in range(2000)]
    metrics: dict[str, Any] = {"subjects": len(labels)}
    for name, score in (("balanced_accuracy", _balanced_accuracy), ("auc", _area_under_curve)):
        spread = [score(probability[draw], labels[draw], target) for draw in draws]
        metrics[name] = round(score(probability, labels, target), 4)
        metrics[f"{name}_95"] = [round(float(v), 4) for v in np.percentile(spread, (2.5, 97.5))]
    return metrics


def recalls(probability: np.ndarray, labels: np.ndarray, classes: tuple[str, ...]) -> dict[str, float]:
    """Share of each class that is put into it."""
    found = probability.argmax(axis=1) == labels
    return {name: round(float(found[labels == c].mean()), 4) for c, name in enumerate(classes) if np.any(labels == c)}


def swap_test(
    network: nn.Module,
    images: torch.Tensor,
    target: int,
    planted: np.ndarray,
    healthy_mean: torch.Tensor,
    support: torch.Tensor,
    spacing_mm: tuple[float, ...],
    random: torch.Generator,
) -> dict[str, float]:
    """Mean P(target) of `images` as they are, with healthy tissue in the planted regions, and elsewhere.

    Elsewhere: ten draws of smooth blobs over as many voxels of the support, none of them planted. A network that
    uses the planted tissue loses its probability in the first case only.
    """
    planted_tissue = torch.from_numpy(planted > 0) & support
    outside = support & ~torch.from_numpy(planted > 0)
    count = int(planted_tissue.sum())
    share = count / max(int(outside.sum()), 1)
    elsewhere = []
    for _ in range(10):
        blobs = random_blobs(outside, spacing_mm, 20.0, share, random)
        swapped = torch.where(blobs, healthy_mean, images)
        elsewhere.append(probabilities(network, swapped)[:, target].mean())
    planted_swap = torch.where(planted_tissue, healthy_mean, images)
    return {
        "voxels_swapped": count,
        "probability_before": round(float(probabilities(network, images)[:, target].mean()), 4),
        "probability_planted_swapped": round(float(probabilities(network, planted_swap)[:, target].mean()), 4),
        "probability_elsewhere_swapped": round(float(np.mean(elsewhere)), 4),
        "probability_elsewhere_swapped_lowest": round(float(np.min(elsewhere)), 4),
    }


def _balanced_accuracy(probability: np.ndarray, labels: np.ndarray, target: int) -> float:
    found = probability.argmax(axis=1) == labels
    return float(np.mean([found[labels == c].mean() for c in np.unique(labels)]))


def _area_under_curve(probability: np.ndarray, labels: np.ndarray, target: int) -> float:
    """Mann-Whitney: how often a target scan scores above another; ties count half."""
    positive, negative = probability[labels == target, target], probability[labels != target, target]
    if not (len(positive) and len(negative)):
        return float("nan")
    above = (positive[:, None] > negative).mean() + 0.5 * (positive[:, None] == negative).mean()
    return float(above)
