"""What maps made with Captum share: tensors in and out, and progress from inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.explainers.base import Question
from core.progress import Progress

if TYPE_CHECKING:
    import torch
    from torch import nn


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
