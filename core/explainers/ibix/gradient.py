"""IBIX at h → 0: the derivative at the scan itself (eq. 2 to 4 and 7), one pass each way, per pixel."""

from __future__ import annotations

import torch
from torch import nn

from core.errors import BadInput


def forward_derivative(network: nn.Module, x: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    """Eq. 2: derivative of every output along `direction`, shape of one answer (C_out, *spatial) or (classes,).

    Raises
    ------
    BadInput
        When the network cannot be differentiated.
    """
    try:
        slopes: torch.Tensor = torch.func.jvp(network, (x.clone(),), (direction.clone(),))[1]
    except (NotImplementedError, RuntimeError) as error:
        raise _refusal(error) from error
    return slopes[0].float()


def backward_derivative(network: nn.Module, x: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Eq. 7: derivative of the weighted sum of outputs by every input, shape (C, *spatial).

    Parameters
    ----------
    weights : torch.Tensor
        1 inside M^f; broadcasts to one answer.

    Raises
    ------
    BadInput
        When the network cannot be differentiated.
    """
    try:
        with torch.enable_grad():
            watched = x.clone().requires_grad_(True)
            # a copy: code that works in place may not write on what is watched
            answer = network(watched.clone())[0]
            if not answer.requires_grad:
                raise BadInput(
                    "The model's answer has no derivative (it does not depend on the scan, or only in steps, or its "
                    "code leaves torch): take mode=finite_difference."
                )
            (answer * weights).sum().backward()
    except (NotImplementedError, RuntimeError) as error:
        raise _refusal(error) from error
    if watched.grad is None:
        raise BadInput("The model cannot be differentiated: take mode=finite_difference.")
    return watched.grad[0].float()


def correlation(one: torch.Tensor, other: torch.Tensor) -> float:
    """Pearson's r of two arrays of one size; 0 when either is constant."""
    a, b = (values.flatten().double() - values.double().mean() for values in (one, other))
    norms = float(a.norm() * b.norm())
    return float(a @ b) / norms if norms > 0 else 0.0


def _refusal(error: Exception) -> BadInput:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return BadInput(f"The model cannot be differentiated ({reason[:120]}): take mode=finite_difference.")
