"""Which step stands for which layer or function of torch."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from core.networks.windows.calls import Bound, Call, numbers
from core.networks.windows.local import AveragePool, Convolution, MaxPool, TransposedConvolution
from core.networks.windows.resampling import (
    adaptive_average,
    adaptive_average_call,
    interpolate,
    interpolate_call,
    pad,
    pad_call,
    slicing,
)
from core.networks.windows.steps import Combine, Constant, Everything, Pointwise, Step

CONVOLUTION_MODULES = (
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)
NORM_MODULES = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
SAME_MODULES = (
    nn.Identity,
    nn.Dropout,
    nn.Dropout1d,
    nn.Dropout2d,
    nn.Dropout3d,
    nn.AlphaDropout,
    nn.FeatureAlphaDropout,
)
_INSTANCE_NORMS = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)
_POINTWISE_MODULES = (
    nn.ReLU,
    nn.ReLU6,
    nn.LeakyReLU,
    nn.PReLU,
    nn.ELU,
    nn.CELU,
    nn.SELU,
    nn.SiLU,
    nn.GELU,
    nn.Mish,
    nn.Sigmoid,
    nn.LogSigmoid,
    nn.Tanh,
    nn.Tanhshrink,
    nn.Softplus,
    nn.Softsign,
    nn.Softshrink,
    nn.Hardshrink,
    nn.Hardtanh,
    nn.Hardsigmoid,
    nn.Hardswish,
    nn.Threshold,
    nn.Softmax2d,
)
_EVERYTHING_MODULES = (
    nn.Linear,
    nn.Flatten,
    nn.GroupNorm,
    nn.LayerNorm,
    nn.AdaptiveMaxPool1d,
    nn.AdaptiveMaxPool2d,
    nn.AdaptiveMaxPool3d,
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_POINTWISE_CALLS = _words(
    "relu relu6 leaky_relu prelu elu celu selu silu gelu mish sigmoid logsigmoid tanh tanhshrink softplus softsign "
    "softshrink hardshrink hardtanh hardsigmoid hardswish threshold clamp clip clamp_min clamp_max abs exp log log1p "
    "expm1 sqrt rsqrt square pow neg reciprocal sin cos sign erf"
)
_ARITHMETIC = {"add", "sub", "rsub", "mul", "truediv", "div", "maximum", "minimum", "pow", "true_divide", "multiply"}
_EVERYTHING_CALLS = _words(
    "flatten reshape view permute transpose unsqueeze squeeze mean sum amax amin std var linear matmul bmm layer_norm "
    "group_norm adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d"
)
_VIEWS = {"flatten", "reshape", "view", "permute", "transpose", "unsqueeze", "squeeze", "getitem"}
_PAD_MODULES = {
    "Zero": "constant",
    "Constant": "constant",
    "Reflection": "reflect",
    "Replication": "replicate",
    "Circular": "circular",
}
_IN_PLACE: dict[type[nn.Module], Callable[[Any], Callable[[torch.Tensor], torch.Tensor]]] = {
    nn.ReLU: lambda module: torch.relu_,
    nn.LeakyReLU: lambda module: partial(F.leaky_relu, negative_slope=module.negative_slope, inplace=True),
    nn.ELU: lambda module: partial(F.elu, alpha=module.alpha, inplace=True),
    nn.SiLU: lambda module: partial(F.silu, inplace=True),
    nn.Sigmoid: lambda module: torch.sigmoid_,
    nn.Tanh: lambda module: torch.tanh_,
}
_IN_PLACE_CALLS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": torch.relu_,
    "sigmoid": torch.sigmoid_,
    "tanh": torch.tanh_,
}


def is_same(name: str, kwargs: dict[str, Any]) -> bool:
    """Whether a call gives back its input: dropout in eval, detach."""
    return name in {"detach", "contiguous"} or ("dropout" in name and kwargs.get("training") is False)


def is_view(step: Step) -> bool:
    """Whether a step's output may share memory with its input in the original network."""
    named = getattr(getattr(step, "function", None), "__self__", None)
    if isinstance(named, Call):
        return named.name in _VIEWS
    return isinstance(getattr(step, "function", None), nn.Flatten)


