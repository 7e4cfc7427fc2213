"""Operations of a network, each able to recompute a window of its output: one small class a kind of operation.

A step never writes into what it is given unless `Pointwise.overwrites` says that nobody else reads it.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import torch
from typing_extensions import override

from core.networks.windows.boxes import Box, common, cut, hull, layout_of, part, relative, shape_of, whole


class Source:
    """What a step reads: an activation of the unchanged input, and the window of it that has changed.

    Parameters
    ----------
    cached : torch.Tensor or None, shape (1, C, *spatial)
        None where the step reads nothing but the window.
    box : Box or None
        The changed window; None where nothing changed.
    values : torch.Tensor or None, shape (J, C, *box)
        What stands there instead.
    """

    __slots__ = ("box", "cached", "values")

    def __init__(self, cached: torch.Tensor | None, box: Box | None, values: torch.Tensor | None) -> None:
        self.cached, self.box, self.values = cached, box, values

    def patch(self, box: Box, fill: float = 0.0) -> torch.Tensor:
        """Changed activation inside `box`, `fill` where that leaves the grid; batch 1 where nothing changed there."""
        shared = None if self.box is None else common(box, self.box)
        if self.values is not None and shared == box and self.box is not None:
            return self.values if box == self.box else part(self.values, relative(box, self.box))
        assert self.cached is not None
        template = inside_of(self.cached, box, fill)
        if shared is None or self.values is None or self.box is None:
            return template
        shape = (len(self.values), *template.shape[1:])
        patch = torch.empty(shape, dtype=template.dtype, device=template.device, memory_format=layout_of(template))
        inner = relative(shared, box)
        # writing the neighbours alone, strip by strip, was no faster
        patch.copy_(template)
        part(patch, inner).copy_(part(self.values, relative(shared, self.box)))
        return patch

    def complete(self) -> torch.Tensor:
        """All of the changed activation."""
        known = self.cached if self.cached is not None else self.values
        assert known is not None
        return self.patch(whole(known.shape[2:]))


def inside_of(cached: torch.Tensor, box: Box, fill: float) -> torch.Tensor:
    """Part of `cached` inside `box`, with `fill` outside the grid."""
    sizes = cached.shape[2:]
    kept = part(cached, tuple(slice(max(0, a.start), max(0, a.stop)) for a in box))
    if all(a.start >= 0 and a.stop <= n for a, n in zip(box, sizes, strict=True)):
        return kept
    padded = kept.new_full((*cached.shape[:2], *shape_of(box)), fill)
    grid = common(box, whole(sizes))
    if grid is not None:
        part(padded, relative(grid, box)).copy_(kept)
    return padded


class Step:
    """One operation.

    Attributes
    ----------
    reads_cache : bool
        It reads neighbours of the changed window, so that its inputs' activations have to be kept.
    fresh : bool
        Its output shares memory with nothing else.
    inputs : tuple of int
        Numbers of the steps whose output it reads.
    """

    reads_cache = True
    fresh = True
    inputs: tuple[int, ...] = ()

    def apply(self, *inputs: torch.Tensor) -> torch.Tensor:
        """The operation on whole activations (N, C, *spatial)."""
        raise NotImplementedError

    def bind(self, shapes: Sequence[torch.Size], shape: torch.Size) -> None:
        """Learn the shapes of the inputs and of the output."""

    def reach(self, *boxes: Box | None) -> Box | None:
        """Window of the output that changes with these windows of the inputs (None: unchanged); None for nothing."""
        raise NotImplementedError

    def within(self, box: Box, *sources: Source) -> torch.Tensor:
        """Changed output (J, C, *box)."""
        raise NotImplementedError

    def scratch(self, box: Box, *boxes: Box | None) -> int:
        """Numbers an input's patches take for one changed input, when `box` of the output is computed."""
        return 0


class Input(Step):
    """The network's input."""

    fresh = False


