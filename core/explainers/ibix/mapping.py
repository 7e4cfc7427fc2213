"""The forward mapping of one region, with any arithmetic of its change and any way to ask the network."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from functools import partial
from math import prod
from typing import Protocol

import numpy as np
import torch

from core.errors import BadInput
from core.explainers.ibix.equations import Jitters, add_slopes, representative_order
from core.models.card import InputContract, OutputContract
from core.networks import Box, Responses, at

#: One question to the network should not keep a person who cancels waiting longer, in seconds.
_PATIENCE = 0.25
#: A chunk of one would be asked in company, at the price of two (see `doubled`).
_FEWEST = 2
#: Last digits that a network's answer may be off by in its own precision.
_DIGITS = 8
#: How much larger than the last a chunk may be.
_GROWTH = 16

Transform = Callable[[torch.Tensor], torch.Tensor]
#: Told after each chunk: share of the jitters done, and a function that gives F as it stands.
Step = Callable[[float, Callable[[], torch.Tensor]], None]


class Measure(Protocol):
    """Which inputs are asked, and how answers become F."""

    def __len__(self) -> int:
        """Questions to the network for one region."""
        ...

    def inputs(self, x: torch.Tensor, direction: torch.Tensor, chunk: torch.Tensor) -> torch.Tensor:
        """Perturbed windows (J, C, *window) for the perturbations numbered `chunk`."""
        ...

    def add(self, total: torch.Tensor, answers: torch.Tensor, unchanged: torch.Tensor, chunk: torch.Tensor) -> None:
        """Add to `total` (C_out, *window) what these answers make of F. May overwrite `answers`."""
        ...

    def finish(self, total: torch.Tensor, done: torch.Tensor) -> torch.Tensor:
        """F from the sum of parts, when the perturbations numbered `done` were asked."""
        ...

    def rounding(self, unchanged: torch.Tensor) -> float:
        """What F may be where the answer `unchanged` changes by nothing but rounding."""
        ...


class SlopeMeasure:
    """Equations 1 and 5: mean of (f(x + h·d) − f(x)) / h.

    Parameters
    ----------
    jitters : Jitters
    bounds : (float, float), optional
        Perturbed inputs are clipped to these.
    transform : callable, optional
        Applied to answers before they are compared (softmax).
    """

    def __init__(
        self,
        jitters: Jitters,
        device: torch.device,
        bounds: tuple[float, float] | None = None,
        transform: Transform | None = None,
    ) -> None:
        self._sizes = torch.as_tensor(jitters.sizes, dtype=torch.float32, device=device)
        self._weights = torch.as_tensor(jitters.weights, dtype=torch.float32, device=device)
        self._coefficients = self._weights / self._sizes
        self._bounds, self._transform = bounds, transform

    def __len__(self) -> int:
        return len(self._sizes)

    def inputs(self, x: torch.Tensor, direction: torch.Tensor, chunk: torch.Tensor) -> torch.Tensor:
        """The window shifted by each h along d."""
        sizes = self._sizes[chunk].view(-1, *[1] * x.ndim)
        changed = torch.addcmul(x, sizes, direction)
        if self._bounds is None:
            return changed
        # only what was changed is clipped: x itself may lie beyond the range
        return torch.where(direction != 0, changed.clamp(*self._bounds), x)

    def add(self, total: torch.Tensor, answers: torch.Tensor, unchanged: torch.Tensor, chunk: torch.Tensor) -> None:
        """Σ w (answer − unchanged) / h."""
        if self._transform is not None:
            answers, unchanged = self._transform(answers), self._transform(unchanged[None])[0]
        add_slopes(total, answers, unchanged, self._coefficients[chunk])

    def finish(self, total: torch.Tensor, done: torch.Tensor) -> torch.Tensor:
        """Weights of all jitters sum to 1; a beginning is scaled as if they did."""
        return total if len(done) == len(self) else total / self._weights[done].sum()

    def rounding(self, unchanged: torch.Tensor) -> float:
        """Last digits of the answer, of independent signs, as the coefficients add them up."""
        digit = torch.finfo(unchanged.dtype).eps * float(unchanged.abs().max())
        return _DIGITS * digit * float(self._coefficients.double().square().sum().sqrt())


class PublishedMeasure:
    """The authors' published code: mean |Δ| in whole grey levels, steps −n, −n + 2 .. n − 2, no division by h.

    Whole numbers are reached by cutting the rest off, as their casts do. Source: github.com/hisamuka/IBIX-CAE,
    ``vaumc/reconstruction/mapping.py``, read as behaviour.
    """

    def __init__(self, count: int, device: torch.device, seen: InputContract, made: OutputContract) -> None:
        self._steps = torch.arange(-count, count + 1, 2, device=device, dtype=torch.float32)[:count]
        self._low, self._span = seen.intensity.low, seen.intensity.high - seen.intensity.low
        self._made_low, self._made_span = made.network_low, made.network_high - made.network_low

    def __len__(self) -> int:
        return len(self._steps)

    def grey(self, x: torch.Tensor) -> torch.Tensor:
        """Input → whole grey levels 0..255, still float."""
        return ((x - self._low) / self._span * 255).round().clamp(0, 255)

    def seen(self, grey: torch.Tensor) -> torch.Tensor:
        """Grey levels → the network's input."""
        return grey / 255 * self._span + self._low

    def inputs(self, x: torch.Tensor, direction: torch.Tensor, chunk: torch.Tensor) -> torch.Tensor:
        """Grey levels of the region shifted by whole steps and clipped to 0..255."""
        steps = self._steps[chunk].view(-1, *[1] * x.ndim)
        return self.seen((self.grey(x) + steps * (direction != 0)).clamp(0, 255))

    def add(self, total: torch.Tensor, answers: torch.Tensor, unchanged: torch.Tensor, chunk: torch.Tensor) -> None:
        """Sum of |difference| of whole grey levels, exact in any order."""
        total.add_((self.levels(answers) - self.levels(unchanged)).abs().sum(dim=0))

    def levels(self, answer: torch.Tensor) -> torch.Tensor:
        """Answer → grey levels, the rest cut off."""
        return ((answer - self._made_low) / self._made_span * 255).trunc()

    def finish(self, total: torch.Tensor, done: torch.Tensor) -> torch.Tensor:
        """Mean over the steps, the rest cut off."""
        return (total / len(done)).trunc()

    def rounding(self, unchanged: torch.Tensor) -> float:
        """Whole grey levels are cut off: what is left is none."""
        return 0.0


