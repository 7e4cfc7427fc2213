"""The backward mapping: the forward mapping of every superpixel, summed inside M^f; coarse to fine over levels."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch

from core.explainers.ibix.equations import RegionSums, any_inside, region_sums, sums_inside
from core.explainers.ibix.mapping import Mapper, Step
from core.explainers.ibix.order import one_by_one, side_by_side
from core.explainers.ibix.perturbations import Perturbation
from core.explainers.ibix.superpixels import Superpixels, nearest_first, touching

#: A first sketch of the map may cost this much before the exact work starts, in seconds.
_SKETCH_SECONDS = 0.15

#: Values of superpixels from their sums and sizes.
Value = Callable[[list[RegionSums], np.ndarray], np.ndarray]
#: Told of progress: share done, words, and a function that paints the map as it stands.
Tell = Callable[[float, str, Callable[[], np.ndarray]], None]


@dataclass(eq=False)
class Level:
    """One level's superpixels and what was found of each."""

    superpixels: Superpixels
    chosen: np.ndarray
    sums: list[RegionSums]
    seen: np.ndarray
    evaluated: int = 0
    skipped: int = 0

    @classmethod
    def of(cls, superpixels: Superpixels, chosen: np.ndarray) -> Level:
        """Nothing evaluated yet."""
        count = len(superpixels)
        return cls(superpixels, chosen, [RegionSums()] * count, np.zeros(count, dtype=bool))


@dataclass(frozen=True, eq=False)
class Region:
    """M^f: where it lies, for sums and for the order of work.

    Parameters
    ----------
    marked : torch.Tensor of bool
        Spatial shape of the answer; for classifiers, shape (classes,).
    place : numpy.ndarray of bool, optional
        Spatial; None for classifiers.
    channel : int, optional
        The only channel of the answer that is looked at.
    """

    marked: torch.Tensor
    place: np.ndarray | None
    channel: int | None = None


