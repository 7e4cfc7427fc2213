"""The quickest way to ask a network about changed inputs, chosen by what its layers are."""

from typing import Literal

import torch
from torch import nn

from core.errors import BadInput
from core.networks.responses import Box, Responses, WholeResponses, at
from core.networks.windows.engine import Unwindowable, WindowResponses

Engine = Literal["auto", "windows", "batches"]
_Ends = tuple[tuple[int, int], ...]


def responses_for(network: nn.Module, x: torch.Tensor, memory_bytes: int, engine: Engine = "auto") -> Responses:
    """The quickest `Responses` for `network`.

    Parameters
    ----------
    network : torch.nn.Module
        In eval mode.
    x : torch.Tensor, shape (1, C, *spatial)
    memory_bytes : int
        What one batch may take, about.
    engine : {"auto", "windows", "batches"}
        auto takes windows where the network's layers are understood, else batches of whole inputs; it also turns to
        them when windows fail on the way, and says why.

    Raises
    ------
    BadInput
        When windows are asked for and the network's layers are not understood.
    """
    if engine == "batches":
        return WholeResponses(network, x, memory_bytes)
    try:
        windows = WindowResponses(network, x, memory_bytes)
    except Unwindowable as error:
        if engine == "windows":
            raise _refusal(error) from error
        return WholeResponses(network, x, memory_bytes, reason=str(error))
    return _WindowsWhileTheyHold(windows, network, x, memory_bytes, engine)


def _refusal(error: Exception) -> BadInput:
    return BadInput(f"Windows cannot be used with this model ({error}): take engine=auto or batches.")


class _WindowsWhileTheyHold:
    """`Responses` by windows; from the first that fails on, by whole inputs."""

    def __init__(
        self, windows: WindowResponses, network: nn.Module, x: torch.Tensor, memory_bytes: int, engine: Engine
    ) -> None:
        self._windows, self._network, self._x = windows, network, x.detach().clone()
        self._memory_bytes, self._engine = memory_bytes, engine
        self._whole: WholeResponses | None = None
        # which window of the answer was given for one of the input: the next chunk of changes there gets the same
        self._given: dict[_Ends, Box] = {}
        self.output, self.reason, self.warnings = windows.output, windows.reason, windows.warnings

    def footprint(self, window: Box) -> Box | None:
        """See `Responses.footprint`."""
        if self._whole is None:
            try:
                return self._windows.footprint(window)
            except Unwindowable as error:
                self._give_up(error)
        assert self._whole is not None
        return self._whole.footprint(window)

    def changed(self, window: Box, values: torch.Tensor) -> tuple[Box, torch.Tensor]:
        """See `Responses.changed`."""
        ends = tuple((axis.start, axis.stop) for axis in window)
        if self._whole is None:
            try:
                box, answers = self._windows.changed(window, values)
            except Unwindowable as error:
                self._give_up(error)
            else:
                self._given[ends] = box
                return box, answers
        assert self._whole is not None
        everything, answers = self._whole.changed(window, values)
        if ends not in self._given:
            return everything, answers
        return self._given[ends], at(answers, self._given[ends])

    def _give_up(self, error: Unwindowable) -> None:
        if self._engine == "windows":
            raise _refusal(error) from error
        self._whole = WholeResponses(self._network, self._x, self._memory_bytes, reason=str(error))
        self.output, self.reason, self.warnings = self._whole.output, self._whole.reason, self._whole.warnings