class Mapper:
    """Computes F for one region after another, in chunks of jitters that memory and patience allow.

    Parameters
    ----------
    responses : Responses
        How the network is asked.
    measure : Measure
        What is asked and how it is averaged.
    x : torch.Tensor, shape (1, C, *spatial)
        The unchanged input.
    memory_bytes : int
        For the perturbed windows and answers of one chunk.
    """

    def __init__(self, responses: Responses, measure: Measure, x: torch.Tensor, memory_bytes: int) -> None:
        self.responses, self.measure = responses, measure
        self._x, self._memory = x[0], memory_bytes
        self._order = torch.as_tensor(representative_order(len(measure)), device=x.device)
        self._quick_enough = _FEWEST
        #: Windows asked so far, each a perturbed input.
        self.evaluations = 0

    @property
    def local(self) -> bool:
        """Whether windows are recomputed on a processor: work too small for several threads inside an operation."""
        return self.responses.reason is None and self._x.device.type == "cpu"

    def one_of(self, count: int) -> Mapper:
        """A mapper for one of `count` threads: pace, count and memory of its own, the network's answers shared."""
        made = copy.copy(self)
        made.evaluations, made._memory = 0, self._memory // count
        return made

    @torch.inference_mode()
    def slopes(self, window: Box, direction: torch.Tensor, step: Step | None = None) -> tuple[Box, torch.Tensor]:
        """F of the region that `direction` marks.

        Parameters
        ----------
        window : Box
            Of the input.
        direction : torch.Tensor, shape (C, *window)
            d, 0 outside the region.
        step : callable, optional
            Told after every chunk; may raise `Cancelled`.

        Returns
        -------
        window : Box
            Of the answer; F is 0 outside.
        slopes : torch.Tensor, shape (C_out, *window) or (classes,)

        Raises
        ------
        BadInput
            When an answer is not finite.
        """
        if not bool(direction.any()):
            # not asked: a window's rounding, divided by h, would pass for a slope
            return self._nothing(window)
        x = at(self._x, window)
        count, start = len(self.measure), 0
        most = self._most_at_once(window, x)
        total: torch.Tensor | None = None
        box: Box = ()
        while start < count:
            began = time.perf_counter()
            chunk = self._order[start : start + min(most, self._quick_enough)]
            box, answers = self.responses.changed(window, self.measure.inputs(x, direction, chunk))
            unchanged = at(self.responses.output[0], box)
            total = torch.zeros_like(unchanged) if total is None else total
            self.measure.add(total, answers, unchanged, chunk)
            start += len(chunk)
            self.evaluations += len(chunk)
            self._pace(len(chunk), time.perf_counter() - began)
            if step is not None:
                step(start / count, partial(self.measure.finish, total, self._order[:start]))
        assert total is not None
        found = self.measure.finish(total, self._order)
        if not torch.isfinite(found).all():
            raise BadInput("The model has no finite answer to the changed scan: take a smaller jitter range.")
        return box, found

    def _nothing(self, window: Box) -> tuple[Box, torch.Tensor]:
        """F of a region that the perturbation leaves as it is."""
        unchanged = self.responses.output[0]
        box = self.responses.footprint(window)
        if box is None:
            box = tuple(slice(0, 0) for _ in unchanged.shape[1:])
        return box, torch.zeros_like(at(unchanged, box))

    def _most_at_once(self, window: Box, x: torch.Tensor) -> int:
        reached = self.responses.footprint(window)
        outputs = prod(s.stop - s.start for s in reached) if reached is not None else 1
        per_jitter = 4 * (2 * x.numel() + 2 * self.responses.output.shape[1] * outputs)
        return max(_FEWEST, self._memory // per_jitter)

    def _pace(self, asked: int, seconds: float) -> None:
        wanted = int(asked * _PATIENCE / max(seconds, 1e-6))
        self._quick_enough = int(np.clip(wanted, _FEWEST, _GROWTH * max(asked, self._quick_enough)))
