"""Networks drawn at random: what torch's layers can be put together to, in the ways that people do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from torch.nn.utils import parametrizations

#: samples of an activation above which a network is small no more, and channels
_LARGEST, _WIDEST = 6000, 12


class Residual(nn.Module):
    """x + f(x), cut or joined; in place or not."""

    def __init__(self, inner: nn.Module, in_place: bool, kept: nn.Module | None = None) -> None:
        super().__init__()
        self.inner, self.in_place, self.shortcut = inner, in_place, kept

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.inner(x)
        kept = x if self.shortcut is None else self.shortcut(x)
        if self.in_place:
            y += kept
            return y
        return y + kept


class Joined(nn.Module):
    """[x, f(x)] along the channels."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, self.inner(x)], dim=1)


class Gated(nn.Module):
    """x · f(x), a gate of one sample a channel or of one channel: the mean over some axes is what it looks at."""

    def __init__(self, inner: nn.Module, axes: tuple[int, ...]) -> None:
        super().__init__()
        self.inner, self.axes = inner, axes

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.sigmoid(self.inner(x.mean(dim=self.axes, keepdim=True)))


class OverChannels(nn.Module):
    """A linear layer over channels that are moved last."""

    def __init__(self, channels: int, dimensions: int) -> None:
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(channels), nn.Linear(channels, channels)
        self.last, self.first = {2: ((0, 2, 3, 1), (0, 3, 1, 2)), 3: ((0, 2, 3, 4, 1), (0, 4, 1, 2, 3))}[dimensions]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(self.norm(x.permute(*self.last))).permute(*self.first)


class Written(nn.Module):
    """A line of code."""

    def __init__(self, line: Callable[[torch.Tensor], torch.Tensor], name: str) -> None:
        super().__init__()
        self.line, self.name = line, name

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.line(x)

    def extra_repr(self) -> str:
        return self.name


def _in_place(x: torch.Tensor) -> torch.Tensor:
    x = x * 1
    x -= 0.3
    x *= 1.5
    return x


_LINES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": F.relu,
    "leaky in place": lambda x: F.leaky_relu(x * 1, 0.2, inplace=True),
    "gelu": F.gelu,
    "tanh": torch.tanh,
    "method": lambda x: x.sigmoid(),
    "in place": _in_place,
    "clone": lambda x: x.clone().relu_() + x,
    "arithmetic": lambda x: (2 - x) / 3 + x.abs(),
    "channels": lambda x: x[:, -1:],
    "number of axes": lambda x: x.mean(dim=tuple(range(2, x.ndim)), keepdim=True) + x,
    "softmax": lambda x: F.softmax(x, dim=1),
    "halves": lambda x: torch.cat(x.chunk(2, dim=1), dim=1),
    "glu": lambda x: F.glu(torch.cat([x, x + 1], 1), dim=1),
    "guard": lambda x: torch.tanh(x) if isinstance(x, torch.Tensor) else x,
    "dropout": lambda x: F.dropout(x, 0.5, training=False),
    "centred": lambda x: (x.flatten(2) - x.flatten(2).mean(dim=2, keepdim=True)).reshape(x.shape),
    "reshaped": lambda x: x.reshape(x.shape[0], x.shape[1], -1).reshape(x.shape),
    "maximum": lambda x: torch.maximum(x, x * 0.5 - 0.1),
}
_ACTIVATIONS = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.SiLU, nn.GELU, nn.Softplus, nn.Tanh, nn.Hardswish, nn.PReLU)


