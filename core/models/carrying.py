"""Carrying a change of a network's input back to the scan, so that the scan read again has that very change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from scipy import ndimage
from scipy.sparse.linalg import LinearOperator, gmres

from core.scans.grid import Grid, resample
from core.scans.scan import Scan

#: Times that the change is read back at most. Six bring a scan as fine as the model's grid within a percent of it.
_ROUNDS = 6
#: What is left of a change when it is carried well enough, share of its norm.
_ENOUGH = 0.01
#: Samples around a change that it is looked at in.
_RIM = 3

_Move = Callable[[np.ndarray], np.ndarray]


class Prepared(Protocol):
    """What is asked of `core.models.inputs.PreparedInput`."""

    @property
    def tensor(self) -> torch.Tensor:
        """What the network takes."""
        ...

    @property
    def grid(self) -> Grid:
        """Where the network looks."""
        ...

    @property
    def scan(self) -> Scan:
        """What it was made of."""
        ...

    @property
    def plane(self) -> str | None:
        """The plane that was taken from a volume."""
        ...

    @property
    def gain(self) -> float:
        """How much the tensor changes for one unit of the scan."""
        ...

    def to_scan(self, values: np.ndarray, order: int = 1, fill: float = 0.0) -> np.ndarray:
        """From the tensor's samples to the scan's."""
        ...

    def to_model(self, values: np.ndarray, order: int = 0) -> np.ndarray:
        """From the scan's samples to the tensor's."""
        ...


def changed(prepared: Prepared, scan: np.ndarray, image: np.ndarray) -> np.ndarray:
    """The scan with the change that `image` makes to the network's input.

    Parameters
    ----------
    prepared : Prepared
        How the scan was read.
    scan : numpy.ndarray, float32, the scan's spatial shape
        The channel that changes.
    image : numpy.ndarray, float32, the tensor's spatial shape
        First channel of the changed input, in the network's units.

    Returns
    -------
    numpy.ndarray, float32, the scan's spatial shape
        In the scan's units, and no further beyond its range than `image` is beyond that of the unchanged input.
    """
    seen, gain = prepared.tensor[0, 0].cpu().numpy(), np.float32(prepared.gain)
    put = carried(prepared, (image - seen) / gain)
    low = scan.min() + min(float(image.min() - seen.min()) / gain, 0)
    high = scan.max() + max(float(image.max() - seen.max()) / gain, 0)
    return np.where(put == 0, scan, np.clip(scan + put, low, high)).astype(np.float32)


def carried(prepared: Prepared, change: np.ndarray) -> np.ndarray:
    """The change of the scan that, read as the scan was read, is `change` of the network's input.

    Interpolating a change into the scan is not enough: read again it is interpolated twice, and a mask that just
    reaches its goal misses it. What to put into the scan is the solution of a linear equation (read ∘ put = change),
    solved by GMRES on the samples that change. A scan coarser than the model's grid cannot hold every change: then
    this is the nearest that it holds.

    Parameters
    ----------
    prepared : Prepared
        How the scan was read.
    change : numpy.ndarray, float32
        One channel, the tensor's spatial shape; in the scan's units.

    Returns
    -------
    numpy.ndarray, float32, the scan's spatial shape
        Zero from two samples of the model's grid around what changes.
    """
    here = prepared.scan.grid
    if not change.any():
        return np.zeros(here.shape, dtype=np.float32)
    # one sample more, which takes back what interpolation spreads beyond the change
    where = ndimage.binary_dilation(change != 0)
    if prepared.plane is not None:
        return prepared.to_scan(_solved(change, where, prepared.to_scan, lambda put: prepared.to_model(put, order=1)))
    if prepared.grid.same_as(here):
        return np.asarray(change, dtype=np.float32)
    model_part = _part_around(where)
    scan_part = _part_over(prepared.grid, model_part, here)
    coarse, fine = _cut(prepared.grid, model_part), _cut(here, scan_part)

    def put(values: np.ndarray) -> np.ndarray:
        return resample(values, coarse, fine)

    solved = _solved(change[model_part], where[model_part], put, lambda there: resample(there, fine, coarse))
    found = np.zeros(here.shape, dtype=np.float32)
    found[scan_part] = put(solved)
    return found


def _solved(change: np.ndarray, where: np.ndarray, put: _Move, read: _Move) -> np.ndarray:
    """Values on the model's grid, 0 where nothing changes, that read as `change` once they are put into the scan."""

    def spread(values: np.ndarray) -> np.ndarray:
        whole = np.zeros(change.shape, dtype=np.float32)
        whole[where] = values
        return whole

    wanted = change[where].astype(np.float64)
    again = LinearOperator((wanted.size, wanted.size), matvec=lambda values: read(put(spread(values)))[where])
    found, _ = gmres(again, wanted, x0=wanted, rtol=_ENOUGH, restart=_ROUNDS, maxiter=1)
    return spread(found)


def _part_around(where: np.ndarray) -> tuple[slice, ...]:
    """Box around what is marked, with a rim as far as the grid goes."""
    part = []
    for axis, size in enumerate(where.shape):
        marked = np.flatnonzero(where.any(axis=tuple(other for other in range(where.ndim) if other != axis)))
        part.append(slice(max(int(marked[0]) - _RIM, 0), min(int(marked[-1]) + 1 + _RIM, size)))
    return tuple(part)


def _part_over(grid: Grid, part: tuple[slice, ...], other: Grid) -> tuple[slice, ...]:
    """The part of `other` that a part of `grid` lies in; never empty."""
    ends = np.meshgrid(*((box.start - 0.5, box.stop - 0.5) for box in part), indexing="ij")
    corners = np.zeros((ends[0].size, 4))
    corners[:, 3] = 1
    for axis, values in enumerate(ends):
        corners[:, axis] = values.ravel()
    there = corners @ (np.linalg.inv(other.affine) @ grid.affine).T
    found = []
    for axis, size in enumerate(other.shape):
        first = int(np.clip(np.floor(there[:, axis].min()) - _RIM, 0, size - 1))
        last = int(np.clip(np.ceil(there[:, axis].max()) + _RIM, 0, size - 1))
        found.append(slice(first, last + 1))
    return tuple(found)


def _cut(grid: Grid, part: tuple[slice, ...]) -> Grid:
    first = np.zeros(4)
    first[: len(part)] = [box.start for box in part]
    first[3] = 1
    affine = grid.affine.copy()
    affine[:, 3] = grid.affine @ first
    return Grid(tuple(box.stop - box.start for box in part), affine)
