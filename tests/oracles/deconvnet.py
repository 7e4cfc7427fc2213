"""The deconvnet the long way, float64: one filter after another, switches and transposed filters written out as loops.

Zeiler and Fergus, ECCV 2014, section 2.1, as METHODS reads paper 3: "unpooling", "rectification", "filtering", from the
layer's rectified activation down to the image; biases only on the way up; a batch norm in eval scales.
"""

import itertools
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn


@dataclass
class Level:
    """One layer, the shape it was given, and, for max-pooling, where each window's largest value lay."""

    layer: nn.Module
    shape: tuple[int, ...]
    switches: dict[tuple[int, ...], tuple[int, ...]]


def up(layers: list[nn.Module], x: torch.Tensor) -> tuple[np.ndarray, list[Level]]:
    """Rectified activation (filters, *spatial) of the last layer for x (1, C, *spatial), and what was on the way."""
    levels = []
    with torch.no_grad():
        for layer in layers:
            pooled = layer(x.clone())
            switches = _switches(layer, x[0].numpy(), pooled.shape[1:]) if _is_max_pool(layer) else {}
            levels.append(Level(layer, tuple(x.shape[1:]), switches))
            x = pooled
    return np.maximum(x[0].numpy(), 0), levels


def one_filter(activation: np.ndarray, levels: list[Level], number: int) -> np.ndarray:
    """Projection (C, *spatial) of filter `number`: all others are set to zero."""
    signal = np.zeros_like(activation)
    signal[number] = activation[number]
    return down(signal, levels)


def down(signal: np.ndarray, levels: list[Level]) -> np.ndarray:
    """A layer's signal brought to the image."""
    for level in reversed(levels):
        layer = level.layer
        if _is_max_pool(layer):
            signal = _unpooled(signal, level)
        elif isinstance(layer, nn.ReLU | nn.LeakyReLU):
            signal = np.maximum(signal, 0)
        elif isinstance(layer, nn.Conv2d | nn.Conv3d):
            signal = _filtered(signal, level)
        elif isinstance(layer, nn.BatchNorm2d | nn.BatchNorm3d):
            gain = layer.weight.detach().numpy() / np.sqrt(layer.running_var.numpy() + layer.eps)
            signal = np.stack([gain[c] * signal[c] for c in range(len(signal))])
        elif isinstance(layer, nn.AvgPool2d | nn.AvgPool3d):
            signal = _spread(signal, level)
    return signal


def overlay(projections: list[np.ndarray]) -> np.ndarray:
    """Sum of single projections, channels added up."""
    return sum(projection.sum(axis=0) for projection in projections)


def _is_max_pool(layer: nn.Module) -> bool:
    return isinstance(layer, nn.MaxPool2d | nn.MaxPool3d)


def _axes(value: int | tuple[int, ...], n: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple) else (value,) * n


def _window(layer: nn.Module, position: tuple[int, ...], shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Places of the layer's input that its output at `position` reads."""
    n = len(shape)
    kernel, stride = _axes(layer.kernel_size, n), _axes(layer.stride, n)
    padding, dilation = _axes(layer.padding, n), _axes(getattr(layer, "dilation", 1), n)
    places = []
    for tap in itertools.product(*(range(k) for k in kernel)):
        place = tuple(p * s - b + t * d for p, s, b, t, d in zip(position, stride, padding, tap, dilation, strict=True))
        if all(0 <= a < size for a, size in zip(place, shape, strict=True)):
            places.append(place)
    return places


def _switches(layer: nn.Module, x: np.ndarray, pooled: tuple[int, ...]) -> dict[tuple[int, ...], tuple[int, ...]]:
    found = {}
    for channel, *position in np.ndindex(*pooled):
        places = _window(layer, tuple(position), x.shape[1:])
        found[(channel, *position)] = max(places, key=lambda place: x[(channel, *place)])
    return found


def _unpooled(signal: np.ndarray, level: Level) -> np.ndarray:
    """Each value to the place its switch names; two windows that name one place add up."""
    image = np.zeros(level.shape)
    for (channel, *position), place in level.switches.items():
        image[(channel, *place)] += signal[(channel, *position)]
    return image


def _spread(signal: np.ndarray, level: Level) -> np.ndarray:
    """Each mean handed in equal parts to what it was the mean of."""
    image = np.zeros(level.shape)
    parts = np.prod(_axes(level.layer.kernel_size, signal.ndim - 1))
    for channel, *position in np.ndindex(*signal.shape):
        for place in _window(level.layer, tuple(position), level.shape[1:]):
            image[(channel, *place)] += signal[(channel, *position)] / parts
    return image


def _filtered(signal: np.ndarray, level: Level) -> np.ndarray:
    """The transposed convolution: what each filter gave at each place, times the filter, laid down where it looked."""
    layer, weight = level.layer, level.layer.weight.detach().numpy()
    image = np.zeros(level.shape)
    n = signal.ndim - 1
    stride, dilation = _axes(layer.stride, n), _axes(layer.dilation, n)
    before = _zeros_before(layer, n)
    inputs = weight.shape[1]
    outputs = len(signal) // layer.groups
    for number, *position in zip(*np.nonzero(signal), strict=True):
        first = int(number) // outputs * inputs
        for tap in itertools.product(*(range(k) for k in weight.shape[2:])):
            place = tuple(
                int(p) * s + t * d - b for p, s, t, d, b in zip(position, stride, tap, dilation, before, strict=True)
            )
            if all(0 <= a < size for a, size in zip(place, level.shape[1:], strict=True)):
                for channel in range(inputs):
                    value = signal[(number, *position)] * weight[(number, channel, *tap)]
                    image[(first + channel, *place)] += value
    return image


def _zeros_before(layer: nn.Module, n: int) -> tuple[int, ...]:
    if layer.padding == "same":
        return tuple(d * (k - 1) // 2 for d, k in zip(layer.dilation, layer.kernel_size, strict=True))
    return (0,) * n if layer.padding == "valid" else _axes(layer.padding, n)
