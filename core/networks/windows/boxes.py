"""Windows of a grid, and how one axis of a layer carries them from its input to its output and back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Protocol

import numpy as np
import torch

#: one slice an axis, start and stop set, step None
Box = tuple[slice, ...]
#: first and past-the-last index along one axis
Span = tuple[int, int]


class Unwindowable(Exception):  # noqa: N818 - read as "what is unwindowable about this network"
    """A network's answer cannot be recomputed in windows; the message is one sentence for people."""


def whole(shape: Iterable[int]) -> Box:
    """Window that is all of a grid."""
    return tuple(slice(0, size) for size in shape)


def shape_of(box: Box) -> tuple[int, ...]:
    """Samples of a window along each axis."""
    return tuple(axis.stop - axis.start for axis in box)


def volume(box: Box) -> int:
    """Samples of a window."""
    return prod(shape_of(box))


def hull(boxes: Sequence[Box]) -> Box:
    """Smallest window that holds all of `boxes`."""
    if len(boxes) == 1:
        return boxes[0]
    return tuple(
        slice(min(axis.start for axis in axes), max(axis.stop for axis in axes)) for axes in zip(*boxes, strict=True)
    )


def common(first: Box, second: Box) -> Box | None:
    """Samples that two windows share; None when they share none."""
    box = tuple(slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(first, second, strict=True))
    return None if any(axis.start >= axis.stop for axis in box) else box


def relative(box: Box, outer: Box) -> Box:
    """Same samples as `box`, counted from the start of `outer`."""
    return tuple(slice(a.start - b.start, a.stop - b.start) for a, b in zip(box, outer, strict=True))


def layout_of(tensor: torch.Tensor) -> torch.memory_format:
    """Layout that windows are worked on in: channels last made pooling and up-sampling 2 to 11 times faster."""
    return {4: torch.channels_last, 5: torch.channels_last_3d}.get(tensor.ndim, torch.contiguous_format)


def laid_out(tensor: torch.Tensor) -> torch.Tensor:
    """`tensor` in the layout of `layout_of`."""
    return tensor.contiguous(memory_format=layout_of(tensor))


def part(tensor: torch.Tensor, box: Box) -> torch.Tensor:
    """View of a window of the last axes of `tensor`."""
    index: tuple[Any, ...] = (..., *box)
    return tensor[index]


def cut(tensor: torch.Tensor, box: Box) -> torch.Tensor:
    """Part of `tensor` inside a window of the grid it broadcasts to: its last axes are the grid's, those of 1 stay."""
    axes = min(tensor.ndim, len(box))
    sizes = tensor.shape[tensor.ndim - axes :]
    return part(tensor, tuple(slice(None) if n == 1 else a for n, a in zip(sizes, box[len(box) - axes :], strict=True)))


class Axis(Protocol):
    """Which inputs an output reads along one axis."""

    def reach(self, start: int, stop: int) -> Span | None:
        """Outputs that read an input in start..stop; None when none does."""

    def need(self, start: int, stop: int) -> Span:
        """Inputs that outputs start..stop read; may lie outside the grid where the layer pads."""


