"""Architectures of nobody's, to be trained by the product's recipes as they are."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from core.models.trainable import FirstLook, Purpose, TrainableNetwork
from core.models.zoo import architecture

_CONVOLUTION = {2: nn.Conv2d, 3: nn.Conv3d}


@architecture("toy-classifier")
class ToyClassifier(TrainableNetwork):
    """Two convolutions, the mean over all places, one linear layer; 2D and 3D."""

    task = "classification"

    def __init__(self, channels: int, classes: int, dimensions: int, width: int = 6, dropout: float = 0.0) -> None:
        super().__init__()
        convolution = _CONVOLUTION[dimensions]
        self.first = convolution(channels, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width) if dimensions == 2 else nn.BatchNorm3d(width)
        self.second = convolution(width, width, 3, padding=1)
        self.dropout = nn.Dropout(dropout)
        self.last = nn.Linear(width, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits."""
        x = torch.relu(self.second(torch.relu(self.norm(self.first(x)))))
        return self.last(self.dropout(x.flatten(2).amax(2)))

    @classmethod
    def arguments_for(cls, purpose: Purpose) -> dict[str, Any]:
        """What the recipe knows."""
        return {"classes": purpose.classes, "dimensions": purpose.dimensions, "channels": purpose.channels}


@architecture("toy-flat")
class ToyFlat(TrainableNetwork):
    """One linear layer on 2D images of one size, no convolution; it notes what it was started with."""

    task = "classification"
    dimensions = (2,)
    started: FirstLook | None = None

    def __init__(self, shape: Sequence[int], classes: int, channels: int) -> None:
        super().__init__()
        if min(shape) > 64:
            raise ValueError("toy-flat takes at most 64 samples a side")
        self.last = nn.Linear(channels * shape[0] * shape[1], classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits."""
        return self.last(x.flatten(1))

    @classmethod
    def arguments_for(cls, purpose: Purpose) -> dict[str, Any]:
        """What the recipe knows; at least three classes."""
        if purpose.classes < 3:
            raise ValueError("toy-flat needs three classes")
        return {"shape": purpose.shape, "classes": purpose.classes, "channels": purpose.channels}

    def start(self, look: FirstLook) -> None:
        """Note it."""
        self.started = look
        nn.init.zeros_(self.last.weight)

    def slower_weights(self) -> dict[str, float]:
        """The bias learns a tenth as fast."""
        return {"last.bias": 0.1}


@architecture("toy-regressor")
class ToyRegressor(TrainableNetwork):
    """Two convolutions with a halving and a doubling between them, −2..2 in and out; 2D and 3D."""

    task = "regression"
    input_range = (-2.0, 2.0)
    output_range = (-2.0, 2.0)

    def __init__(self, channels: int, channels_out: int, dimensions: int, width: int = 4) -> None:
        super().__init__()
        convolution = _CONVOLUTION[dimensions]
        self.down = convolution(channels, width, 2, stride=2)
        self.up = nn.Upsample(scale_factor=2)
        self.last = convolution(width, channels_out, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The answer."""
        return 2 * torch.tanh(self.last(self.up(torch.relu(self.down(x)))))

    @classmethod
    def arguments_for(cls, purpose: Purpose) -> dict[str, Any]:
        """What the recipe knows."""
        return {
            "channels": purpose.channels,
            "channels_out": purpose.channels_out,
            "dimensions": purpose.dimensions,
        }

    @classmethod
    def multiple_of(cls, arguments: Any) -> int:
        """One halving."""
        return 2

    def feature_layers(self) -> list[str]:
        """Not the last, which makes the answer."""
        return ["down"]


@architecture("toy-fixed-regressor")
class ToyFixedRegressor(ToyRegressor):
    """The same, of one size."""

    any_size = False


@architecture("toy-untrainable")
class ToyUntrainable(nn.Module):
    """A network that can only be loaded."""


@architecture("toy-wrong-answer")
class ToyWrongAnswer(ToyClassifier):
    """One class too many."""

    @classmethod
    def arguments_for(cls, purpose: Purpose) -> dict[str, Any]:
        """One class too many."""
        return {**super().arguments_for(purpose), "classes": purpose.classes + 1}


@architecture("toy-broken")
class ToyBroken(ToyClassifier):
    """Fails at its first image."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Never an answer."""
        return self.last(x)


@architecture("toy-uncardable")
class ToyUncardable(ToyClassifier):
    """Has an argument that no card can keep."""

    @classmethod
    def arguments_for(cls, purpose: Purpose) -> dict[str, Any]:
        """With a type in it."""
        return {**super().arguments_for(purpose), "width": torch.float32}
