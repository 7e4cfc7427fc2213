"""A network of two numbers."""

import torch
from torch import nn

from core.models.zoo import architecture


@architecture("sample-mean")
class MeanNetwork(nn.Module):
    """Mean of the image, then one linear layer."""

    def __init__(self, classes: int = 2) -> None:
        super().__init__()
        self.last = nn.Linear(1, classes)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(N, C, *spatial) → (N, classes)."""
        return self.last(image.flatten(1).mean(dim=1, keepdim=True))
