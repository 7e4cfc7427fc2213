"""Where the samples of a feature layer lie in the input, and bringing a layer's map to full resolution there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import ndimage
from torch import nn

from core.networks.history import History, calls_of, shape_of_node


@dataclass(frozen=True)
class Sampling:
    """Centre of sample i of a layer along each axis: ``start + i · step``, in input voxels."""

    start: tuple[float, ...]
    step: tuple[float, ...]


@dataclass(frozen=True)
class _Field:
    """What samples read along one axis: sample i from ``low + i · step`` to ``high + i · step``, in input voxels."""

    low: float = 0.0
    high: float = 0.0
    step: float = 1.0

    def read(self, before: float, extent: float, stride: float) -> _Field:
        """Field of an operation whose output i reads ``i · stride − before`` and `extent` samples further."""
        low, high = self.low - before * self.step, self.high + (extent - before) * self.step
        return _Field(low, high, self.step * stride)


_Fields = tuple[_Field, ...]
_Rule = Callable[[Any, _Fields, tuple[int, ...]], _Fields]


def layer_sampling(network: nn.Module, layer: nn.Module, x: torch.Tensor) -> Sampling:
    """Centres of a layer's samples in the input: those of the fields of pixels that they read.

    Strides, kernels, padding and dilation of everything that ran between the input and the layer are worked through,
    branch by branch; where branches join, the field is what they read together. Where an operation moves samples in a
    way that is not known (a reshaping, attention), samples are taken to be spread evenly over the input.

    Parameters
    ----------
    network, layer : torch.nn.Module
        The layer must be part of the network; of a layer that runs several times, the last time counts.
    x : torch.Tensor, shape (1, C, *spatial)
        Any input of the right shape.
    """
    names = [name for name, module in network.named_modules() if module is layer]
    calls, _, watched = calls_of(network, x)
    call = [call for call in calls if call.name in names][-1]
    shape, size = tuple(x.shape[2:]), call.shape[2:]
    fields = _fields(History(call.node, watched), len(shape))
    if fields is None:
        steps = tuple(n / k for n, k in zip(shape, size, strict=True))
        return Sampling(tuple((s - 1) / 2 for s in steps), steps)
    return Sampling(tuple((f.low + f.high) / 2 for f in fields), tuple(f.step for f in fields))


def at_full_resolution(values: np.ndarray, sampling: Sampling, shape: Sequence[int]) -> np.ndarray:
    """Linear interpolation of a layer's map to `shape`; beyond the outermost samples the map keeps their value."""
    positions = [
        (np.arange(n) - start) / step for n, start, step in zip(shape, sampling.start, sampling.step, strict=True)
    ]
    grid = np.meshgrid(*positions, indexing="ij")
    return ndimage.map_coordinates(values, grid, order=1, mode="nearest").astype(np.float32)


def _fields(history: History, axes: int) -> _Fields | None:
    """Fields of the last operation's samples; None where they are not known."""
    known: dict[Any, _Fields | None] = {}
    for node in history.order:
        shape = shape_of_node(node)[-axes:]
        if not history.sources[node]:
            known[node] = (_Field(),) * axes
            continue
        rule = next((rule for start, rule in _RULES.items() if node.name().startswith(start)), None)
        if rule is not None:
            source, number = history.sources[node][0]
            before, size = known[source], shape_of_node(source, number)[-axes:]
            # over sequences, or in fewer dimensions, it is another operation than the one the rule is about
            known[node] = _ruled(rule, node, before, size) if before and len(shape_of_node(node)) == axes + 2 else None
            continue
        # sample by sample, or a join of several: what is broadcast (a gate) has no place of its own
        read = {source: shape_of_node(source, number)[-axes:] for source, number in history.sources[node]}
        known[node] = _together([fields for s, size in read.items() if size == shape and (fields := known[s])])
        first = next(iter(read))
        if shape not in read.values() and node.name().endswith("CopySlices") and (inner := known[first]):
            known[node] = _framed(inner, read[first], shape)
    return known[history.order[-1]] if history.order else None


def _ruled(rule: _Rule, node: Any, fields: _Fields, size: tuple[int, ...]) -> _Fields | None:
    """What `rule` says; None for an operation of the same name that keeps other things (one of a person's own)."""
    try:
        return rule(node, fields, size)
    except (AttributeError, TypeError, ValueError, LookupError):
        return None


