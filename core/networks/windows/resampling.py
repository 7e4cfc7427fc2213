"""Steps of padding, cropping, up-sampling and adaptive pooling, whose rule of each axis is read off from torch."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

from core.networks.windows.boxes import Unwindowable
from core.networks.windows.calls import Call, numbers
from core.networks.windows.gathering import Gather, Resample
from core.networks.windows.steps import Everything, Step

_PadMode = Literal["constant", "reflect", "edge", "wrap"]
#: torch's names and numpy's
_PAD_MODES: dict[str, _PadMode] = {
    "constant": "constant",
    "reflect": "reflect",
    "replicate": "edge",
    "circular": "wrap",
}


def adaptive_average(function: Callable[..., torch.Tensor], size: Any, x: torch.Tensor) -> list[Step]:
    """Adaptive average pooling of `x` by `function`, to `size`."""
    n = x.ndim - 2
    sizes = size if isinstance(size, tuple | list) else (size,) * n
    matrices = []
    for own, wanted in zip(x.shape[2:], sizes, strict=True):
        basis = torch.eye(own, dtype=x.dtype, device=x.device)
        matrices.append(F.adaptive_avg_pool1d(basis[None], own if wanted is None else wanted)[0].T)
    return [Resample(function, matrices)]


def adaptive_average_call(call: Call, x: torch.Tensor) -> list[Step]:
    """Adaptive average pooling, called as a function."""
    return adaptive_average(call.on, call.named("input", "output_size")["output_size"], x)


def interpolate(
    function: Callable[..., torch.Tensor],
    x: torch.Tensor,
    size: Any,
    factor: Any,
    mode: str,
    align_corners: bool | None,
    recompute: bool | None = None,
    antialias: bool = False,
) -> list[Step] | None:
    """Up-sampling: the rule of each axis is read off from what torch does to that axis alone."""
    if antialias:
        return None
    n = x.ndim - 2
    sizes = [None] * n if size is None else numbers(size, n)
    factors = [None] * n if factor is None else list(factor) if isinstance(factor, tuple | list) else [factor] * n
    if mode in {"nearest", "nearest-exact"}:
        indices = []
        for own, wanted, scale in zip(x.shape[2:], sizes, factors, strict=True):
            ramp = torch.arange(own, dtype=x.dtype, device=x.device)[None, None]
            index = F.interpolate(ramp, wanted, scale, mode, recompute_scale_factor=recompute)
            indices.append(index[0, 0].cpu().numpy().astype(np.int64))
        return [Gather(function, indices)]
    matrices = []
    # along an axis of one sample every rule is a copy, so that two dimensions serve for one
    planar = {"linear": "bilinear", "trilinear": "bilinear"}.get(mode, mode)
    for own, wanted, scale in zip(x.shape[2:], sizes, factors, strict=True):
        basis = torch.eye(own, dtype=x.dtype, device=x.device)[None, :, :, None]
        target = None if wanted is None else (wanted, 1)
        scales = None if scale is None else (scale, 1.0)
        found = F.interpolate(basis, target, scales, planar, align_corners, recompute_scale_factor=recompute)
        matrices.append(found[0, :, :, 0].T)
    return [Resample(function, matrices)]


def interpolate_call(call: Call, x: torch.Tensor) -> list[Step] | None:
    """Up-sampling, called as a function."""
    names = ("size", "scale_factor", "mode", "align_corners", "recompute_scale_factor", "antialias")
    named = call.named("input", *names)
    size, factor, mode, *rest = (named.get(name) for name in names)
    return interpolate(call.on, x, size, factor, mode or "nearest", rest[0], rest[1], bool(rest[2]))


def pad(
    function: Callable[..., torch.Tensor], padding: Any, mode: str, value: float, x: torch.Tensor
) -> list[Step] | None:
    """Padding or, where it is negative, cropping; `padding` as ``F.pad`` takes it, the last axis first."""
    n = x.ndim - 2
    flat = numbers(padding, 2 * n)
    if len(flat) > 2 * n or mode not in _PAD_MODES:
        return None
    pairs = list(zip(flat[::2], flat[1::2], strict=True))[::-1]
    pairs = [(0, 0)] * (n - len(pairs)) + pairs
    indices = []
    for own, (before, after) in zip(x.shape[2:], pairs, strict=True):
        kept = np.arange(own)[max(0, -before) : own - max(0, -after)]
        width = (max(0, before), max(0, after))
        extra: dict[str, Any] = {"constant_values": -1} if mode == "constant" else {}
        indices.append(np.pad(kept, width, mode=_PAD_MODES[mode], **extra))
    return [Gather(function, indices, value)]


def pad_call(call: Call, x: torch.Tensor) -> list[Step] | None:
    """Padding, called as a function."""
    named = call.named("input", "pad", "mode", "value")
    return pad(call.on, named["pad"], named.get("mode", "constant"), float(named.get("value") or 0.0), x)


def slicing(call: Call, x: torch.Tensor) -> list[Step] | None:
    """Slices of channels and of space; anything else an index can be makes the whole of it."""
    index = call.args[1]
    index = list(index) if isinstance(index, tuple) else [index]
    if ... in index:
        place = index.index(...)
        index[place : place + 1] = [slice(None)] * (x.ndim - len(index) + 1)
    index += [slice(None)] * (x.ndim - len(index))
    if len(index) != x.ndim or not all(isinstance(part, slice) for part in index) or index[0] != slice(None):
        return [Everything(call.on)]
    indices = [np.arange(size)[part] for size, part in zip(x.shape[2:], index[2:], strict=True)]
    if not all(map(len, indices)):
        raise Unwindowable(f"the operation {call.label} cuts everything away")
    return [Gather(call.on, indices, channels=index[1])]
