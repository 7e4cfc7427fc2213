"""Where the samples of a feature layer lie in the input, and bringing a layer's map to full resolution there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import ndimage
from torch import nn

_SLIDING = (nn.Conv2d, nn.Conv3d, nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool2d, nn.AvgPool3d)
_SLIDES = ("kernel_size", "stride", "padding", "dilation")


@dataclass(frozen=True)
class Sampling:
    """Centre of sample i of a layer along each axis: ``start + i · step``, in input voxels."""

    start: tuple[float, ...]
    step: tuple[float, ...]


def layer_sampling(network: nn.Module, layer: nn.Module, x: torch.Tensor) -> Sampling:
    """Centres of a layer's samples in the input.

    Strides, kernels and padding of the convolutions and pools that run up to the layer are added up in the order in
    which they run. Where that does not explain the layer's size (branches, adaptive pooling), samples are taken to be
    spread evenly over the input.

    Parameters
    ----------
    network, layer : torch.nn.Module
        The layer must be part of the network.
    x : torch.Tensor, shape (1, C, *spatial)
        Any input of the right shape.
    """
    axes = x.ndim - 2
    start, step = [0.0] * axes, [1.0] * axes
    sizes: list[tuple[int, ...]] = []

    def follow(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        if sizes:
            return
        if isinstance(module, _SLIDING):
            for axis in range(axes):
                kernel, stride, padding, dilation = (_per_axis(getattr(module, name, 1), axis) for name in _SLIDES)
                reach = (kernel - 1) * dilation
                left = reach // 2 if padding == "same" else 0 if padding == "valid" else padding
                start[axis] += (reach / 2 - left) * step[axis]
                step[axis] *= stride
        if module is layer:
            sizes.append(tuple(output.shape[2:]))

    handles = [m.register_forward_hook(follow) for m in network.modules() if isinstance(m, _SLIDING) or m is layer]
    try:
        with torch.inference_mode():
            network(x)
    finally:
        for handle in handles:
            handle.remove()
    return _plausible(Sampling(tuple(start), tuple(step)), sizes[0], tuple(x.shape[2:]))


def at_full_resolution(values: np.ndarray, sampling: Sampling, shape: Sequence[int]) -> np.ndarray:
    """Linear interpolation of a layer's map to `shape`; beyond the outermost samples the map keeps their value."""
    positions = [
        (np.arange(n) - start) / step for n, start, step in zip(shape, sampling.start, sampling.step, strict=True)
    ]
    grid = np.meshgrid(*positions, indexing="ij")
    return ndimage.map_coordinates(values, grid, order=1, mode="nearest").astype(np.float32)


def _plausible(sampling: Sampling, size: Sequence[int], shape: Sequence[int]) -> Sampling:
    first_to_last = zip(sampling.start, sampling.step, size, shape, strict=True)
    if all(-s <= a <= s and n - 1 - 2 * s <= a + (k - 1) * s <= n - 1 + 2 * s for a, s, k, n in first_to_last):
        return sampling
    steps = tuple(n / k for n, k in zip(shape, size, strict=True))
    return Sampling(tuple((s - 1) / 2 for s in steps), steps)


def _per_axis(value: Any, axis: int) -> Any:
    return value[axis] if isinstance(value, tuple | list) else value
