"""IBIX's convolutional autoencoder: T1 slice in, T2 slice out; 2D and 3D by the same lines.

Espadoto et al., IBIX, section 4.1: three convolutions with 16, 8 and 8 filters of 3×3, ReLU, max-pooling; "the decoder
contains the corresponding reconstruction operations", which the authors' published weights show to be three
convolutions with 8, 8 and 16 filters, each followed by up-sampling, and one to the answer's channels with a sigmoid.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from core.models.trainable import FirstLook, Purpose, TrainableNetwork
from core.models.zoo import architecture

#: filters of the encoder; the decoder has them in reverse
PAPER_WIDTHS = (16, 8, 8)


@architecture("autoencoder")
class Autoencoder(TrainableNetwork, nn.Sequential):
    """Encoder: (convolution 3, ReLU, max-pooling by 2) × n; decoder: (convolution 3, ReLU, ×2 nearest) × n; sigmoid.

    Layers are named as in the authors' file (``conv0`` .. ``conv6``), which therefore loads as it is.

    Parameters
    ----------
    channels, channels_out : int
        Channels of the image and of the answer.
    widths : sequence of int
        Filters of each encoder block. The sides of the input must be multiples of 2 to the power of their number.
    dimensions : int
        2 or 3.

    Raises
    ------
    ValueError
        When a number is below 1 or `dimensions` is neither 2 nor 3.
    """

    task = "regression"

    def __init__(
        self, channels: int = 1, channels_out: int = 1, widths: Sequence[int] = PAPER_WIDTHS, dimensions: int = 2
    ) -> None:
        if dimensions not in _LAYERS:
            raise ValueError("dimensions must be 2 or 3")
        if not widths or min(channels, channels_out, *widths) < 1:
            raise ValueError("channels, channels_out and every width must be 1 or more")
        convolution, pool = _LAYERS[dimensions]
        depth = len(widths)
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for number, (before, after) in enumerate(pairwise([channels, *widths, *reversed(widths)])):
            layers[f"conv{number}"] = convolution(before, after, 3, padding=1)
            layers[f"relu{number}"] = nn.ReLU()
            if number < depth:
                layers[f"pool{number}"] = pool(2)
            else:
                layers[f"up{number}"] = nn.Upsample(scale_factor=2, mode="nearest")
        layers[f"conv{2 * depth}"] = convolution(widths[0], channels_out, 3, padding=1)
        layers["answer"] = nn.Sigmoid()
        super().__init__(layers)
        self.apply(_initialise)
        self.depth = depth

    @classmethod
    def arguments_for(cls, purpose: Purpose) -> dict[str, Any]:
        """See `TrainableNetwork.arguments_for`."""
        return {
            "channels": purpose.channels,
            "channels_out": purpose.channels_out,
            "dimensions": purpose.dimensions,
        }

    @classmethod
    def multiple_of(cls, arguments: Mapping[str, Any]) -> int:
        """2 to the power of the number of blocks: each halves the sides."""
        return 2 ** len(arguments.get("widths", PAPER_WIDTHS))

    def start(self, look: FirstLook) -> None:
        """Bias of the last convolution so that a fresh network answers about the targets' mean instead of 0.5."""
        last = self.get_submodule(f"conv{2 * self.depth}")
        assert isinstance(last, nn.Conv2d | nn.Conv3d) and last.bias is not None and look.mean_answer is not None
        last.bias.copy_(torch.logit(look.mean_answer.clamp(0.01, 0.99)))

    def feature_layers(self) -> Sequence[str] | None:
        """Every convolution but the last, which makes the answer."""
        return [f"conv{number}" for number in range(2 * self.depth)]


def _initialise(module: nn.Module) -> None:
    """Keras's defaults, which the authors trained from: Glorot's uniform weights, no bias."""
    if isinstance(module, nn.Conv2d | nn.Conv3d):
        nn.init.xavier_uniform_(module.weight)
        assert module.bias is not None
        nn.init.zeros_(module.bias)


_LAYERS: dict[int, tuple[type[nn.Conv2d | nn.Conv3d], type[nn.MaxPool2d | nn.MaxPool3d]]] = {
    2: (nn.Conv2d, nn.MaxPool2d),
    3: (nn.Conv3d, nn.MaxPool3d),
}