def step_of_module(module: nn.Module, x: torch.Tensor) -> list[Step] | None:
    """Steps that stand for a layer of ``torch.nn`` in eval mode; None when there are none."""
    n = x.ndim - 2
    if isinstance(module, _POINTWISE_MODULES):
        in_place = _IN_PLACE.get(type(module))
        return [Pointwise(module, in_place(module) if in_place else None)]
    if isinstance(module, CONVOLUTION_MODULES):
        return _convolution_module(module, x)
    if isinstance(module, NORM_MODULES + _INSTANCE_NORMS):
        return [Pointwise(module) if module.track_running_stats else Everything(module)]
    if isinstance(module, nn.Softmax | nn.LogSoftmax):
        return _softmax(module, module.dim, n)
    if isinstance(module, nn.MaxPool1d | nn.MaxPool2d | nn.MaxPool3d):
        if module.return_indices:
            return None
        stride = module.kernel_size if module.stride is None else module.stride
        return _max_pool(n, module.kernel_size, stride, module.padding, module.dilation, module.ceil_mode)
    if isinstance(module, nn.AvgPool1d | nn.AvgPool2d | nn.AvgPool3d):
        divisor = getattr(module, "divisor_override", None)
        shape = (module.kernel_size, module.stride, module.padding, module.ceil_mode, module.count_include_pad, divisor)
        return _average_pool(n, *shape)
    if isinstance(module, nn.AdaptiveAvgPool1d | nn.AdaptiveAvgPool2d | nn.AdaptiveAvgPool3d):
        return adaptive_average(module, module.output_size, x)
    if isinstance(module, nn.Upsample):
        rule = (module.size, module.scale_factor, module.mode, module.align_corners, module.recompute_scale_factor)
        return interpolate(module, x, *rule)
    mode = _PAD_MODULES.get(type(module).__name__[:-5])
    if mode is not None and type(module).__name__[-5:-2] == "Pad":
        return pad(module, module.padding, mode, float(getattr(module, "value", 0.0)), x)
    return [Everything(module)] if isinstance(module, _EVERYTHING_MODULES) else None


def step_of_call(call: Call, inputs: Sequence[torch.Tensor]) -> list[Step] | None:
    """Steps that stand for a call of a function or method; None when there are none."""
    call.settled()
    x, n = inputs[0], inputs[0].ndim - 2
    name, first = call.name, call.args[0] if call.args else None
    if name in _ARITHMETIC:
        return _arithmetic(call, inputs)
    if name in {"cat", "concat", "concatenate"}:
        return _concatenation(call, inputs)
    if name in {"mean", "sum", "amax", "amin"} and n and _over_channels(call):
        return [Pointwise(call.on)]
    if name in _EVERYTHING_CALLS:
        return [Everything(call.on)]
    if len(inputs) != 1 or not isinstance(first, Bound) or first.number != 0:
        return None
    if name in _POINTWISE_CALLS:
        return [Pointwise(call.on, _IN_PLACE_CALLS.get(name) if len(call.args) == 1 and not call.kwargs else None)]
    if name in {"softmax", "log_softmax"}:
        return _softmax(call.on, call.named("input", "dim").get("dim"), n)
    if name in {"batch_norm", "instance_norm"}:
        return _norm(call)
    if name == "getitem":
        return slicing(call, x)
    maker = _CALLS.get(name.rstrip("123d").rstrip("_") if name[-1:] == "d" and name[-2:-1].isdigit() else name)
    return maker(call, x) if maker else None


def _over_channels(call: Call) -> bool:
    named = call.named("input", "dim", "keepdim")
    return named.get("dim") in (1, [1], (1,)) and bool(named.get("keepdim"))


def _concatenated(dimension: int, *tensors: torch.Tensor) -> torch.Tensor:
    rows = max(map(len, tensors))
    return torch.cat([tensor.expand(rows, *tensor.shape[1:]) for tensor in tensors], dimension)


def _concatenation(call: Call, inputs: Sequence[torch.Tensor]) -> list[Step] | None:
    named = call.named("tensors", "dim")
    dimension = named.get("dim", named.get("axis", 0)) % inputs[0].ndim
    if dimension == 0:
        return None
    operands: list[int | Constant] = [
        part.number if isinstance(part, Bound) else Constant(part) for part in named["tensors"]
    ]
    joined = partial(_concatenated, dimension)
    if dimension == 1:
        return [Combine(joined, operands)]
    order = [operand for operand in operands if isinstance(operand, int)]
    if len(order) < len(operands):
        return None
    return [Everything(lambda *tensors: joined(*(tensors[number] for number in order)))]


def _arithmetic(call: Call, inputs: Sequence[torch.Tensor]) -> list[Step] | None:
    operands = [a.number if isinstance(a, Bound) else Constant(a) for a in call.args]
    if any(isinstance(value, Bound) for value in call.kwargs.values()) or -1 in operands:
        return None
    tensors = [o for o in operands if isinstance(o, int) or isinstance(o.value, torch.Tensor)]
    if len(tensors) == 1:
        return [Pointwise(call.on)]
    if len({tensor.ndim for tensor in inputs}) > 1:
        return [Everything(call.on)]
    return [Combine(partial(call.function, **call.kwargs), operands)]


