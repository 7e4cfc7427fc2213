"""The layers of a network that a person may name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def convolutions(network: nn.Module) -> list[str]:
    """Names of the convolution layers (2D and 3D), in the order in which the network lists them."""
    from torch import nn as modules

    return [name for name, module in network.named_modules() if isinstance(module, modules.Conv2d | modules.Conv3d)]
