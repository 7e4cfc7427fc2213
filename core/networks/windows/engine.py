"""Exact answers of a network whose input changes in a window only: each layer recomputes the window that it reaches.

The activations of the unchanged input are kept. A layer's changed window is put beside its unchanged neighbours and
the layer works on that patch alone, so that a jitter of 30×30 pixels costs as much as an image of about that size.
Nothing is approximated: a layer that looks at everything (a linear layer, a norm over space) is given everything.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from core.errors import LightboxError
from core.networks.responses import doubled, too_large
from core.networks.tracing import copy_of
from core.networks.windows.boxes import Box, Unwindowable, laid_out, part, shape_of, volume, whole
from core.networks.windows.graph import plan_of
from core.networks.windows.steps import Source

__all__ = ["Unwindowable", "WindowResponses"]

#: What a chunk of changed inputs takes on a CPU: with more, each call gets new memory from the system, which cost up to
#: 1.7 times the work itself; with less, the calls do.
_CPU_CHUNK_BYTES = 8 * 2**20
#: ... unless a network's weights are large: they are read once a chunk, so that the chunk is this many times as large
_CHUNK_TO_WEIGHTS = 4
#: contents of each window that is compared with the whole network
_PROBES = (2, 1, 1)
#: largest difference between windows and the whole network that rounding explains, relative to the answer's changes
_ROUNDING = 1e-4


@contextmanager
def _failures_told() -> Iterator[None]:
    """Whatever goes wrong with windows becomes a reason not to use them; no memory, and what people are told, stays."""
    try:
        yield
    except (Unwindowable, LightboxError, MemoryError):
        raise
    except Exception as error:  # layers of any code may be inside
        if "memory" in str(error):
            raise
        what = str(error).splitlines()[0].rstrip(".") if str(error) else "no more is known"
        raise Unwindowable(f"working out its windows failed with {type(error).__name__}: {what}") from error


class WindowResponses:
    """`Responses` of a network whose layers are known: only windows are recomputed.

    Parameters
    ----------
    network : torch.nn.Module
        (N, C, *spatial) → (N, C_out, *spatial) or (N, classes). It is not changed; what it does in eval mode counts.
    x : torch.Tensor, shape (1, C, *spatial)
        The unchanged input.
    memory_bytes : int
        What one chunk of changed inputs may take inside, about; the answers that are returned come on top.

    Attributes
    ----------
    output : torch.Tensor, shape (1, C_out, *spatial) or (1, classes)
        Answer to `x`.
    reason : None
    warnings : tuple of str
        None.

    Raises
    ------
    Unwindowable
        When the network cannot be traced, holds an operation whose windows are not known, or, in a first check on
        three windows, answers otherwise than its windows do. Also from its methods, when anything fails there.
    """

    reason: str | None = None
    warnings: tuple[str, ...] = ()

    @torch.no_grad()
    def __init__(self, network: nn.Module, x: torch.Tensor, memory_bytes: int = 512 * 2**20) -> None:
        if any(module.training for module in network.modules()):
            network = copy_of(network).eval()
        self._memory_bytes = memory_bytes
        self._weight_bytes = sum(weight.numel() * weight.element_size() for weight in network.parameters())
        with _failures_told():
            self._follow(network, x)
            self._probe(network, x)

    def _follow(self, network: nn.Module, x: torch.Tensor) -> None:
        """Take the network apart, and keep what its layers answer to the unchanged input."""
        plan = plan_of(network, laid_out(x.detach().clone()))
        self._steps, self._answer = plan.steps, plan.output
        self._shapes = [tensor.shape for tensor in plan.activations]
        self.output = plan.activations[plan.output].clone()
        self._last_reader = list(range(len(self._steps)))
        read = {0}
        for number, step in enumerate(self._steps):
            for source in step.inputs:
                self._last_reader[source] = number
            if step.reads_cache:
                read.update(step.inputs)
        self._cache = [tensor if number in read else None for number, tensor in enumerate(plan.activations)]
        held = sum(tensor.numel() * tensor.element_size() for tensor in self._cache if tensor is not None)
        self.warnings = too_large(held, self._memory_bytes)

    def footprint(self, window: Box) -> Box | None:
        """Window of the answer that a change inside `window` of the input can reach; None when it reaches nothing."""
        with _failures_told():
            return self._reached(window)[self._answer]

    def jitters_at_once(self, window: Box) -> int:
        """How many changed inputs of this window are worked on together."""
        return self._rows(self._reached(window))

    @torch.no_grad()
    def changed(self, window: Box, values: torch.Tensor) -> tuple[Box, torch.Tensor]:
        """See `core.networks.responses.Responses.changed`."""
        with _failures_told():
            return self._changed(window, values)

    def _changed(self, window: Box, values: torch.Tensor) -> tuple[Box, torch.Tensor]:
        reached = self._reached(window)
        box, shape = reached[self._answer], self._shapes[self._answer]
        if box is None:
            # an answer without spatial axes has no empty window: all of it is given, as it was
            nothing = tuple(slice(0, 0) for _ in shape[2:])
            return nothing, part(self.output, nothing).repeat(len(values), *[1] * (len(shape) - 1))
        rows = self._rows(reached)
        if len(values) <= rows:
            answers = self._run_together(reached, values, rows)
            return box, answers.clone() if answers.data_ptr() == values.data_ptr() else answers
        answers = self.output.new_empty((len(values), shape[1], *shape_of(box)))
        for start in range(0, len(values), rows):
            answers[start : start + rows] = self._run_together(reached, values[start : start + rows], rows)
        return box, answers

    def _reached(self, window: Box) -> list[Box | None]:
        """For each step the window of its output that changes."""
        reached: list[Box | None] = [window]
        for step in self._steps[1:]:
            boxes = [reached[number] for number in step.inputs]
            reached.append(None if all(box is None for box in boxes) else step.reach(*boxes))
        return reached

    def _run_together(self, reached: list[Box | None], values: torch.Tensor, rows: int) -> torch.Tensor:
        """Answers for a chunk; a lone one in company, for torch's layers round one alone otherwise than several."""
        return self._run(reached, values) if len(values) > 1 or rows == 1 else self._run(reached, doubled(values))[:1]

    def _run(self, reached: list[Box | None], values: torch.Tensor) -> torch.Tensor:
        """Answers inside the reached window, for one chunk."""
        states: dict[int, torch.Tensor] = {0: laid_out(values)}
        for number, step in enumerate(self._steps):
            box = reached[number]
            if number == 0 or box is None:
                continue
            sources = [Source(self._cache[n], reached[n], states.get(n)) for n in step.inputs]
            states[number] = step.within(box, *sources)
            for source in step.inputs:
                if self._last_reader[source] == number:
                    states.pop(source, None)
        return states[self._answer]

    def _rows(self, reached: list[Box | None]) -> int:
        """Changed inputs in a chunk: what the largest step holds for one of them decides."""
        sizes = [0 if box is None else shape[1] * volume(box) for box, shape in zip(reached, self._shapes, strict=True)]
        largest, alive = 1, sizes[0]
        for number, step in enumerate(self._steps):
            box = reached[number]
            if number == 0 or box is None:
                continue
            alive += sizes[number]
            # twice the patch and the output: torch's convolutions reorder both in memory of their own
            inside = step.scratch(box, *(reached[n] for n in step.inputs))
            largest = max(largest, alive + 2 * inside + sizes[number])
            alive -= sum(sizes[source] for source in set(step.inputs) if self._last_reader[source] == number)
        most = self._memory_bytes // (largest * self.output.element_size())
        if self.output.device.type == "cpu":
            chunk = max(_CPU_CHUNK_BYTES, _CHUNK_TO_WEIGHTS * self._weight_bytes)
            most = min(most, chunk // (largest * self.output.element_size()))
        return max(1, most)

    def _probe(self, network: nn.Module, x: torch.Tensor) -> None:
        """Compare with the whole network on windows at the first corner, inside and at the last, of random content."""
        noise = torch.Generator().manual_seed(0)
        span = (x.max() - x.min()).item() or 1.0
        for window, contents in zip(_probe_windows(x.shape[2:]), _PROBES, strict=True):
            shape = (contents, x.shape[1], *shape_of(window))
            values = part(x, window) + span * torch.randn(shape, generator=noise, dtype=x.dtype).to(x.device)
            box, answers = self.changed(window, values)
            for content, answer in zip(values, answers, strict=True):
                asked = x.detach().clone()
                part(asked, window).copy_(content)
                expected = self.output.clone()
                part(expected, box).copy_(answer)
                self._compare(network(asked), expected)

    def _compare(self, found: torch.Tensor, expected: torch.Tensor) -> None:
        if found.shape != expected.shape:
            raise Unwindowable("the shape of its answer changes with the content")
        if torch.equal(found.isfinite(), expected.isfinite()):
            found, expected = found.nan_to_num(0, 0, 0), expected.nan_to_num(0, 0, 0)
        scale = max((found - self.output.nan_to_num(0, 0, 0)).abs().max().item(), found.abs().max().item())
        if not (found - expected).abs().max().item() <= _ROUNDING * scale:
            raise Unwindowable("its answer to a change differs from what its layers say")


def _probe_windows(shape: torch.Size) -> list[Box]:
    """A window of about a fifth of each axis at the first corner, one inside at odd places, the last few samples."""
    sizes = [max(1, n // 5) for n in shape]
    corner = whole(sizes)
    inside = tuple(slice(n // 2, min(n, n // 2 + max(1, size // 2))) for n, size in zip(shape, sizes, strict=True))
    last = tuple(slice(n - max(1, size // 3), n) for n, size in zip(shape, sizes, strict=True))
    return [corner, inside, last]
