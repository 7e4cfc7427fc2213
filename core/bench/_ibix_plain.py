"""The plain way of eq. 5 and 6, which the benchmark measures against: whole images, nothing kept, nothing left out."""

import copy
import time

import numpy as np
import torch
from torch import nn

_BATCHES = (2, 4, 8, 16, 25, 50, 100)
_LAYOUTS = {"contiguous": torch.contiguous_format, "channels last": torch.channels_last}


@torch.inference_mode()
def eq5_one_by_one(
    network: nn.Module,
    x: torch.Tensor,
    direction: torch.Tensor,
    sizes: np.ndarray,
    batch: int = 1,
    layout: str = "contiguous",
) -> np.ndarray:
    """Mean of (f(x + h·d) − f(x)) / h over whole images, `batch` of them a call; (C_out, *spatial), float32.

    Parameters
    ----------
    x : torch.Tensor, shape (1, C, *spatial)
    direction : torch.Tensor, spatial shape
        1 inside the region.
    sizes : numpy.ndarray
        Every h, none 0.
    """
    unchanged = network(x)
    total = torch.zeros_like(unchanged[0])
    for start in range(0, len(sizes), batch):
        h = torch.as_tensor(sizes[start : start + batch], dtype=x.dtype, device=x.device)
        h = h.view(-1, *[1] * (x.ndim - 1))
        asked = x + h * direction
        if x.ndim == 4:
            asked = asked.contiguous(memory_format=_LAYOUTS[layout])
        total += ((network(asked) - unchanged) / h).sum(dim=0)
    return (total / len(sizes)).cpu().numpy()


def best_batching(
    network: nn.Module, x: torch.Tensor, direction: torch.Tensor, sizes: np.ndarray
) -> tuple[int, str, float]:
    """The quickest batch size and memory layout of the plain way, and its seconds."""
    found = []
    for layout in _LAYOUTS:
        for batch in _BATCHES:
            started = time.perf_counter()
            eq5_one_by_one(network, x, direction, sizes, batch, layout)
            found.append((time.perf_counter() - started, batch, layout))
    seconds, batch, layout = min(found)
    return batch, layout, seconds


def eq5_double(network: nn.Module, x: torch.Tensor, direction: torch.Tensor, sizes: np.ndarray) -> np.ndarray:
    """`eq5_one_by_one` in float64, on the CPU."""
    exact = copy.deepcopy(network).cpu().double()
    return eq5_one_by_one(exact, x.cpu().double(), direction.cpu().double(), sizes)


def shares_double(
    network: nn.Module,
    x: torch.Tensor,
    direction: torch.Tensor,
    sizes: np.ndarray,
    region: np.ndarray,
    counted: np.ndarray | None = None,
) -> float:
    """Eq. 6 with sizes in both sums, in float64: what part of a superpixel's |F| falls inside `region`.

    Parameters
    ----------
    region, counted : numpy.ndarray of bool, the answer's spatial shape
        The region, and where the answer is of the scan: padding is in neither sum. `counted` None: everywhere.
    """
    slopes = np.abs(eq5_double(network, x, direction, sizes))
    if counted is not None:
        slopes = slopes * counted
    return float(slopes[:, region].sum() / slopes.sum())