def _softmax(function: Callable[..., torch.Tensor], dimension: int | None, n: int) -> list[Step]:
    return [Pointwise(function) if dimension in (1, -1 - n) and n else Everything(function)]


def _norm(call: Call) -> list[Step] | None:
    named = call.named("input", "running_mean", "running_var", "weight", "bias", "training")
    if call.name == "instance_norm":
        mixed = named.get("use_input_stats", True)
        return [Everything(call.on) if mixed else Pointwise(call.on)]
    return None if named.get("training") else [Pointwise(call.on)]


def _pair(padding: Any, kernel: Sequence[int], dilation: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Padding before and after along each axis, words included."""
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding == "same":
        totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    return tuple((p, p) for p in numbers(padding, len(kernel)))


def _convolution_module(module: Any, x: torch.Tensor) -> list[Step]:
    bias = None if module.bias is None else module.bias.detach()
    weight, groups = module.weight.detach(), module.groups
    if module.transposed:
        shape = (module.stride, module.padding, module.output_padding, groups, module.dilation)
        return [TransposedConvolution(weight, bias, *shape)]
    pairs = _pair(module.padding, module.kernel_size, module.dilation)
    if module.padding_mode == "zeros":
        return [Convolution(weight, bias, module.stride, pairs, module.dilation, groups)]
    flat = [amount for pair in reversed(pairs) for amount in pair]
    padded = partial(F.pad, pad=flat, mode=module.padding_mode)
    around = pad(padded, flat, module.padding_mode, 0.0, x)
    assert around is not None
    return [*around, Convolution(weight, bias, module.stride, ((0, 0),) * len(pairs), module.dilation, groups)]


def _convolution_call(call: Call, x: torch.Tensor) -> list[Step]:
    named = call.named("input", "weight", "bias", "stride", "padding", "dilation", "groups")
    weight, n = named["weight"], x.ndim - 2
    dilation = numbers(named.get("dilation", 1), n)
    pairs = _pair(named.get("padding", 0), weight.shape[2:], dilation)
    stride = numbers(named.get("stride", 1), n)
    return [Convolution(weight, named.get("bias"), stride, pairs, dilation, named.get("groups", 1))]


def _transposed_call(call: Call, x: torch.Tensor) -> list[Step]:
    named = call.named("input", "weight", "bias", "stride", "padding", "output_padding", "groups", "dilation")
    stride, padding, output_padding, dilation = (
        numbers(named.get(name, default), x.ndim - 2)
        for name, default in (("stride", 1), ("padding", 0), ("output_padding", 0), ("dilation", 1))
    )
    weight, bias, groups = named["weight"], named.get("bias"), named.get("groups", 1)
    return [TransposedConvolution(weight, bias, stride, padding, output_padding, groups, dilation)]


def _max_pool(n: int, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> list[Step]:
    own, step, around, spread = (numbers(value, n) for value in (kernel, stride or kernel, padding, dilation))
    return [MaxPool(own, step, around, spread, bool(ceil_mode))]


def _max_pool_call(call: Call, x: torch.Tensor) -> list[Step] | None:
    named = call.named("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
    if named.get("return_indices"):
        return None
    shape = (named["kernel_size"], named.get("stride"), named.get("padding", 0), named.get("dilation", 1))
    return _max_pool(x.ndim - 2, *shape, named.get("ceil_mode", False))


def _average_pool(
    n: int, kernel: Any, stride: Any, padding: Any, ceil_mode: bool, count_padding: bool, divisor: int | None
) -> list[Step]:
    own, step, around = (numbers(value, n) for value in (kernel, stride or kernel, padding))
    return [AveragePool(own, step, around, bool(ceil_mode), bool(count_padding), divisor)]


def _average_pool_call(call: Call, x: torch.Tensor) -> list[Step]:
    named = call.named(
        "input", "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"
    )
    shape = (named["kernel_size"], named.get("stride"), named.get("padding", 0), named.get("ceil_mode", False))
    return _average_pool(x.ndim - 2, *shape, named.get("count_include_pad", True), named.get("divisor_override"))


_CALLS: dict[str, Callable[[Call, torch.Tensor], list[Step] | None]] = {
    "conv": _convolution_call,
    "conv_transpose": _transposed_call,
    "max_pool": _max_pool_call,
    "avg_pool": _average_pool_call,
    "adaptive_avg_pool": adaptive_average_call,
    "interpolate": interpolate_call,
    "pad": pad_call,
}
