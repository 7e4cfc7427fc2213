"""The layers that a deconvnet can turn round: what each does going up, and what the parallel network does going down.

Zeiler and Fergus, "Visualizing and understanding convolutional networks", ECCV 2014, section 2.1: unpool with the
switches of the way up, rectify, filter with the transposed filters. Each step remembers one image.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from core.errors import BadInput

_CONVOLVE = {2: functional.conv2d, 3: functional.conv3d}
_TRANSPOSE = {2: functional.conv_transpose2d, 3: functional.conv_transpose3d}
#: Up to so many input channels the library's transposed convolution leaves most of the processor idle.
FEW_CHANNELS = 3


class Step(ABC):
    """One layer, up and down."""

    @abstractmethod
    def up(self, x: torch.Tensor) -> torch.Tensor:
        """The layer's own answer to `x`, shape (1, C, *spatial); what `down` needs is kept."""

    @abstractmethod
    def down(self, signal: torch.Tensor) -> torch.Tensor:
        """Bring signals at the layer's output, (N, C_out, *spatial_out), to its input; may write into `signal`."""


class Convolution(Step):
    """A convolution, padded with zeros; down: the transposed filters, without the bias.

    Parameters
    ----------
    module : torch.nn.Conv2d or torch.nn.Conv3d
        Any stride, dilation, groups; padding by numbers or by the words "same" and "valid".
    """

    def __init__(self, module: nn.Conv2d | nn.Conv3d) -> None:
        self.module = module
        self.filters = module.out_channels
        self.dimensions = len(module.kernel_size)
        self.pads = _pads(module)
        self.even = all(before == after for before, after in self.pads)
        self.shape: tuple[int, ...] = ()
        self.weight = module.weight.detach()

    def scale(self, factor: torch.Tensor) -> None:
        """Multiply every filter by its `factor`, shape (C_out,), on the way down: a norm that follows, worked in."""
        self.weight = self.weight * factor.view(-1, *(1,) * (self.dimensions + 1))

    def up(self, x: torch.Tensor) -> torch.Tensor:
        """See `Step.up`."""
        self.shape = tuple(x.shape[2:])
        answer: torch.Tensor = self.module(x)
        return answer

    def down(self, signal: torch.Tensor) -> torch.Tensor:
        """See `Step.down`."""
        if self.dimensions == 2 and self.module.groups == 1 and self.even and self.module.in_channels <= FEW_CHANNELS:
            return self._folded(signal)
        return self._transposed(signal)

    def down_alone(self, signals: torch.Tensor, filters: Sequence[int]) -> torch.Tensor:
        """One filter each: only that filter's slice of the weights is used.

        Parameters
        ----------
        signals : torch.Tensor, shape (C_out, *spatial_out)
            What every filter gives.
        filters : sequence of int
            Which of them to bring down, each by itself.

        Returns
        -------
        torch.Tensor, shape (len(filters), C_in, *spatial)
        """
        if self.module.groups == 1 and self.even and set(self.module.stride) == {1}:
            return self._flipped_alone(signals, filters)
        apart = signals.new_zeros(len(filters), *signals.shape)
        for row, number in enumerate(filters):
            apart[row, number] = signals[number]
        return self.down(apart)

    def _flipped_alone(self, signals: torch.Tensor, filters: Sequence[int]) -> torch.Tensor:
        """With stride 1 a transposed filter is a flipped one: 0.1 ms instead of 2 for 256 × 28 × 28 values."""
        spatial = tuple(range(1, self.dimensions + 1))
        reach = [d * (k - 1) for d, k in zip(self.module.dilation, self.module.kernel_size, strict=True)]
        around = [
            amount for r, (p, _) in reversed(list(zip(reach, self.pads, strict=True))) for amount in (r - p, r - p)
        ]
        found = [
            _CONVOLVE[self.dimensions](
                functional.pad(signals[number][None, None], around),  # a padding wider than the filter is cut off here
                self.weight[number].flip(spatial).unsqueeze(1),
                dilation=self.module.dilation,
            )
            for number in filters
        ]
        return torch.cat(found)

    def _folded(self, signal: torch.Tensor) -> torch.Tensor:
        """One matrix product, then overlapping patches added up: a tenth of the time where few channels are left."""
        patches = self.weight.flatten(1).t() @ signal.flatten(2)
        padding = tuple(before for before, _ in self.pads)
        found: torch.Tensor = functional.fold(
            patches, self.shape, self.module.kernel_size, self.module.dilation, padding, self.module.stride
        )
        return found

    def _transposed(self, signal: torch.Tensor) -> torch.Tensor:
        """Signals at the output brought to the input's shape."""
        module = self.module
        padding = [before if self.even else 0 for before, _ in self.pads]
        wanted = [n + (0 if self.even else sum(pair)) for n, pair in zip(self.shape, self.pads, strict=True)]
        reached = [
            (n - 1) * s + d * (k - 1) + 1 - 2 * p
            for n, s, d, k, p in zip(
                signal.shape[2:], module.stride, module.dilation, module.kernel_size, padding, strict=True
            )
        ]
        # with a stride the last samples may have been read by no filter: they get zero
        missing = [w - r for w, r in zip(wanted, reached, strict=True)]
        found: torch.Tensor = _TRANSPOSE[self.dimensions](
            signal, self.weight, None, module.stride, padding, missing, module.groups, module.dilation
        )
        if self.even:
            return found
        for axis, ((before, _), n) in enumerate(zip(self.pads, self.shape, strict=True), start=2):
            found = found.narrow(axis, before, n)
        return found


