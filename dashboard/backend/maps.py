"""What pages ask of the backend process about finished maps: how alike they are, and what another network says."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np

from core.reports.colours import sizes
from core.scans.grid import Grid, resample


@dataclass(frozen=True)
class MapFile:
    """A stored map and where it lies.

    Parameters
    ----------
    path : str
        Its ``.npy``, of its scan's spatial shape.
    neutral : float
        The value that says nothing.
    affine : tuple of tuple of float
        Of its scan: index → RAS+ mm.
    """

    path: str
    neutral: float
    affine: tuple[tuple[float, ...], ...]

    @property
    def values(self) -> np.ndarray:
        """As stored, mapped from the disk."""
        found: np.ndarray = np.load(self.path, mmap_mode="r", allow_pickle=False)
        return found

    @property
    def grid(self) -> Grid:
        """Of its samples."""
        return Grid(tuple(self.values.shape), np.array(self.affine))


@dataclass(frozen=True)
class Pair:
    """How alike two maps are; NaN where there is no such figure.

    Parameters
    ----------
    rank : float
        Spearman's correlation of the sizes, -1..1.
    correlation : float
        Pearson's correlation of the sizes, -1..1.
    overlap : float
        Dice coefficient of the strongest samples, 0..1.
    difference : float
        Mean |difference| of the values; only of values that mean the same.
    """

    rank: float
    correlation: float
    overlap: float
    difference: float


def compare_maps(maps: Sequence[MapFile], share: float, subtract: bool) -> dict[tuple[int, int], Pair]:
    """Every pair of maps, by their places in the order given.

    Parameters
    ----------
    maps : sequence of MapFile
        Those on another grid than the first are resampled onto that (linearly; 0 outside of their own).
    share : float
        Of all samples, those that a map marks, 0..1.
    subtract : bool
        Whether values may be subtracted from each other.
    """
    from core.metrics.sanity import likeness
    from core.metrics.similarity import rank_correlations
    from core.metrics.together import overlap, strongest, thinned

    values = [on_grid_of(maps[0], one) for one in maps]
    said = [sizes(one, known.neutral) for one, known in zip(values, maps, strict=True)]
    ranks = rank_correlations([thinned(one) for one in said])
    marked = [strongest(one, share) for one in said]
    varied = [bool(one.min() < one.max()) for one in said]
    nothing = float("nan")
    return {
        (a, b): Pair(
            float(ranks[a, b]),
            likeness(said[a], said[b]) if varied[a] and varied[b] else nothing,
            overlap(marked[a], marked[b]),
            float(np.abs(values[a] - values[b]).mean(dtype=np.float64)) if subtract else nothing,
        )
        for a, b in combinations(range(len(maps)), 2)
    }


def on_grid_of(first: MapFile, one: MapFile) -> np.ndarray:
    """Values of a map at the samples of another, float32; as they are where both have one grid."""
    if first.grid.same_as(one.grid):
        return one.values
    return resample(one.values - np.float32(one.neutral), one.grid, first.grid) + np.float32(one.neutral)


@lru_cache(maxsize=256)
def answer_to(scan: str, path: str, owner: str, model: str, content: str, target: str) -> float | None:
    """Probability that a model gives a class when it is shown a changed scan; None where it cannot be asked that.

    Parameters
    ----------
    scan, owner : str
        The stored scan that was changed, and whose it is.
    path : str
        The changed image, of the scan's spatial shape.
    model, content : str
        As in `dashboard.backend.questions.predict`.
    target : str
        The class.
    """
    from dataclasses import replace

    from core.errors import BadInput
    from dashboard.backend.questions import loaded_model, shelf

    original, loaded = shelf(owner).scan(scan), loaded_model(model, content)
    if original.channels != 1 or target not in loaded.card.classes:
        return None
    changed = np.load(path, allow_pickle=False)[None].astype(np.float32)
    try:
        prepared = loaded.prepare(replace(original, array=changed, colours=None))
    except BadInput:
        return None
    return float(loaded.probabilities(prepared.tensor)[target])
