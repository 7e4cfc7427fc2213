"""What maps made with Captum share: tensors in and out, and progress from inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.explainers.base import Question
from core.progress import Progress

if TYPE_CHECKING:
    import torch
    from torch import nn


def asked_in_grey(question: Question) -> tuple[nn.Module, torch.Tensor]:
    """Network and input for methods that look at the size of a gradient.

    A grey scan that is fed to several channels changes in all of them at once. What it does to the score is the sum of
    their gradients, also where those cancel: the network is asked as one of the grey image, (1, 1, *spatial).
    Any other input is given as it is.
    """
    network, x = question.model.scores, question.prepared.tensor
    channels = x.shape[1]
    if channels == 1 or question.prepared.scan.channels != 1 or not bool((x == x[:, :1]).all()):
        return network, x

    from torch import nn as modules

    class OfGrey(modules.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, grey: torch.Tensor) -> torch.Tensor:
            return self.network(grey.repeat(1, channels, *[1] * (grey.ndim - 2)))

    return OfGrey(), x[:, :1]


def watched(x: torch.Tensor) -> torch.Tensor:
    """`x` as a tensor of its own that keeps a gradient (Captum would set and unset that on the scan's own tensor)."""
    return x.detach().clone().requires_grad_(True)


def summed_over_channels(attribution: torch.Tensor) -> np.ndarray:
    """Attribution (1, C, *spatial) → spatial float32; channels add up, so that sums over the map keep their meaning."""
    return attribution.detach()[0].sum(dim=0).float().cpu().numpy()


def counted(network: nn.Module, question: Question, total: int) -> nn.Module:
    """`network`, reporting after each call how many of `total` inputs it has seen (and stopping when cancelled)."""
    from torch import nn as modules

    class Counted(modules.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network, self.done = network, 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.done += len(x)
            fraction = min(self.done / max(total, 1), 1.0)
            question.report(Progress(fraction, f"asked the model {min(self.done, total)} of {total} times"))
            return self.network(x)

    return Counted()
