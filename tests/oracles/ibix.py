"""IBIX the long way, float64: eq. 1, 5, 6 and 7 one jitter and superpixel after another; the published program."""

import copy
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

#: (C, *spatial) → (C_out, *spatial) or (classes,), float64
Function = Callable[[np.ndarray], np.ndarray]


def function(network: nn.Module) -> Function:
    """`network` in float64, asked one input at a time."""
    exact = copy.deepcopy(network).double()

    def f(x: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return exact(torch.from_numpy(np.asarray(x, dtype=np.float64))[None])[0].numpy()

    return f


def single_perturbation(f: Function, x: np.ndarray, mask: np.ndarray, h: float) -> np.ndarray:
    """Eq. 1: (f(x + hM) − f(x)) / h."""
    return (f(x + h * mask) - f(x)) / h


def forward(f: Function, x: np.ndarray, mask: np.ndarray, largest: float, count: int) -> np.ndarray:
    """Eq. 5 with N = count / 2 for h_k = kH/N, k = −N..N without k = 0, divided by how many there were."""
    n = count // 2
    total: np.ndarray | float = 0.0
    used = 0
    for k in range(-n, n + 1):
        if k == 0:
            continue
        total = total + single_perturbation(f, x, mask, k * largest / n)
        used += 1
    return np.asarray(total) / used


def forward_along(f: Function, x: np.ndarray, direction: np.ndarray, sizes: list[float]) -> np.ndarray:
    """Mean of (f(x + h d) − f(x)) / h for any direction and sizes."""
    return np.mean([(f(x + h * direction) - f(x)) / h for h in sizes], axis=0)


def backward_sums(
    f: Function, x: np.ndarray, labels: np.ndarray, marked: np.ndarray, largest: float, count: int
) -> np.ndarray:
    """For each superpixel: ΣF and Σ|F| inside M^f, ΣF and Σ|F| everywhere; shape (K, 4)."""
    rows = []
    for k in range(1, labels.max() + 1):
        slopes = forward(f, x, (labels == k).astype(np.float64), largest, count)
        inside = np.broadcast_to(marked, slopes.shape)
        rows.append([slopes[inside].sum(), np.abs(slopes[inside]).sum(), slopes.sum(), np.abs(slopes).sum()])
    return np.array(rows)


def backward(
    f: Function,
    x: np.ndarray,
    labels: np.ndarray,
    marked: np.ndarray,
    largest: float,
    count: int,
    sums: str = "absolute",
    floor: float = 0.0,
) -> np.ndarray:
    """Eq. 6 for each superpixel; sizes in both sums, sign kept above, or as printed."""
    rows = backward_sums(f, x, labels, marked, largest, count)
    found = []
    bars = [row[3] for row in rows if row[1] > 1e-9 * rows[:, 1].max()]
    for inside, inside_absolute, everywhere, everywhere_absolute in rows:
        if sums == "literal":
            found.append(inside / everywhere)
        else:
            above = inside_absolute if sums == "absolute" else inside
            bar = max(everywhere_absolute, floor * max(bars))
            found.append(above / bar if bar > 0 else 0.0)
    return np.array(found)


def derivative_sum(f: Function, x: np.ndarray, marked: np.ndarray, at: tuple[int, ...], step: float = 1e-5) -> float:
    """Eq. 7 at one input sample: Σ over M^f of ∂f_i / ∂x_k, by a central difference."""
    up, down = x.copy(), x.copy()
    up[at] += step
    down[at] -= step
    change = (f(up) - f(down)) / (2 * step)
    return float(change[np.broadcast_to(marked, change.shape)].sum())


# The published program (hisamuka/IBIX-CAE, vaumc/reconstruction/mapping.py), step by step on 8-bit images.


def published_reconstruction(f: Function, grey: np.ndarray) -> np.ndarray:
    """Scale by 255, ask, scale back, cut to whole numbers."""
    return (f(grey.astype("float32").astype(np.float64) / 255.0) * 255.0).astype(np.int32)


def published_forward(f: Function, image: np.ndarray, markers: np.ndarray, n_perturbations: int) -> np.ndarray:
    """Its forward influence map: whole grey levels.

    Parameters
    ----------
    image : numpy.ndarray of uint8, shape (C, *spatial)
    markers : numpy.ndarray of bool, spatial
    """
    rec = published_reconstruction(f, image)
    perturbations = np.arange(-n_perturbations, n_perturbations + 1, 2)[:n_perturbations]
    numerators = []
    for perturbation in perturbations:
        noise = image.astype("float")
        noise[:, markers] += perturbation
        noise[noise < 0] = 0
        noise[noise > 255] = 255
        numerators.append(np.abs(published_reconstruction(f, noise.astype("int")) - rec))
    return np.mean(np.sum(numerators, axis=1), axis=0).astype("int")


def published_backward(
    f: Function, image: np.ndarray, markers: np.ndarray, labels: np.ndarray, n_perturbations: int
) -> np.ndarray:
    """Its backward influence map by superpixels: mean of the forward map inside the markers, whole grey levels."""
    influence = np.zeros(labels.shape)
    for label in range(1, labels.max() + 1):
        direct = published_forward(f, image, labels == label, n_perturbations)
        influence[labels == label] += np.mean(direct[markers])
    return influence.astype("int")
