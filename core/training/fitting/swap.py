"""Whether a classifier looks where the disease is: healthy tissue put there, and elsewhere."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from core.training.fitting.fills import random_blobs
from core.training.fitting.loop import probabilities


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
