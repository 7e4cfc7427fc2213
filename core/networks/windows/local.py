"""Operations whose outputs read neighbouring inputs: convolutions, pooling, padding, up-sampling, in windows."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from typing_extensions import override

from core.networks.windows.boxes import (
    Axis,
    Box,
    Phased,
    Sliding,
    Spreading,
    Table,
    laid_out,
    needed,
    part,
    shape_of,
    whole,
)
from core.networks.windows.steps import Source, Step, inside_of

_CONVOLUTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_TRANSPOSED: dict[int, Callable[..., torch.Tensor]] = {
    1: F.conv_transpose1d,
    2: F.conv_transpose2d,
    3: F.conv_transpose3d,
}
_MAX_POOLS = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
_AVERAGE_POOLS = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


class Local(Step):
    """Operation whose outputs read a few neighbouring inputs, the same way along each axis."""

    fill = 0.0

    def __init__(self) -> None:
        self.axes: tuple[Axis, ...] = ()
        self.channels = 0
        self.grid: Box = ()
        self.outputs: Box = ()

    @override
    def bind(self, shapes: Sequence[torch.Size], shape: torch.Size) -> None:
        self.channels, self.grid, self.outputs = shapes[0][1], whole(shapes[0][2:]), whole(shape[2:])
        self.axes = self.layout(tuple(shapes[0][2:]), tuple(shape[2:]))

    def layout(self, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> tuple[Axis, ...]:
        """Rule of each axis, for the spatial shapes of input and output."""
        raise NotImplementedError

    def compute(self, patch: torch.Tensor, start: Box, box: Box) -> torch.Tensor:
        """Output inside `box`, from a patch that holds all the inputs it reads, padding included."""
        raise NotImplementedError

    @override
    def reach(self, *boxes: Box | None) -> Box | None:
        if boxes[0] is None:
            return None
        spans = [axis.reach(own.start, own.stop) for axis, own in zip(self.axes, boxes[0], strict=True)]
        found = tuple(slice(*span) for span in spans if span is not None)
        return found if len(found) == len(spans) else None

    @override
    def within(self, box: Box, *sources: Source) -> torch.Tensor:
        if box == self.outputs:
            return self.apply(sources[0].patch(self.grid))
        need = needed(self.axes, box)
        return self.compute(sources[0].patch(need, self.fill), need, box)

    @override
    def scratch(self, box: Box, *boxes: Box | None) -> int:
        need = self.grid if box == self.outputs else needed(self.axes, box)
        return 0 if need == boxes[0] else self.channels * prod(shape_of(need))


class Convolution(Local):
    """Convolution with zeros around the grid.

    Parameters
    ----------
    weight, bias : torch.Tensor
    stride, dilation : tuple of int
    padding : tuple of (before, after)
    groups : int
    """

    def __init__(
        self,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        stride: tuple[int, ...],
        padding: tuple[tuple[int, int], ...],
        dilation: tuple[int, ...],
        groups: int,
    ) -> None:
        super().__init__()
        self.weight, self.bias, self.groups = laid_out(weight), bias, groups
        self.stride, self.padding, self.dilation = stride, padding, dilation
        self._convolve = _CONVOLUTIONS[len(stride)]

    @override
    def apply(self, *inputs: torch.Tensor) -> torch.Tensor:
        x, padding = inputs[0], tuple(before for before, _ in self.padding)
        if any(before != after for before, after in self.padding):
            x, padding = F.pad(x, [n for pair in reversed(self.padding) for n in pair]), (0,) * len(padding)
        return self._convolve(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    @override
    def layout(self, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> tuple[Axis, ...]:
        kernel = self.weight.shape[2:]
        return tuple(
            Sliding((k - 1) * d + 1, s, before, n)
            for k, d, s, (before, _), n in zip(kernel, self.dilation, self.stride, self.padding, outputs, strict=True)
        )

    @override
    def compute(self, patch: torch.Tensor, start: Box, box: Box) -> torch.Tensor:
        return self._convolve(patch, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


class UpConvolution(Local):
    """Nearest up-sampling and the convolution after it as one convolution of the small grid.

    Each of the outputs that one sample becomes (a phase) has a kernel of its own on the small grid: weights that meet
    copies of the same sample are added. So the up-sampled image, the largest of a decoder, is never made.

    Parameters
    ----------
    convolution : Convolution
        Stride 1, one group.
    factor : tuple of int
        Copies of a sample along each axis.
    """

    def __init__(self, convolution: Convolution, factor: tuple[int, ...]) -> None:
        super().__init__()
        self.convolution, self.factor = convolution, factor
        kernel = convolution.weight.shape[2:]
        rules = zip(kernel, convolution.dilation, convolution.padding, factor, strict=True)
        self.phases = tuple(Phased(Sliding((k - 1) * d + 1, 1, before, 0), f) for k, d, (before, _), f in rules)
        self.weight = laid_out(self._phase_weights())
        bias = convolution.bias
        self.bias = None if bias is None else bias.repeat(prod(factor))
        self._convolve = _CONVOLUTIONS[len(factor)]

    def pays(self) -> bool:
        """Whether it is less work than its two parts."""
        old, new = self.convolution.weight.shape, self.weight.shape
        return prod(new[2:]) <= prod(old[2:]) and old[0] <= 2 * old[1]

    @override
    def apply(self, *inputs: torch.Tensor) -> torch.Tensor:
        outputs = whole(
            size * f + before + after - phase.fine.extent + 1
            for size, f, (before, after), phase in zip(
                inputs[0].shape[2:], self.factor, self.convolution.padding, self.phases, strict=True
            )
        )
        start = needed(self.phases, outputs)
        return self.compute(inside_of(inputs[0], start, 0.0), start, outputs)

    @override
    def layout(self, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> tuple[Axis, ...]:
        return tuple(replace(p, fine=replace(p.fine, outputs=n)) for p, n in zip(self.phases, outputs, strict=True))

    @override
    def compute(self, patch: torch.Tensor, start: Box, box: Box) -> torch.Tensor:
        phases = self._convolve(patch, self.weight, self.bias)
        n, groups = len(self.factor), phases.shape[2:]
        # (J, phase of each axis, C, group of each axis) → each axis' phases behind its groups, channels last in memory
        split = phases.view(len(phases), *self.factor, -1, *groups)
        mixed = split.permute(0, *(axis for i in range(n) for axis in (2 + n + i, 1 + i)), 1 + n)
        fine = mixed.reshape(len(phases), *(g * f for g, f in zip(groups, self.factor, strict=True)), -1).movedim(-1, 1)
        first = (
            phase.groups(own.start, own.stop)[0] * phase.factor + phase.lead
            for phase, own in zip(self.phases, box, strict=True)
        )
        return part(fine, tuple(slice(own.start - f, own.stop - f) for own, f in zip(box, first, strict=True)))

    def _phase_weights(self) -> torch.Tensor:
        """Kernels (phases · C_out, C_in, *small kernel) from the kernel (C_out, C_in, *kernel)."""
        weight, n = self.convolution.weight, len(self.factor)
        for axis, (phase, dilation) in enumerate(zip(self.phases, self.convolution.dilation, strict=True)):
            # here weight is (C_out, phase of each axis before, C_in, kernel); its kernel starts at this axis
            own = 2 + 2 * axis
            taps = torch.arange(weight.shape[own], device=weight.device) * dilation
            fine = torch.arange(phase.factor, device=weight.device)[:, None] + taps
            places = torch.arange(phase.taps, device=weight.device)
            # (phase, tap, place): which sample of the small grid each tap of each phase falls on
            falls = fine.div(phase.factor, rounding_mode="floor")[..., None] == places
            weight = torch.tensordot(weight, falls.to(weight.dtype), dims=([own], [1]))
            weight = weight.movedim((-2, -1), (1 + axis, own + 1))
        return weight.movedim(0, n).reshape(-1, *weight.shape[1 + n :])


class TransposedConvolution(Local):
    """Transposed convolution; parameters as torch's."""

    def __init__(
        self,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        stride: tuple[int, ...],
        padding: tuple[int, ...],
        output_padding: tuple[int, ...],
        groups: int,
        dilation: tuple[int, ...],
    ) -> None:
        super().__init__()
        self.weight, self.bias, self.groups = laid_out(weight), bias, groups
        self.stride, self.padding, self.dilation = stride, padding, dilation
        self.output_padding = output_padding
        self._convolve = _TRANSPOSED[len(stride)]

    @override
    def apply(self, *inputs: torch.Tensor) -> torch.Tensor:
        shape = (self.stride, self.padding, self.output_padding, self.groups, self.dilation)
        return self._convolve(inputs[0], self.weight, self.bias, *shape)

    @override
    def layout(self, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> tuple[Axis, ...]:
        kernel = self.weight.shape[2:]
        rules = zip(kernel, self.dilation, self.stride, self.padding, inputs, outputs, strict=True)
        return tuple(_spreading(*rule) for rule in rules)

    @override
    def compute(self, patch: torch.Tensor, start: Box, box: Box) -> torch.Tensor:
        spread = self._convolve(patch, self.weight, self.bias, self.stride, 0, 0, self.groups, self.dilation)
        first = (need.start * s - p for need, s, p in zip(start, self.stride, self.padding, strict=True))
        return part(spread, tuple(slice(axis.start - f, axis.stop - f) for axis, f in zip(box, first, strict=True)))


def _spreading(kernel: int, dilation: int, stride: int, before: int, inputs: int, outputs: int) -> Axis:
    """Rule of a transposed convolution along one axis."""
    if dilation == 1 and kernel >= stride:
        return Spreading(kernel, stride, before, inputs, outputs)
    return Table.spread(np.arange(kernel) * dilation, stride, before, inputs, outputs)


class MaxPool(Local):
    """Maximum pooling, with or without ``ceil_mode``."""

    fill = float("-inf")

    def __init__(
        self,
        kernel: tuple[int, ...],
        stride: tuple[int, ...],
        padding: tuple[int, ...],
        dilation: tuple[int, ...],
        ceil_mode: bool,
    ) -> None:
        super().__init__()
        self.kernel, self.stride, self.padding, self.dilation = kernel, stride, padding, dilation
        self.ceil_mode = ceil_mode
        self._pool = _MAX_POOLS[len(kernel)]

    @override
    def apply(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self._pool(inputs[0], self.kernel, self.stride, self.padding, self.dilation, self.ceil_mode)

    @override
    def layout(self, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> tuple[Axis, ...]:
        rules = zip(self.kernel, self.dilation, self.stride, self.padding, outputs, strict=True)
        return tuple(Sliding((k - 1) * d + 1, s, p, n) for k, d, s, p, n in rules)

    @override
    def compute(self, patch: torch.Tensor, start: Box, box: Box) -> torch.Tensor:
        return self._pool(patch, self.kernel, self.stride, 0, self.dilation)


class AveragePool(Local):
    """Average pooling; `divisor` None divides by the samples below the kernel, padding counted or not."""

    def __init__(
        self,
        kernel: tuple[int, ...],
        stride: tuple[int, ...],
        padding: tuple[int, ...],
        ceil_mode: bool,
        count_padding: bool,
        divisor: int | None,
    ) -> None:
        super().__init__()
        self.kernel, self.stride, self.padding = kernel, stride, padding
        self.ceil_mode, self.count_padding, self.divisor = ceil_mode, count_padding, divisor
        self._counts: list[np.ndarray] = []
        self._pool: Callable[..., torch.Tensor] = _AVERAGE_POOLS[len(kernel)]

    @override
    def apply(self, *inputs: torch.Tensor) -> torch.Tensor:
        shape = (self.kernel, self.stride, self.padding, self.ceil_mode, self.count_padding)
        # the one-dimensional form has no divisor
        return self._pool(inputs[0], *shape, *(() if len(self.kernel) == 1 else (self.divisor,)))

    @override
    def layout(self, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> tuple[Axis, ...]:
        rules = list(zip(self.kernel, self.stride, self.padding, outputs, strict=True))
        self._counts = [self._below(*rule, n) for rule, n in zip(rules, inputs, strict=True)]
        return tuple(Sliding(k, s, p, n) for k, s, p, n in rules)

    @override
    def compute(self, patch: torch.Tensor, start: Box, box: Box) -> torch.Tensor:
        pooled = self._pool(patch, self.kernel, self.stride)
        for axis, (count, kernel, own) in enumerate(zip(self._counts, self.kernel, box, strict=True)):
            if (count[own] != kernel).any():
                factor = torch.as_tensor(kernel / count[own], dtype=patch.dtype, device=patch.device)
                pooled = pooled * factor.view(-1, *[1] * (len(self.kernel) - 1 - axis))
        return pooled if self.divisor is None else pooled * (prod(self.kernel) / self.divisor)

    def _below(self, kernel: int, stride: int, padding: int, outputs: int, inputs: int) -> np.ndarray:
        """Samples that each output's sum is divided by, along one axis."""
        if self.divisor is not None:
            return np.full(outputs, kernel)
        first = np.arange(outputs) * stride - padding
        last = np.minimum(first + kernel, inputs + padding)
        return last - first if self.count_padding else np.minimum(last, inputs) - np.maximum(first, 0)
