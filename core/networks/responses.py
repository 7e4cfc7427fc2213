"""How a network's answer changes when a window of its input is replaced: one contract, and plain batches for it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import torch
from torch import nn

from core.errors import BadInput

#: A spatial window: one slice with start and stop per axis, no step. Empty for an answer without spatial axes.
Box = tuple[slice, ...]

#: Larger batches were slower on a CPU: the activations leave its cache.
_CPU_BATCH = 8
#: What a network that tells nothing of its layers is taken to keep, in arrays of the size of its input or answer.
_UNSEEN_LAYERS = 64
#: Largest difference between two answers that rounding explains, relative to the answer.
_ROUNDING = 1e-3


def at(tensor: torch.Tensor, window: Box) -> torch.Tensor:
    """View of a window of the last axes; all of the axes before them."""
    index: tuple[slice, ...] = (*[slice(None)] * (tensor.ndim - len(window)), *window)
    return tensor[index]


def doubled(values: torch.Tensor) -> torch.Tensor:
    """One input as a batch of two: torch's layers round one alone otherwise than one of several.

    Answers are then the same to the last bit however inputs are parted into batches.
    """
    return values.repeat(2, *[1] * (values.ndim - 1))


class Responses(Protocol):
    """Answers of a network to an input x with a window of it replaced.

    Attributes
    ----------
    output : torch.Tensor, shape (1, C_out, *spatial) or (1, classes)
        Answer to the unchanged x, float32.
    reason : str or None
        Why windows could not be used; None where they are.
    warnings : tuple of str
        What must be known of the answers.
    """

    output: torch.Tensor
    reason: str | None
    warnings: tuple[str, ...]

    def footprint(self, window: Box) -> Box | None:
        """Window of the answer that a change inside `window` of the input can reach; None when it reaches nothing."""
        ...

    def changed(self, window: Box, values: torch.Tensor) -> tuple[Box, torch.Tensor]:
        """Answers to x with `window` replaced by each of `values`.

        Parameters
        ----------
        window : Box
            Spatial window of the input.
        values : torch.Tensor, shape (J, C, *window)

        Returns
        -------
        window : Box
            The window of the answer that is returned; outside it the answer is `output`.
        answers : torch.Tensor, shape (J, C_out, *window)
            The caller may overwrite it.
        """
        ...


class WholeResponses:
    """`Responses` of any callable: the whole input is asked each time, in batches bounded by memory.

    Parameters
    ----------
    call : callable
        (N, C, *spatial) → (N, C_out, *spatial) or (N, classes). A module's layers tell how much memory a sample takes.
    x : torch.Tensor, shape (1, C, *spatial)
        The unchanged input.
    memory_bytes : int
        What one batch may take, about.
    reason : str
        Why windows are not used.
    """

    reason: str | None
    warnings: tuple[str, ...]

    def __init__(
        self, call: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor, memory_bytes: int, reason: str = ""
    ) -> None:
        self.reason = reason or "whole images were asked for"
        self._call, self._x = call, x
        with torch.inference_mode():
            self.output, kept = _asked_and_weighed(call, x)
            apart, warnings = _company(call, x, self.output)
        self.warnings = (*warnings, *too_large(kept, memory_bytes))
        self._everything = tuple(slice(0, n) for n in self.output.shape[2:])
        most = max(1, memory_bytes // kept) if apart else 1
        self.batch = most if x.device.type == "cuda" else min(most, _CPU_BATCH)

    def footprint(self, window: Box) -> Box:
        """The whole answer: nothing is known of the network."""
        return self._everything

    @torch.inference_mode()
    def changed(self, window: Box, values: torch.Tensor) -> tuple[Box, torch.Tensor]:
        """See `Responses.changed`; the window returned is the whole answer."""
        answers = self.output.new_empty((len(values), *self.output.shape[1:]))
        for start in range(0, len(values), self.batch):
            part = values[start : start + self.batch]
            count = len(part)
            if count == 1 and self.batch > 1:
                part = doubled(part)
            inputs = self._x.repeat(len(part), *[1] * (self._x.ndim - 1))
            at(inputs, window).copy_(part)
            found = self._call(inputs)
            if found.shape[1:] != self.output.shape[1:]:
                before, after = tuple(self.output.shape[1:]), tuple(found.shape[1:])
                raise BadInput(
                    f"The model's answer changes its shape with the scan's content, from {before} to {after}: "
                    "only answers of one shape can be compared."
                )
            answers[start : start + count] = found[:count]
        return self._everything, answers


def too_large(inside_bytes: int, memory_bytes: int) -> tuple[str, ...]:
    """What to say when one image inside the model takes more than all work may; nothing when it does not.

    Parameters
    ----------
    inside_bytes : int
        What the network's layers hold of one image, about.
    memory_bytes : int
        What was allowed.
    """
    if inside_bytes <= memory_bytes:
        return ()
    return (
        f"one image alone takes about {inside_bytes / 2**20:.0f} MB inside this model, more than memory_mb allows: "
        "it was asked all the same, one at a time",
    )


def _asked_and_weighed(call: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> tuple[torch.Tensor, int]:
    """The answer to x, and about how many bytes asking takes: the outputs of all layers, kept or not."""
    kept: list[int] = []

    def weigh(module: nn.Module, inputs: object, output: object) -> None:
        if isinstance(output, torch.Tensor):
            kept.append(output.numel() * output.element_size())

    leaves = [m for m in call.modules() if not any(m.children())] if isinstance(call, nn.Module) else []
    handles = [leaf.register_forward_hook(weigh) for leaf in leaves]
    try:
        answer = call(x.clone()).float()
    finally:
        for handle in handles:
            handle.remove()
    image = 4 * max(math.prod(x.shape), math.prod(answer.shape))
    return answer, max(sum(kept) + image, image * (2 if len(kept) > 1 else _UNSEEN_LAYERS))


def _company(
    call: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor, alone: torch.Tensor
) -> tuple[bool, tuple[str, ...]]:
    """Whether x may be asked beside other inputs in one batch, and what must be known of the answers."""
    try:
        beside = call(torch.cat([x, x / 2]))[:1]
    except RuntimeError as error:
        if "memory" in str(error):
            raise
        return False, ("the model takes no batches: it was asked one image at a time",)
    if _alike(beside, alone):
        return True, ()
    if _alike(call(x.clone()), alone):
        return False, ("the model answers an image otherwise beside others: it was asked one image at a time",)
    return False, ("the model answers the same scan differently each time: that noise is in the map too",)


def _alike(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two answers are the same but for rounding."""
    if one.shape != other.shape:
        return False
    scale = float(other.nan_to_num(0, 0, 0).abs().max())
    return torch.allclose(one.float(), other, rtol=0, atol=_ROUNDING * scale, equal_nan=True)