class Pointwise(Step):
    """Operation at each position for itself: activations, batch norm in eval, arithmetic with numbers.

    Parameters
    ----------
    function : callable
        Tensor → tensor.
    in_place : callable, optional
        The same, writing into its argument.
    """

    reads_cache = False

    def __init__(
        self,
        function: Callable[[torch.Tensor], torch.Tensor],
        in_place: Callable[[torch.Tensor], torch.Tensor] | None = None,
    ) -> None:
        self.function, self.in_place = function, in_place
        self.overwrites = False

    @override
    def apply(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.function(inputs[0])

    @override
    def reach(self, *boxes: Box | None) -> Box | None:
        return boxes[0]

    @override
    def within(self, box: Box, *sources: Source) -> torch.Tensor:
        values = sources[0].values
        assert values is not None
        if self.overwrites and self.in_place is not None:
            return self.in_place(values)
        return self.function(values)


class Combine(Step):
    """Arithmetic or concatenation of channels: several activations and constants that broadcast.

    Parameters
    ----------
    function : callable
        Takes the operands.
    operands : sequence
        An int stands for the input of that number, anything else is a constant.
    """

    def __init__(self, function: Callable[..., torch.Tensor], operands: Sequence["int | Constant"]) -> None:
        self.function, self.operands = function, operands
        self.shapes: Sequence[torch.Size] = ()
        self.shape = torch.Size()

    @override
    def apply(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.function(*(o.value if isinstance(o, Constant) else inputs[o] for o in self.operands))

    @override
    def bind(self, shapes: Sequence[torch.Size], shape: torch.Size) -> None:
        self.shapes, self.shape = shapes, shape

    @override
    def reach(self, *boxes: Box | None) -> Box | None:
        changed = [self._spread(box, shape) for box, shape in zip(boxes, self.shapes, strict=True) if box is not None]
        return hull(changed) if changed else None

    @override
    def within(self, box: Box, *sources: Source) -> torch.Tensor:
        return self.function(*(self._operand(o, box, sources) for o in self.operands))

    @override
    def scratch(self, box: Box, *boxes: Box | None) -> int:
        return sum(s[1] * prod(shape_of(box)) for s, b in zip(self.shapes, boxes, strict=True) if b not in (None, box))

    def _spread(self, box: Box, shape: torch.Size) -> Box:
        """Window of the output that a window of one input changes: an axis of 1 is repeated along all of it."""
        sizes = zip(box, shape[2:], self.shape[2:], strict=True)
        return tuple(slice(0, full) if own == 1 else axis for axis, own, full in sizes)

    def _operand(self, operand: "int | Constant", box: Box, sources: Sequence[Source]) -> Any:
        if isinstance(operand, Constant):
            return operand.inside(box)
        own = self.shapes[operand][2:]
        return sources[operand].patch(tuple(slice(0, 1) if n == 1 else a for a, n in zip(box, own, strict=True)))


class Constant:
    """Operand that does not depend on the input: a number, or a tensor that broadcasts to the output."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def inside(self, box: Box) -> Any:
        """Part of it that meets a window of the output."""
        return cut(self.value, box) if isinstance(self.value, torch.Tensor) else self.value


class Everything(Step):
    """Operation whose every output reads every input, such as a linear layer or a norm over space.

    Parameters
    ----------
    function : callable
        Tensors → tensor; rows of the batch must not mix.
    """

    fresh = False

    def __init__(self, function: Callable[..., torch.Tensor]) -> None:
        self.function = function
        self.shape = torch.Size()
        self.shapes: Sequence[torch.Size] = ()

    @override
    def apply(self, *inputs: torch.Tensor) -> torch.Tensor:
        # a network's own reshaping may rely on the layout that tensors have unless asked otherwise
        return self.function(*(tensor.contiguous() for tensor in inputs))

    @override
    def bind(self, shapes: Sequence[torch.Size], shape: torch.Size) -> None:
        self.shapes, self.shape = shapes, shape

    @override
    def reach(self, *boxes: Box | None) -> Box | None:
        return whole(self.shape[2:])

    @override
    def within(self, box: Box, *sources: Source) -> torch.Tensor:
        complete = [source.complete() for source in sources]
        rows = max(map(len, complete))
        return self.apply(*(tensor.expand(rows, *tensor.shape[1:]) for tensor in complete))

    @override
    def scratch(self, box: Box, *boxes: Box | None) -> int:
        return sum(prod(s[1:]) for s, b in zip(self.shapes, boxes, strict=True) if b not in (None, whole(s[2:])))