class MaxPool(Step):
    """Max-pooling; down: every value goes back to the place its switch names, and places named twice add up.

    Parameters
    ----------
    pool : callable
        x → (largest values, switches), as ``return_indices=True`` gives them.
    overlapping : bool
        Whether two windows can share a place.
    """

    def __init__(self, pool: Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]], overlapping: bool) -> None:
        self.pool, self.overlapping = pool, overlapping
        self.shape: tuple[int, ...] = ()
        self.switches = torch.empty(0)

    def up(self, x: torch.Tensor) -> torch.Tensor:
        """See `Step.up`."""
        largest, self.switches = self.pool(x)
        self.shape = tuple(x.shape[2:])
        return largest

    def down(self, signal: torch.Tensor) -> torch.Tensor:
        """See `Step.down`."""
        switches = self.switches.expand(len(signal), *self.switches.shape[1:])
        if len(self.shape) == 2 and not self.overlapping:
            # torch.nn.functional's own form refuses sizes that a dilated or ceiled pooling leaves
            unpooled: torch.Tensor = torch.ops.aten.max_unpool2d(signal, switches, list(self.shape))
            return unpooled
        flat = signal.new_zeros(*signal.shape[:2], *self.shape).flatten(2)
        flat.scatter_add_(2, switches.flatten(2), signal.flatten(2))
        return flat.view(*signal.shape[:2], *self.shape)


class Rectifier(Step):
    """ReLU or leaky ReLU; down: what is negative is dropped, whatever the rectifier saw going up."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        self.function = function

    def up(self, x: torch.Tensor) -> torch.Tensor:
        """See `Step.up`."""
        return self.function(x)

    def down(self, signal: torch.Tensor) -> torch.Tensor:
        """See `Step.down`."""
        return signal.relu_()


class Scaling(Step):
    """An affine function of each sample, a batch norm or a constant; down: its factor alone.

    Parameters
    ----------
    function : callable
        The layer.
    factor : torch.Tensor, optional
        Derivative, broadcast over (1, C, *spatial); None is 1.
    """

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor], factor: torch.Tensor | None) -> None:
        self.function, self.factor = function, factor

    def up(self, x: torch.Tensor) -> torch.Tensor:
        """See `Step.up`.

        Raises
        ------
        BadInput
            When the constant changes the shape of `x`.
        """
        answer = self.function(x)
        if answer.shape != x.shape:
            raise BadInput(
                f"A constant in this network makes shape {tuple(answer.shape)} of {tuple(x.shape)}, which a deconvnet "
                "cannot undo: use guided backpropagation."
            )
        return answer

    def down(self, signal: torch.Tensor) -> torch.Tensor:
        """See `Step.down`."""
        return signal if self.factor is None else signal * self.factor

    def worked_into(self, convolution: Convolution) -> Scaling:
        """The step left when `convolution`, which it follows, takes over the scaling on the way down, if it can."""
        if self.factor is None or self.factor.ndim < 2 or self.factor.numel() != convolution.filters:
            return self
        convolution.scale(self.factor.flatten())
        return Scaling(self.function, None)


class Linear(Step):
    """A linear function without weights (average pooling, padding); down: its transpose."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        self.function = function
        self.shape: tuple[int, ...] = ()

    def up(self, x: torch.Tensor) -> torch.Tensor:
        """See `Step.up`."""
        self.shape = tuple(x.shape[2:])
        return self.function(x)

    def down(self, signal: torch.Tensor) -> torch.Tensor:
        """See `Step.down`."""
        with torch.enable_grad():
            somewhere = signal.new_zeros(*signal.shape[:2], *self.shape, requires_grad=True)
            (found,) = torch.autograd.grad(self.function(somewhere), somewhere, signal)
        return found


class Same(Step):
    """Nothing, both ways: identity, dropout of a network in eval mode."""

    def up(self, x: torch.Tensor) -> torch.Tensor:
        """See `Step.up`."""
        return x

    def down(self, signal: torch.Tensor) -> torch.Tensor:
        """See `Step.down`."""
        return signal


def _pads(module: Any) -> tuple[tuple[int, int], ...]:
    """Zeros before and after along each axis."""
    if module.padding == "same":
        totals = [d * (k - 1) for d, k in zip(module.dilation, module.kernel_size, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    if module.padding == "valid":
        return ((0, 0),) * len(module.kernel_size)
    return tuple((p, p) for p in module.padding)
