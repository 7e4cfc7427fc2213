"""Backward by real changes (eq. 6): superpixel by superpixel, coarse to fine."""

from __future__ import annotations

import numpy as np

from core.explainers.base import MapArray
from core.explainers.ibix.backward import Backward as Evaluation
from core.explainers.ibix.equations import any_inside
from core.explainers.ibix.superpixels import counts_by_level
from core.explainers.ibix.traces.base import Backward
from core.progress import silent

#: Jitters of the first sketch.
_SKETCH_NODES = 4
#: Cheaper than this part of asking for whole images, one level is quick enough; from every so many superpixels.
_LOCAL, _EVERY = 0.25, 7


class BackwardTrace(Backward):
    """What each superpixel does to the marked part of the answer."""

    def arrays(self) -> dict[str, MapArray]:
        """See `Trace`."""
        setup, chosen = self.setup, self.setup.parameters
        mapper = setup.mapper()
        spacing = setup.question.prepared.spacing_mm
        evaluation = Evaluation(mapper, setup.perturbation, setup.target, setup.variant.value, spacing, setup.counted)
        levels = self._levels()
        counts = counts_by_level(chosen.coarse_superpixels, chosen.superpixels, levels)
        if levels == 1 and setup.variant.sketches and setup.question.report is not silent:
            # nobody waits for a sketch that nobody sees
            coarse = setup.cut(min(chosen.coarse_superpixels, counts[0]))
            evaluation.sketch(setup.mapper(_SKETCH_NODES), coarse, self.watch)
        values = np.zeros(0, dtype=np.float32)
        for number, count in enumerate(counts):
            superpixels = setup.superpixels if number == levels - 1 else setup.cut(count)
            start, end = number / levels, (number + 1) / levels
            values = evaluation.add_level(superpixels, chosen.coarse_threshold, self.watch, start, end)
        self.notes.backward(evaluation, mapper)
        self.notes.unchanged(not values.any() and not evaluation.changes_anything(), "anywhere")
        labels = setup.superpixels.labels.astype(np.float32)
        return {
            "map": setup.variant.backward_array(values, setup.answers.subject),
            "superpixels": MapArray(labels, "superpixels", "labels", "number"),
        }

    def _levels(self) -> int:
        if self.setup.parameters.levels != "auto":
            return int(self.setup.parameters.levels)
        if self.setup.responses.reason is not None:
            return 2
        return 1 if self._cost() < _LOCAL else 2

    def _cost(self) -> float:
        """What all superpixels cost with windows and pruning, as a part of asking for whole images; from a sample."""
        marked, costs = self.setup.target.marked, []
        for window in self.setup.superpixels.windows[::_EVERY]:
            reached = any_inside(marked, self.setup.responses.footprint(window))
            costs.append(self.setup.reach(window) if reached else 0.0)
        return float(np.mean(costs))
