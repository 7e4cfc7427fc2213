"""Operations that copy or blend samples along each axis: padding, cropping, up-sampling, in windows."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from typing_extensions import override

from core.networks.windows.boxes import Axis, Box, Table, part
from core.networks.windows.local import Local


class Gather(Local):
    """Copies of samples: padding of any mode, cropping, flipping, nearest up-sampling.

    Parameters
    ----------
    function : callable
        The operation on whole activations.
    indices : sequence of ndarray of int
        For each axis, the input that each output copies; −1 for `value`.
    value : float
        What padding puts there.
    channels : slice
        Channels that are kept.
    """

    fresh = False

    def __init__(
        self,
        function: Callable[[torch.Tensor], torch.Tensor],
        indices: Sequence[np.ndarray],
        value: float = 0.0,
        channels: slice = slice(None),
    ) -> None:
        super().__init__()
        self.function, self.indices, self.value, self.kept = function, indices, value, channels
        # whole-numbered factors of a nearest up-sampling; None for any other rule
        self.factor: tuple[int, ...] | None = None

    @override
    def apply(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.function(inputs[0])

    @override
    def layout(self, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> tuple[Axis, ...]:
        factors = tuple(max(1, m // n) for n, m in zip(inputs, outputs, strict=True))
        rules = [np.arange(n * f) // f for n, f in zip(inputs, factors, strict=True)]
        repeats = all(np.array_equal(own, rule) for own, rule in zip(self.indices, rules, strict=True))
        self.factor = factors if repeats and self.kept == slice(None) else None
        return tuple(Table.gather(index, n) for index, n in zip(self.indices, inputs, strict=True))

    @override
    def compute(self, patch: torch.Tensor, start: Box, box: Box) -> torch.Tensor:
        factor = self.factor
        if factor is not None:
            first = (own.start * f for own, f in zip(start, factor, strict=True))
            copied = F.interpolate(patch, scale_factor=tuple(map(float, factor)))
            return part(copied, tuple(slice(own.start - f, own.stop - f) for own, f in zip(box, first, strict=True)))
        patch = patch[:, self.kept]
        for axis, (index, own, need) in enumerate(zip(self.indices, box, start, strict=True), start=2):
            patch = _gathered(patch, axis, index[own] - need.start, index[own] < 0, self.value)
        return patch


def _gathered(patch: torch.Tensor, axis: int, index: np.ndarray, constant: np.ndarray, value: float) -> torch.Tensor:
    """`patch` indexed along one axis, with `value` where `constant`."""
    if not constant.any() and len(index) == patch.shape[axis] and np.array_equal(index, np.arange(len(index))):
        return patch
    taken = patch.index_select(axis, torch.as_tensor(np.where(constant, 0, index), device=patch.device))
    if constant.any():
        taken.index_fill_(axis, torch.as_tensor(np.flatnonzero(constant), device=patch.device), value)
    return taken


class Resample(Local):
    """Linear rule of each axis for itself: (bi/tri)linear and cubic up-sampling, adaptive average pooling.

    Parameters
    ----------
    function : callable
        The operation on whole activations.
    matrices : sequence of torch.Tensor, each (outputs, inputs)
        Weights along each axis.
    """

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor], matrices: Sequence[torch.Tensor]) -> None:
        super().__init__()
        self.function, self.matrices = function, matrices

    @override
    def apply(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.function(inputs[0])

    @override
    def layout(self, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> tuple[Axis, ...]:
        return tuple(Table.matrix(matrix) for matrix in self.matrices)

    @override
    def compute(self, patch: torch.Tensor, start: Box, box: Box) -> torch.Tensor:
        # from the last axis to the first: the axis in work moves to the end, so that torch multiplies rows
        for axis in reversed(range(len(box))):
            weights = self.matrices[axis][box[axis], start[axis]]
            patch = (patch.movedim(axis + 2, -1) @ weights.T).movedim(-1, axis + 2)
        return patch