@dataclass(eq=False)
class Backward:
    """Evaluates superpixels, level by level.

    Parameters
    ----------
    mapper : Mapper
    perturbation : Perturbation
    region : Region
    value : callable
        B of superpixels from their sums and sizes.
    spacing : tuple of float
        Of the input.
    counted : torch.Tensor of bool, optional
        Where the answer counts, its spatial shape; everywhere when absent.
    """

    mapper: Mapper
    perturbation: Perturbation
    region: Region
    value: Value
    spacing: tuple[float, ...]
    counted: torch.Tensor | None = None
    levels: list[Level] = field(default_factory=list)

    def add_level(self, superpixels: Superpixels, threshold: float, tell: Tell, start: float, end: float) -> np.ndarray:
        """Evaluate the superpixels that the level before found to matter (all, on the first), and paint the map.

        Parameters
        ----------
        superpixels : Superpixels
        threshold : float
            Part of the level's largest |B| above which a place is looked at again.
        tell : callable
        start, end : float
            Shares of the whole work.

        Returns
        -------
        numpy.ndarray, float32
            The map.
        """
        base = self.painted() if self.levels else np.zeros(superpixels.labels.shape, dtype=np.float32)
        chosen = np.ones(len(superpixels), dtype=bool)
        if self.levels:
            chosen = touching(superpixels, self._worth_another_look(threshold))
        level = Level.of(superpixels, chosen)
        self.levels.append(level)

        def told(share: float) -> None:
            name = "superpixel" if len(self.levels) == 1 else "finer superpixel"
            count = int(chosen.sum()) - level.skipped
            words = f"{name} {min(level.evaluated + 1, count)} of {count}"
            tell(start + (end - start) * share, words, lambda: self._paint(level, base))

        self._evaluate(self.mapper, level, told)
        return self._paint(level, base)

    def sketch(self, mapper: Mapper, superpixels: Superpixels, tell: Tell) -> np.ndarray:
        """A first picture: coarse superpixels with few jitters, nearest to the region first, for a moment only."""
        level = Level.of(superpixels, np.ones(len(superpixels), dtype=bool))
        nothing = np.zeros(superpixels.labels.shape, dtype=np.float32)
        until = time.perf_counter() + _SKETCH_SECONDS
        self._evaluate(mapper, level, lambda share: None, until)
        painted = self._paint(level, nothing)
        tell(0.0, "a first sketch", lambda: painted)
        return painted

    def painted(self) -> np.ndarray:
        """The map of all levels so far."""
        base = np.zeros(self.levels[0].superpixels.labels.shape, dtype=np.float32)
        for level in self.levels:
            base = self._paint(level, base)
        return base

    def effects(self) -> np.ndarray:
        """Size of the effect on M^f of each superpixel of the last level; coarse ones' lie evenly on their pixels."""
        density = np.zeros(self.levels[0].superpixels.labels.shape, dtype=np.float32)
        for level in self.levels:
            each = sums_inside(level.sums, "absolute") / level.superpixels.sizes
            density = level.superpixels.paint(each, density, level.chosen & level.seen)
        last = self.levels[-1].superpixels
        return np.bincount(last.labels.ravel(), weights=density.ravel(), minlength=len(last) + 1)[1:]

    def changes_anything(self) -> bool:
        """Whether the perturbation changes any superpixel of the last level."""
        superpixels = self.levels[-1].superpixels
        labels = torch.from_numpy(superpixels.labels).to(self.region.marked.device)
        return any(
            bool(self.perturbation.direction(window, labels[window] == k + 1).any())
            for k, window in enumerate(superpixels.windows)
        )

    def _evaluate(
        self, mapper: Mapper, level: Level, told: Callable[[float], None], until: float = float("inf")
    ) -> None:
        superpixels, marked = level.superpixels, self.region.marked
        order = [k for k in self._order(superpixels) if level.chosen[k]]
        reaching = [k for k in order if any_inside(marked, mapper.responses.footprint(superpixels.windows[k]))]
        # of the others nothing of M^f can change: their numerator is exactly 0
        level.seen[list(set(order).difference(reaching))] = True
        level.skipped += len(order) - len(reaching)
        labels = torch.from_numpy(superpixels.labels).to(marked.device)
        work = partial(self._sums_of, superpixels, labels)
        results = (
            side_by_side(mapper, work, reaching, told) if mapper.local else one_by_one(mapper, work, reaching, told)
        )
        with contextlib.closing(results):
            for k, sums in results:
                level.sums[k], level.seen[k] = sums, True
                level.evaluated += 1
                if time.perf_counter() > until:
                    return

    def _sums_of(
        self, superpixels: Superpixels, labels: torch.Tensor, mapper: Mapper, k: int, step: Step | None
    ) -> RegionSums:
        """Sums of superpixel k's F, inside M^f and everywhere."""
        window = superpixels.windows[k]
        direction = self.perturbation.direction(window, labels[window] == k + 1)
        box, slopes = mapper.slopes(window, direction, step)
        if self.region.channel is not None:
            slopes = slopes[self.region.channel : self.region.channel + 1]
        if self.counted is not None:
            slopes = slopes * self.counted[box]
        return region_sums(slopes, self.region.marked[box])

    def _order(self, superpixels: Superpixels) -> np.ndarray:
        if self.region.place is None:
            return np.arange(len(superpixels))
        return nearest_first(superpixels, self.region.place, self.spacing)

    def _worth_another_look(self, threshold: float) -> np.ndarray:
        size = np.abs(self.painted())
        return size > threshold * size.max() if threshold > 0 else self.levels[-1].superpixels.labels > 0

    def _paint(self, level: Level, base: np.ndarray) -> np.ndarray:
        values = self.value(level.sums, level.superpixels.sizes)
        return level.superpixels.paint(values, base, level.chosen & level.seen)
