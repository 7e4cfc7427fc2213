"""The quickest way to ask a network about changed inputs, chosen by what its layers are."""

from typing import Literal

import torch
from torch import nn

from core.errors import BadInput
from core.networks.responses import Responses, WholeResponses
from core.networks.windows.engine import Unwindowable, WindowResponses

Engine = Literal["auto", "windows", "batches"]


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
        auto takes windows where the network's layers are understood, else batches of whole inputs.

    Raises
    ------
    BadInput
        When windows are asked for and the network's layers are not understood.
    """
    if engine == "batches":
        return WholeResponses(network, x, memory_bytes)
    try:
        return WindowResponses(network, x, memory_bytes)
    except Unwindowable as error:
        if engine == "windows":
            raise BadInput(f"Windows cannot be used with this model ({error}): take engine=auto or batches.") from error
        return WholeResponses(network, x, memory_bytes, reason=str(error))