@dataclass(frozen=True)
class Sliding:
    """Convolution or pooling: output i reads inputs i·stride − before, `extent` of them.

    Parameters
    ----------
    extent : int
        Samples from the first to the last tap, both included.
    stride, before : int
        Step of the kernel; padding in front of the first sample.
    outputs : int
        Samples of the output.
    """

    extent: int
    stride: int
    before: int
    outputs: int

    def reach(self, start: int, stop: int) -> Span | None:
        """Outputs whose taps meet start..stop."""
        first = max(0, -((self.extent - 1 - self.before - start) // self.stride))
        last = min(self.outputs, (stop - 1 + self.before) // self.stride + 1)
        return (first, last) if first < last else None

    def need(self, start: int, stop: int) -> Span:
        """Inputs below the taps of outputs start..stop."""
        return start * self.stride - self.before, (stop - 1) * self.stride - self.before + self.extent


@dataclass(frozen=True)
class Spreading:
    """Transposed convolution: input j writes outputs j·stride − before, `extent` of them.

    Only where these overlap or touch, so that every output between two that are written is written too; else a `Table`
    of `Table.spread` says which outputs no input writes.
    """

    extent: int
    stride: int
    before: int
    inputs: int
    outputs: int

    def reach(self, start: int, stop: int) -> Span | None:
        """Outputs that start..stop write to."""
        first = max(0, start * self.stride - self.before)
        last = min(self.outputs, (stop - 1) * self.stride - self.before + self.extent)
        return (first, last) if first < last else None

    def need(self, start: int, stop: int) -> Span:
        """Inputs that write to outputs start..stop."""
        first = -((self.extent - 1 - self.before - start) // self.stride)
        last = (stop - 1 + self.before) // self.stride + 1
        return max(0, first), min(self.inputs, last)


@dataclass(frozen=True)
class Phased:
    """Nearest up-sampling by `factor`, then a convolution of stride 1: worked out `factor` outputs at a time.

    Outputs come in groups that start where the kernel's first tap meets a new input: group g is outputs
    g·factor + lead + phase, and all of them read the `taps` inputs from g − before // factor on.

    Parameters
    ----------
    fine : Sliding
        The convolution on the up-sampled axis.
    factor : int
    """

    fine: Sliding
    factor: int

    @property
    def lead(self) -> int:
        """Outputs in front of group 0."""
        return self.fine.before % self.factor

    @property
    def taps(self) -> int:
        """Inputs that a group reads: for factor 2 and kernel 3 only two, each of which meets one or two taps."""
        return (self.factor + self.fine.extent - 2) // self.factor + 1

    def groups(self, start: int, stop: int) -> Span:
        """Groups that outputs start..stop belong to."""
        return (start - self.lead) // self.factor, -(-(stop - self.lead) // self.factor)

    def reach(self, start: int, stop: int) -> Span | None:
        """Outputs whose taps meet copies of start..stop."""
        return self.fine.reach(start * self.factor, stop * self.factor)

    def need(self, start: int, stop: int) -> Span:
        """Inputs of all the groups that outputs start..stop belong to."""
        first, last = self.groups(start, stop)
        shift = self.fine.before // self.factor
        return first - shift, last - shift + self.taps - 1


@dataclass(frozen=True, eq=False)
class Table:
    """Any other rule, listed: output i reads inputs low[i] to high[i] (high excluded); low ≥ high reads none."""

    low: np.ndarray
    high: np.ndarray

    def reach(self, start: int, stop: int) -> Span | None:
        """Outputs from the first to the last that reads something in start..stop."""
        touched = np.flatnonzero((self.low < stop) & (self.high > start))
        return (int(touched[0]), int(touched[-1]) + 1) if touched.size else None

    def need(self, start: int, stop: int) -> Span:
        """Inputs from the first to the last that outputs start..stop read."""
        return int(self.low[start:stop].min()), int(self.high[start:stop].max())

    @classmethod
    def gather(cls, index: np.ndarray, inputs: int) -> "Table":
        """Rule of an axis whose output i is a copy of input index[i], or a constant where that is −1."""
        copied = index >= 0
        return cls(np.where(copied, index, inputs), np.where(copied, index + 1, 0))

    @classmethod
    def spread(cls, taps: np.ndarray, stride: int, before: int, inputs: int, outputs: int) -> "Table":
        """Rule of a transposed convolution whose input j writes outputs j·stride − before + `taps`."""
        low, high = np.full(outputs, inputs), np.zeros(outputs, dtype=int)
        written = np.arange(inputs)[:, None] * stride - before + taps
        readers, _ = np.nonzero((written >= 0) & (written < outputs))
        places = written[(written >= 0) & (written < outputs)]
        np.minimum.at(low, places, readers)
        np.maximum.at(high, places, readers + 1)
        return cls(low, high)

    @classmethod
    def matrix(cls, weights: torch.Tensor) -> "Table":
        """Rule of an axis that is multiplied by a matrix (outputs, inputs)."""
        used = (weights != 0).cpu().numpy()
        low = used.argmax(axis=1)
        return cls(low, used.shape[1] - used[:, ::-1].argmax(axis=1))


def needed(axes: Sequence[Axis], box: Box) -> Box:
    """Inputs that `box` of the output reads."""
    return tuple(slice(*axis.need(own.start, own.stop)) for axis, own in zip(axes, box, strict=True))
