"""One image's way up a chain of layers, and the way down of single filters, in chunks, and of several together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from core.explainers.deconvnet.chain import Chain
from core.explainers.deconvnet.steps import Convolution

Score = Literal["sum", "max", "mean"]

#: Filters brought down at once, by the network's dimensions: what is quickest while signals stay in the cache.
CHUNK = {2: 2, 3: 1}


@dataclass(frozen=True, eq=False)
class Ranking:
    """How strongly the filters of a layer answer one image.

    Parameters
    ----------
    order : tuple of int
        Every filter, strongest first; of equals the first.
    scores : numpy.ndarray, float64, shape (filters,)
        By sum, maximum or mean of the rectified activation.
    sums : numpy.ndarray, float64, shape (filters,)
        Sum of the rectified activation.
    """

    order: tuple[int, ...]
    scores: np.ndarray
    sums: np.ndarray

    def share(self, filters: Sequence[int]) -> float:
        """Part of the layer's activation that `filters` hold, 0..1; 0 where the layer is silent."""
        total = float(self.sums.sum())
        return float(self.sums[list(filters)].sum()) / total if total > 0 else 0.0


class Projection:
    """The deconvnet of one chain for one image.

    Parameters
    ----------
    chain : Chain
        The way to the layer.
    x : torch.Tensor, shape (1, C, *spatial)
        The network's input; not written into.
    """

    @torch.no_grad()
    def __init__(self, chain: Chain, x: torch.Tensor) -> None:
        steps = chain.steps()
        # a copy: rectifiers in place would change the scan
        signal = x.clone()
        for step in steps:
            signal = step.up(signal)
        #: the layer's rectified activation, (1, filters, *spatial of the layer)
        self.activation = signal.clamp(min=0)
        last = max(number for number, step in enumerate(steps) if isinstance(step, Convolution))
        convolution = steps[last]
        assert isinstance(convolution, Convolution)
        self._below, self._convolution = steps[:last], convolution
        # pooling, rectifiers and factors after the last convolution keep channels apart: all filters pass them at once
        at_convolution = self.activation.clone()
        for step in reversed(steps[last + 1 :]):
            at_convolution = step.down(at_convolution)
        self._at_convolution = at_convolution

    def ranking(self, score: Score) -> Ranking:
        """Filters by their activation."""
        flat = self.activation[0].flatten(1).double()
        sums = flat.sum(dim=1)
        values = {"sum": sums, "max": flat.amax(dim=1), "mean": sums / flat.shape[1]}[score]
        scores = values.cpu().numpy()
        order = np.argsort(-scores, kind="stable")
        return Ranking(tuple(int(number) for number in order), scores, sums.cpu().numpy())

    def single(self, filters: Sequence[int], chunk: int | None = None) -> Iterator[tuple[int, np.ndarray]]:
        """Each filter projected alone, one after another.

        Parameters
        ----------
        filters : sequence of int
            Which.
        chunk : int, optional
            How many go down at once; by default what measures quickest.

        Yields
        ------
        (int, numpy.ndarray of float, spatial)
            The filter and its signed projection; the input's channels are added up.
        """
        size = chunk or CHUNK[self.activation.ndim - 2]
        for start in range(0, len(filters), size):
            some = filters[start : start + size]
            with torch.no_grad():
                found = self._down(self._convolution.down_alone(self._at_convolution[0], some))
            yield from zip(some, found, strict=True)

    @torch.no_grad()
    def together(self, filters: Sequence[int]) -> np.ndarray:
        """Several filters projected jointly, spatial: what rectifying lets through then depends on all of them."""
        signal = torch.zeros_like(self._at_convolution)
        signal[:, list(filters)] = self._at_convolution[:, list(filters)]
        found: np.ndarray = self._down(self._convolution.down(signal))[0]
        return found

    def _down(self, signal: torch.Tensor) -> np.ndarray:
        for step in reversed(self._below):
            signal = step.down(signal)
        return signal.sum(dim=1).cpu().numpy()
