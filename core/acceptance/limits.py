"""How far from the training scans a scan may lie: so far that all signs together refuse one held-out scan in a hundred.

Each sign has a tail of its own: beyond what nine of ten held-out scans reach, values are taken to thin out
exponentially (Pickands, Ann. Statist. 3, 1975, with shape 0), so the mean excess is the unit in which signs can be
compared. Of each held-out scan the sign counts by which it is the furthest out (Westfall and Young, Resampling-based
multiple testing, 1993), measured with the tails of the others; of these figures the limit is the one that a new scan
of the same kind exceeds with the wanted probability (conformal prediction: Vovk et al., Algorithmic learning in a
random world, 2005). Too few scans for that have a limit each, from the spread of what was held out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Share of the scans like the held-out ones that all signs together refuse.
REFUSED = 0.01
#: Share of the held-out scans that make up a sign's tail.
_TAIL = 0.1
#: Where there are too few scans: how far beyond what is usual of them a limit is, in standard deviations; of scans that
#: are spread normally one in two thousand lies further. The same of all signs together, which depend on each other.
_DEVIATIONS, _DEVIATIONS_TOGETHER = 3.3, 4.5
#: One-sided quantile of the normal distribution for the confidence, 0.9, that a limit told from few scans holds.
_CONFIDENCE = 1.2816
#: By how many standard deviations it is beyond the furthest of them.
_MARGIN = 0.3
#: One sign says no more than this many standard deviations of what all of them say together.
_MOST_DEVIATIONS = 6.0
#: Nothing is believed to spread less.
_LEAST_SPREAD = 1e-3


@dataclass(frozen=True, eq=False)
class Usual:
    """What is usual of held-out scans.

    Parameters
    ----------
    held_out : numpy.ndarray, shape (H, S)
        Logarithms of the distances of H scans by S signs.
    """

    held_out: np.ndarray

    def with_sum(self, logarithms: np.ndarray) -> np.ndarray:
        """Logarithms of distances (N, S), and at last what all signs say: the sum of all that is unusual; (N, S + 1).

        Unusual is what lies further out than the mean of the held-out scans, in standard deviations.
        """
        spread = np.maximum(self.held_out.std(axis=0), _LEAST_SPREAD)
        unusual = np.clip((logarithms - self.held_out.mean(axis=0)) / spread, 0, _MOST_DEVIATIONS)
        return np.column_stack([logarithms, unusual.sum(axis=1)])

    def limits(self) -> np.ndarray:
        """The largest value of each sign, and of their sum, that is not refused; shape (S + 1,)."""
        count = len(self.held_out)
        rank = int(np.ceil((count + 1) * (1 - REFUSED)))
        if rank > count:
            return self._limits_of_few()
        furthest = [self._without(row).furthest(self.held_out[[row]])[0] for row in range(count)]
        start, excess = self._tails()
        found: np.ndarray = start + np.sort(furthest)[rank - 1] * excess
        return found

    def furthest(self, logarithms: np.ndarray) -> np.ndarray:
        """How far out in its tail each scan (N, S) lies by the sign by which it is furthest; shape (N,)."""
        start, excess = self._tails()
        found: np.ndarray = ((self.with_sum(logarithms) - start) / excess).max(axis=1)
        return found

    def _without(self, row: int) -> Usual:
        return Usual(np.delete(self.held_out, row, axis=0))

    def _tails(self) -> tuple[np.ndarray, np.ndarray]:
        """Where each sign's tail begins, and by how much those in it lie further out on average."""
        known = self.with_sum(self.held_out)
        nine_of_ten = int((1 - _TAIL) * (len(known) - 1))
        start = np.partition(known, nine_of_ten, axis=0)[nine_of_ten]
        beyond = known > start
        excess = np.where(beyond, known - start, 0).sum(axis=0) / np.maximum(beyond.sum(axis=0), 1)
        return start, np.maximum(excess, _LEAST_SPREAD)

    def _limits_of_few(self) -> np.ndarray:
        """One for each sign, the further out the fewer scans there are.

        A one-sided tolerance limit of the normal distribution (Natrella, Experimental Statistics, NBS Handbook 91,
        1963, section 2-2), and in any case beyond the furthest.
        """
        known, count = self.with_sum(self.held_out), len(self.held_out)
        deviations = np.array([*[_DEVIATIONS] * self.held_out.shape[1], _DEVIATIONS_TOGETHER])
        a = 1 - _CONFIDENCE**2 / (2 * max(count - 1, 2))
        b = deviations**2 - _CONFIDENCE**2 / count
        factor = (deviations + np.sqrt(np.maximum(deviations**2 - a * b, 0))) / a
        spread = known.std(axis=0)
        found: np.ndarray = np.maximum(known.mean(axis=0) + factor * spread, known.max(axis=0) + _MARGIN * spread)
        return found
