"""Ways to change a region of the input: x + h·d, where the perturbation decides d and what h means.

====================  ==========================  =======================================================
perturbation          d                           h
====================  ==========================  =======================================================
add (the paper's)     1                           input units, ±H
multiply              x                           share of the value, ±H
noise                 one fixed white noise, σ=1  its standard deviation in input units, ±H
blur                  blurred x − x               how far towards the blurred scan, 0..1
mean                  mean around − x             how far towards the mean of the region's surroundings, 0..1
inpaint               filled in − x               how far towards what the surroundings continue to, 0..1
====================  ==========================  =======================================================

F is always the mean of (f(x + h·d) − f(x)) / h.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch

from core.networks import Box, at

Kind = Literal["add", "multiply", "noise", "blur", "mean", "inpaint"]

#: Perturbations that go from the scan (h = 0) to something in its place (h = 1).
ONE_SIDED: tuple[Kind, ...] = ("blur", "mean", "inpaint")

#: Samples around a region that its surroundings' mean is taken over, and that filling in looks at.
_RING = 3
_FWHM_TO_SIGMA = 2.3548
#: Steps towards another image that are smaller than this part of the largest value are rounding, not change.
_ROUNDING = 1e-6


class Perturbation:
    """The direction d of a perturbation, for any region.

    Parameters
    ----------
    kind : str
        See the module.
    x : torch.Tensor, shape (1, C, *spatial)
    spacing_mm : sequence of float
        Of the spatial axes.
    blur_mm : float
        Full width at half maximum of the blur.
    seed : int
        Of the noise.
    channel : int, optional
        The only channel to change; all when absent.
    scan : Box, optional
        Window of the input that is of the scan: what lies beyond is padding, and nobody's surroundings.
    """

    def __init__(
        self,
        kind: Kind,
        x: torch.Tensor,
        spacing_mm: Sequence[float],
        blur_mm: float = 5.0,
        seed: int = 0,
        channel: int | None = None,
        scan: Box | None = None,
    ) -> None:
        self._kind, self._x, self._channel = kind, x, channel
        self._scan = scan if scan is not None else tuple(slice(0, n) for n in x.shape[2:])
        self._rounding = _ROUNDING * float(x.abs().max()) if kind in ONE_SIDED else 0.0
        self._everywhere = _field(kind, x, spacing_mm, blur_mm, seed, self._scan)

    def direction(self, window: Box, region: torch.Tensor) -> torch.Tensor:
        """D inside a region, 0 around it.

        Parameters
        ----------
        window : Box
            Window of the input that holds the region.
        region : torch.Tensor of bool, shape of the window

        Returns
        -------
        torch.Tensor, float32, shape (C, *window)
        """
        if self._everywhere is not None:
            d = at(self._everywhere[0], window) * region
        else:
            d = self._towards_surroundings(window, region)
        if self._rounding:
            d = torch.where(d.abs() > self._rounding, d, 0)
        if self._channel is not None:
            kept = torch.zeros(len(d), *[1] * (d.ndim - 1), device=d.device)
            kept[self._channel] = 1
            d = d * kept
        return d

    def _towards_surroundings(self, window: Box, region: torch.Tensor) -> torch.Tensor:
        wider = tuple(
            slice(min(s.start, max(of.start, s.start - _RING)), max(s.stop, min(of.stop, s.stop + _RING)))
            for s, of in zip(window, self._scan, strict=True)
        )
        inner = tuple(slice(s.start - w.start, s.stop - w.start) for s, w in zip(window, wider, strict=True))
        image = at(self._x[0], wider).cpu().numpy()
        place = np.zeros(image.shape[1:], dtype=bool)
        place[inner] = region.cpu().numpy()
        if place.all():
            filled = np.broadcast_to(image.mean(axis=tuple(range(1, image.ndim)), keepdims=True), image.shape)
        elif self._kind == "mean":
            filled = _mean_around(image, place)
        else:
            filled = np.stack([_filled_in(channel, place) for channel in image])
        d = np.where(place, filled - image, 0)[(slice(None), *inner)]
        return torch.from_numpy(np.ascontiguousarray(d, dtype=np.float32)).to(self._x.device)


def _field(
    kind: Kind, x: torch.Tensor, spacing_mm: Sequence[float], blur_mm: float, seed: int, scan: Box
) -> torch.Tensor | None:
    """D for the whole input where it does not depend on the region; (1, C, *spatial)."""
    if kind == "add":
        return torch.ones_like(x)
    if kind == "multiply":
        return x
    if kind == "noise":
        values = np.random.default_rng(seed).standard_normal(tuple(x.shape), dtype=np.float32)
        return torch.from_numpy(values).to(x.device)
    if kind == "blur":
        from scipy import ndimage

        sigma = [blur_mm / _FWHM_TO_SIGMA / step for step in spacing_mm]
        image = at(x[0], scan).cpu().numpy()
        smooth = torch.from_numpy(np.stack([ndimage.gaussian_filter(one, sigma, mode="nearest") for one in image]))
        change = torch.zeros_like(x)
        at(change[0], scan).copy_(smooth.to(x.device) - at(x[0], scan))
        return change
    return None


def _mean_around(image: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Each channel's mean over the ring around `place`; (C, *spatial)."""
    from scipy import ndimage

    ring = ndimage.binary_dilation(place, iterations=_RING) & ~place
    means = image[:, ring].mean(axis=1)
    return np.broadcast_to(means.reshape(-1, *[1] * place.ndim), image.shape)


def _filled_in(image: np.ndarray, place: np.ndarray) -> np.ndarray:
    """`image` with `place` continued from around it: biharmonic in 2D, harmonic in 3D (where the other is too slow)."""
    if image.ndim == 2:
        from skimage.restoration import inpaint_biharmonic

        return np.asarray(inpaint_biharmonic(image.astype(np.float64), place))
    return _harmonic(image, place)


def _harmonic(image: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Solve Laplace's equation in `place` with the values around it as boundary; free at the image's border."""
    from scipy import sparse
    from scipy.sparse.linalg import spsolve

    count = int(place.sum())
    number = np.full(place.shape, -1)
    number[place] = np.arange(count)
    degree, known = np.zeros(count), np.zeros(count)
    rows, columns = [], []
    for axis in range(place.ndim):
        before = tuple(slice(None, -1) if a == axis else slice(None) for a in range(place.ndim))
        after = tuple(slice(1, None) if a == axis else slice(None) for a in range(place.ndim))
        for here, there in ((before, after), (after, before)):
            ours = number[here] >= 0
            mine, other = number[here][ours], number[there][ours]
            # no sample comes twice in `mine`: each has one neighbour on this side
            degree[mine] += 1
            free = other >= 0
            rows.append(mine[free])
            columns.append(other[free])
            known[mine[~free]] += image[there][ours][~free]
    links = sparse.csr_matrix(
        (-np.ones(sum(map(len, rows))), (np.concatenate(rows), np.concatenate(columns))), shape=(count, count)
    )
    filled = image.astype(np.float64).copy()
    filled[place] = spsolve((links + sparse.diags(degree)).tocsc(), known)
    return filled
