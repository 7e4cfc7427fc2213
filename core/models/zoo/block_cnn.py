"""Paper 1's classifier: seven convolution blocks, dropout, one fully connected layer; 2D and 3D by the same lines.

Thibeau-Sutre et al., "Visualization approach to assess the robustness of neural networks for medical image
classification", SPIE Medical Imaging 2020. The figure with the layer widths is lost; these are a reading of it.
"""

import math
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from core.models.trainable import FirstLook, Purpose, TrainableNetwork
from core.models.zoo import architecture

#: (channels, convolutions) of each block
PAPER_BLOCKS = ((8, 1), (16, 1), (32, 2), (64, 2), (64, 3), (64, 3), (64, 3))


class Centring(nn.Module):
    """``(x − mean) · gain`` with the mean image of the healthy training scans as a buffer.

    Being a layer of the network, it leaves the network's input in the scan's own units: explanations are about
    grey matter itself and not about its distance from a mean.
    """

    mean: torch.Tensor
    gain: torch.Tensor

    def __init__(self, channels: int, shape: Sequence[int]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(1, channels, *shape))
        self.register_buffer("gain", torch.tensor(1.0))

    def centre_on(self, look: FirstLook) -> None:
        """Take over the mean image, and a gain that spreads the range of the values over 3."""
        self.mean.copy_(look.mean[None])
        self.gain.fill_(3 / (look.high - look.low))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Centre `x`, shape (N, C, *spatial)."""
        return (x - self.mean) * self.gain


@architecture("block-cnn")
class BlockCNN(TrainableNetwork):
    """Blocks of (convolution 3, batch norm, leaky ReLU) × n and max-pooling by 2, then dropout and one linear layer.

    Parameters
    ----------
    shape : sequence of int
        Spatial shape of the input: two numbers make a 2D network, three a 3D one. Any size: pooling keeps the
        remainder (``ceil_mode``), and an axis that has shrunk to one sample stays one.
    classes : int
        Number of classes.
    channels : int
        Channels of the input.
    blocks : sequence of (int, int)
        Channels and number of convolutions of each block.
    dropout : float
        Share of the features dropped before the linear layer while training, 0..1.
    """

    task = "classification"

    def __init__(
        self,
        shape: Sequence[int],
        classes: int = 2,
        channels: int = 1,
        blocks: Sequence[Sequence[int]] = PAPER_BLOCKS,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        convolution, norm, pool = _LAYERS[len(shape)]
        self.centring = Centring(channels, shape)
        self.features = nn.Sequential()
        width, size = channels, list(shape)
        for number, (block_width, repeats) in enumerate(blocks, start=1):
            layers: OrderedDict[str, nn.Module] = OrderedDict()
            for repeat in range(1, repeats + 1):
                # the norm's shift makes the convolution's own bias superfluous
                layers[f"conv{repeat}"] = convolution(width, block_width, 3, padding=1, bias=False)
                layers[f"norm{repeat}"] = norm(block_width)
                layers[f"relu{repeat}"] = nn.LeakyReLU()
                width = block_width
            layers["pool"] = pool(2, ceil_mode=True)
            self.features.add_module(f"block{number}", nn.Sequential(layers))
            size = [-(-n // 2) for n in size]
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(width * math.prod(size), classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (N, classes) of images (N, C, *spatial) in the scan's own units."""
        x = self.features(self.centring(x))
        return self.classifier(self.dropout(x.flatten(1)))

    @classmethod
    def arguments_for(cls, purpose: Purpose) -> dict[str, Any]:
        """See `TrainableNetwork.arguments_for`."""
        assert purpose.shape is not None
        return {"shape": list(purpose.shape), "classes": purpose.classes, "channels": purpose.channels}

    def start(self, look: FirstLook) -> None:
        """Centre the input on the mean image."""
        self.centring.centre_on(look)

    def attribution_layer(self) -> str | None:
        """Last convolution of block 3, a quarter of the side: deeper ones are too coarse to say where."""
        third = [name for name, _ in self.named_modules() if name.startswith("features.block3.conv")]
        return third[-1] if third else None


_LAYERS: dict[int, tuple[type[nn.Module], type[nn.Module], type[nn.Module]]] = {
    2: (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d),
    3: (nn.Conv3d, nn.BatchNorm3d, nn.MaxPool3d),
}