class Draw:
    """Draws layers for an activation of `channels` in so many dimensions."""

    def __init__(self, random: np.random.Generator, dimensions: int) -> None:
        self.random, self.d = random, dimensions

    def integer(self, low: int, high: int) -> int:
        return int(self.random.integers(low, high + 1))

    def of(self, *choices: Any) -> Any:
        return choices[self.integer(0, len(choices) - 1)]

    def named(self, kind: str, *args: Any, **kwargs: Any) -> nn.Module:
        return getattr(nn, f"{kind}{self.d}d")(*args, **kwargs)

    def layer(self, channels: int, deep: bool = True) -> nn.Module:
        """Any of the layers; may not fit."""
        makers = [
            *[self.convolution] * 4,
            *[self.transposed] * 2,
            *[self.norm] * 2,
            *[self.pool] * 2,
            self.adaptive,
            self.up,
            self.padding,
            *[self.activation] * 2,
            *[self.line] * 3,
            *([self.block] * 4 if deep else []),
        ]
        made: nn.Module = makers[self.integer(0, len(makers) - 1)](channels)
        return made

    def convolution(self, channels: int) -> nn.Module:
        groups = self.of(1, 1, 1, channels)
        after = groups * self.integer(1, max(1, 6 // groups))
        kernel, stride, dilation = self.integer(1, 4), self.of(1, 1, 2, 3), self.of(1, 1, 2)
        padding = self.integer(0, kernel)
        mode = self.of("zeros", "zeros", "reflect", "replicate", "circular")
        if self.of(0, 0, 0, 1):
            stride, padding = 1, self.of("same", "valid")
        made = self.named(
            "Conv", channels, after, kernel, stride, padding, dilation, groups, bool(self.of(0, 1)), padding_mode=mode
        )
        weighted = self.of(None, None, None, None, parametrizations.weight_norm, parametrizations.spectral_norm)
        return weighted(made) if weighted else made

    def transposed(self, channels: int) -> nn.Module:
        kernel, stride = self.integer(1, 4), self.integer(1, 4)
        dilation, groups = self.of(1, 1, 2), self.of(1, 1, channels)
        padding = self.integer(0, (kernel - 1) * dilation + 1)
        extra = self.integer(0, max(stride, dilation) - 1)
        after = groups * self.integer(1, 2)
        return self.named("ConvTranspose", channels, after, kernel, stride, padding, extra, groups, True, dilation)

    def norm(self, channels: int) -> nn.Module:
        kinds = [
            lambda: self.named("BatchNorm", channels),
            lambda: self.named("BatchNorm", channels, affine=False),
            lambda: self.named("InstanceNorm", channels, affine=True),
            lambda: self.named("InstanceNorm", channels, track_running_stats=True),
            lambda: nn.GroupNorm(self.of(1, channels), channels),
        ]
        return kinds[self.of(0, 0, 0, 1, 2, 3, 4)]()

    def pool(self, channels: int) -> nn.Module:
        kernel, stride, ceil = self.integer(1, 3), self.integer(1, 3), bool(self.of(0, 1))
        padding = self.integer(0, kernel // 2)
        if self.of(0, 1):
            return self.named("MaxPool", kernel, stride, padding, self.of(1, 1, 2), False, ceil)
        return self.named("AvgPool", kernel, stride, padding, ceil, bool(self.of(0, 1)), self.of(None, None, 3))

    def adaptive(self, channels: int) -> nn.Module:
        return self.named(self.of("AdaptiveAvgPool", "AdaptiveMaxPool"), self.integer(2, 5))

    def up(self, channels: int) -> nn.Module:
        linear = {2: "bilinear", 3: "trilinear"}[self.d]
        if self.of(0, 0, 1):
            return nn.Upsample(scale_factor=self.of(2, 3, 1.5), mode=self.of("nearest", "nearest-exact"))
        if self.d == 2 and channels % 4 == 0 and self.of(0, 1):
            return nn.PixelShuffle(2)
        return nn.Upsample(scale_factor=2, mode=linear, align_corners=bool(self.of(0, 1)))

    def padding(self, channels: int) -> nn.Module:
        amounts = tuple(self.integer(-1, 2) for _ in range(2 * self.d))
        kind = self.of("ZeroPad", "ReflectionPad", "ReplicationPad", "CircularPad")
        return self.named(kind, tuple(map(abs, amounts)) if kind != "ZeroPad" else amounts)

    def activation(self, channels: int) -> nn.Module:
        kind = self.of(*_ACTIVATIONS)
        return kind(inplace=True) if kind in (nn.ReLU, nn.LeakyReLU, nn.SiLU) and self.of(0, 1) else kind()

    def line(self, channels: int) -> nn.Module:
        name = self.of(*_LINES)
        return Written(_LINES[name], name)

    def block(self, channels: int) -> nn.Module:
        """Something with branches."""
        same = self.named("Conv", channels, channels, 3, padding=1)
        kind = self.integer(0, 6)
        if kind == 0:
            return Residual(nn.Sequential(same, self.norm(channels), self.activation(channels)), bool(self.of(0, 1)))
        if kind == 1:
            stride = self.integer(1, 3)
            down = self.named("Conv", channels, channels, 3, stride, 1)
            shortcut = nn.Sequential(self.named("Conv", channels, channels, 1, stride), self.norm(channels))
            return Residual(nn.Sequential(down, self.norm(channels)), bool(self.of(0, 1)), shortcut)
        if kind == 2:
            return Joined(nn.Sequential(self.named("Conv", channels, 2, 3, padding=1), self.activation(2)))
        if kind == 3:
            return Gated(self.named("Conv", channels, channels, 1), tuple(range(2, 2 + self.d)))
        if kind == 4:
            return Gated(self.named("Conv", 1, 1, 3, padding=1), (1,))
        if kind == 5:
            return OverChannels(channels, self.d)
        up = nn.Sequential(self.named("MaxPool", 2), same, nn.Upsample(scale_factor=2))
        return Joined(up)

    def head(self, channels: int, shape: tuple[int, ...]) -> nn.Module:
        """From a map to numbers."""
        if self.of(0, 1):
            return nn.Sequential(self.named("AdaptiveAvgPool", 1), nn.Flatten(), nn.Linear(channels, 3))
        return nn.Sequential(nn.Flatten(), nn.Linear(channels * int(np.prod(shape)), 3))


def drawn_network(seed: int) -> tuple[nn.Module, torch.Tensor]:
    """A network in eval mode with an input for it, float64, decided by `seed`.

    Its weights and statistics are drawn so that no layer hides what another does.
    """
    random = np.random.default_rng(seed)
    torch.manual_seed(seed)
    draw = Draw(random, 2 if random.random() < 0.65 else 3)
    low, high = (9, 17) if draw.d == 2 else (5, 9)
    channels = draw.integer(1, 3)
    x = torch.randn(1, channels, *(draw.integer(low, high) for _ in range(draw.d)), dtype=torch.float64)
    layers: list[nn.Module] = []
    now = x
    for _ in range(draw.integer(2, 7)):
        for _ in range(20):  # layers that do not fit are drawn again
            layer = draw.layer(now.shape[1]).double().eval()
            _fill(layer)
            try:
                with torch.no_grad():
                    found = layer(now.clone())
            except (RuntimeError, ValueError):
                continue
            if found.numel() and found.numel() <= _LARGEST and found.shape[1] <= _WIDEST and found.ndim == x.ndim:
                layers.append(layer)
                now = found
                break
    if draw.of(0, 1, 1):
        layers.append(draw.head(now.shape[1], tuple(now.shape[2:])).double())
    return nn.Sequential(*layers).eval().requires_grad_(False), x


@torch.no_grad()
def _fill(layer: nn.Module) -> None:
    for name, tensor in [*layer.named_parameters(), *layer.named_buffers()]:
        if tensor.is_floating_point() and "parametrizations" not in name:
            tensor.copy_(torch.rand_like(tensor) + 0.5 if "var" in name else 0.6 * torch.randn_like(tensor))
