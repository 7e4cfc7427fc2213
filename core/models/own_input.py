"""Networks that write into what they are given (``x -= mean``), made safe for everybody who asks them."""

from typing import Any

import torch
from torch import nn


def on_copies(network: nn.Module) -> nn.Module:
    """`network` itself, working on a copy of its input from now on, whoever calls it.

    Code that writes into its input would change the scan for everybody who asks after it, and cannot be differentiated
    by what it is given. Copies of the network (with random weights, folded) keep this.

    Parameters
    ----------
    network : torch.nn.Module
        A hook is set on it, once; its own layers are left as they are. One compiled to TorchScript takes no hooks and
        stays as it is.
    """
    if not isinstance(network, torch.jit.ScriptModule) and not any(
        hook is _copied for hook in network._forward_pre_hooks.values()
    ):
        network.register_forward_pre_hook(_copied)
    return network


def _copied(network: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(given.clone() if isinstance(given, torch.Tensor) else given for given in inputs)


#: for those who follow a network's layers: this hook changes nothing of what is answered
_copied.keeps_answer = True  # type: ignore[attr-defined]
