"""Forward by real changes (eq. 5): the marked part of the scan is changed, and what that changes is seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from core.explainers.base import MapArray
from core.explainers.ibix.superpixels import window_of
from core.explainers.ibix.traces.base import Forward
from core.networks import Box


class ForwardTrace(Forward):
    """Mean slopes of the answer over the jitters."""

    def arrays(self) -> dict[str, MapArray]:
        """See `Trace`."""
        setup, answers, region = self.setup, self.setup.answers, self.setup.marked
        window = window_of(region)
        inside = torch.from_numpy(np.ascontiguousarray(region[window])).to(setup.x.device)
        direction = setup.perturbation.direction(window, inside)
        self.notes.unchanged(not bool(direction.any()), "in this region")
        mapper = setup.mapper()

        def step(share: float, so_far: Callable[[], torch.Tensor]) -> None:
            preview = (lambda: self._sketch(window, so_far())) if answers.has_place else None
            self.watch(share, f"{share * len(mapper.measure):.0f} of {len(mapper.measure)} jitters", preview)

        box, slopes = mapper.slopes(window, direction, step)
        if slopes.numel() and 0 < float(slopes.abs().max()) <= mapper.measure.rounding(setup.answer):
            # a share of it would be told with three digits, and it is the last digits of nothing
            slopes = torch.zeros_like(slopes)
            self.notes.warnings.append(
                "what the change does to the answer is no larger than rounding: it is taken as 0"
            )
        self.notes.numbers |= {"evaluations": mapper.evaluations, "jitters": len(mapper.measure)}
        self.notes.footprint(box)
        whole = answers.of_whole(setup.answer, box, slopes)
        self.notes.numbers |= answers.forward_numbers(whole)
        return {"map": answers.forward_map(whole, region, setup.variant, derivative=False)}

    def _sketch(self, window: Box, slopes: torch.Tensor) -> np.ndarray | None:
        reached = self.setup.responses.footprint(window)
        box = reached if reached is not None else tuple(slice(0, 0) for _ in window)
        return self.setup.answers.picture(self.setup.answers.of_whole(self.setup.answer, box, slopes))