def _together(read: list[_Fields]) -> _Fields | None:
    """What several branches read; None where their samples do not keep step."""
    along = list(zip(*read, strict=True))
    if not read or any(not np.allclose([f.step for f in fs], fs[0].step) for fs in along):
        return None
    return tuple(_Field(min(f.low for f in fs), max(f.high for f in fs), fs[0].step) for fs in along)


def _convolution(node: Any, fields: _Fields, size: tuple[int, ...]) -> _Fields:
    kernel, axes = node._saved_weight.shape[2:], len(fields)
    # one number may stand for all axes, as where padding is given by the word "valid"
    stride, padding, dilation = (
        tuple(given) * (axes if len(given) == 1 else 1)
        for given in (node._saved_stride, node._saved_padding, node._saved_dilation)
    )
    rules = list(zip(fields, kernel, stride, padding, dilation, strict=True))
    if node._saved_transposed:
        # output i is written by inputs (i + padding − tap) / stride
        return tuple(f.read(((k - 1) * d - p) / s, (k - 1) * d / s, 1 / s) for f, k, s, p, d in rules)
    return tuple(f.read(p, (k - 1) * d, s) for f, k, s, p, d in rules)


def _pooling(node: Any, fields: _Fields, size: tuple[int, ...]) -> _Fields:
    kernel, axes = node._saved_kernel_size, len(fields)
    dilation = getattr(node, "_saved_dilation", (1,) * axes)
    rules = zip(fields, kernel, node._saved_stride or kernel, node._saved_padding, dilation, strict=True)
    return tuple(f.read(p, (k - 1) * d, s) for f, k, s, p, d in rules)


def _evenly(node: Any, fields: _Fields, size: tuple[int, ...]) -> _Fields:
    """Each output is a share of the grid (adaptive pooling, up-sampling without aligned corners)."""
    ratios = [before / after for before, after in zip(size, shape_of_node(node)[-len(fields) :], strict=True)]
    # of pooling the field is the share itself; of up-sampling its centre
    return tuple(
        f.read(0, r - 1, r) if r >= 1 else f.read((1 - r) / 2, 0, r) for f, r in zip(fields, ratios, strict=True)
    )


def _upsampling(node: Any, fields: _Fields, size: tuple[int, ...]) -> _Fields:
    spread = _evenly(node, fields, size)
    if not getattr(node, "_saved_align_corners", False):
        return spread
    rules = zip(fields, spread, size, shape_of_node(node)[-len(fields) :], strict=True)
    # one sample has no corners: it is spread
    return tuple(f.read(0, 0, (n - 1) / (m - 1)) if min(n, m) > 1 else even for f, even, n, m in rules)


def _padding(node: Any, fields: _Fields, size: tuple[int, ...]) -> _Fields:
    """Padding is listed from the last axis to the first, before and after; negative where it crops."""
    flat = [_signed(n) for n in getattr(node, "_saved_pad", None) or node._saved_padding]
    before = [0] * (len(fields) - len(flat[::2])) + flat[::2][::-1]
    return tuple(f.read(n, 0, 1) for f, n in zip(fields, before[-len(fields) :], strict=True))


def _framed(fields: _Fields, size: tuple[int, ...], shape: tuple[int, ...]) -> _Fields:
    """Something copied into a larger tensor, as circular padding is: as much on each side."""
    more = [after - before for before, after in zip(size, shape, strict=True)]
    return tuple(f.read(n / 2, 0, 1) for f, n in zip(fields, more, strict=True))


def _slicing(node: Any, fields: _Fields, size: tuple[int, ...]) -> _Fields:
    axis = _signed(node._saved_dim) - (len(shape_of_node(node)) - len(fields))
    if axis < 0:
        return fields
    start = _signed(node._saved_start)
    start = max(0, start + size[axis] if start < 0 else start)
    step = _signed(node._saved_step)
    return tuple(f.read(-start, 0, step) if own == axis else f for own, f in enumerate(fields))


def _signed(value: int) -> int:
    """A whole number that autograd keeps without its sign."""
    return value - 2**64 if value >= 2**63 else value


#: by the beginning of an operation's name
_RULES: dict[str, _Rule] = {
    "ConvolutionBackward": _convolution,
    "MaxPool": _pooling,
    "AvgPool": _pooling,
    "Adaptive": _evenly,
    "UpsampleNearest": _evenly,
    "Upsample": _upsampling,
    "ConstantPad": _padding,
    "ReflectionPad": _padding,
    "ReplicationPad": _padding,
    "SliceBackward": _slicing,
    "PixelShuffle": _evenly,
    "PixelUnshuffle": _evenly,
}
