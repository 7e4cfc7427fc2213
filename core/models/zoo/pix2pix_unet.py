"""Pix2pix's generator: a U-Net of 4×4 convolutions with stride 2, skips at every level, tanh at the end.

Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017, section 6.1, as IBIX
(Espadoto et al., section 4.2) uses it for MR → CT: encoder 64-128-256-512-512-512-512-512, decoder the mirror image.
Two readings. IBIX lists the decoder's widths in the encoder's order; Isola's own code, followed here, gives a decoder
block the width of the level it arrives at, and the last one the answer's channels. As in Isola's correction of the
paper, the bottleneck has no batch norm: with one sample and one pixel it would give zeros.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from core.models.trainable import Purpose, TrainableNetwork
from core.models.zoo import architecture

#: of the papers: 256 pixels a side become one
_LEVELS = 8
#: a level is never wider than this many times the first one
_WIDEST = 8
#: decoder blocks with dropout, the deepest first
_DROPPING_BLOCKS = 3


@architecture("pix2pix-unet")
class Pix2PixUNet(TrainableNetwork):
    """Encoder of `levels` halvings, decoder of as many doublings, each fed the encoder's features of its own size.

    Dropout acts while training only. In evaluation batch norms use their running statistics, so that an answer
    depends on nothing but the image and is the same every time; Isola's code keeps both random at test time, which
    an explanation could not be repeated with.

    Parameters
    ----------
    channels : int
        Channels of the input: 1, or 3 where a picture's colours code three images of one slice.
    channels_out : int
        Channels of the answer.
    width : int
        Channels of the first level; 64 in the papers.
    levels : int
        Halvings from the image to the bottleneck, 2 or more: 8 for 256×256 (bottleneck 1×1), 5 for 32×32. Both
        sides of the image must be multiples of 2 to the power of `levels`.
    dropout : float
        Share of features dropped while training in the first three decoder blocks of full width, 0..1.

    Raises
    ------
    ValueError
        When `levels` is below 2 or a number of channels below 1.
    """

    task = "regression"
    dimensions = (2,)
    input_range = (-1.0, 1.0)
    output_range = (-1.0, 1.0)

    def __init__(
        self, channels: int = 1, channels_out: int = 1, width: int = 64, levels: int = _LEVELS, dropout: float = 0.5
    ) -> None:
        super().__init__()
        if levels < 2 or min(channels, channels_out, width) < 1:
            raise ValueError("levels must be 2 or more, channels, channels_out and width 1 or more")
        widths = [width * min(2**level, _WIDEST) for level in range(levels)]
        self.encoder = nn.ModuleList(
            _down(before, after, first=level == 0, bottleneck=level == levels - 1)
            for level, (before, after) in enumerate(zip([channels, *widths[:-1]], widths, strict=True))
        )
        arriving = [channels_out, *widths[:-1]]
        self.decoder = nn.ModuleList()
        for level in reversed(range(levels)):
            deepest = level == levels - 1
            from_width = widths[level] if deepest else 2 * widths[level]
            drops = levels - 1 - level < _DROPPING_BLOCKS and arriving[level] == _WIDEST * width and level > 0
            self.decoder.append(_up(from_width, arriving[level], dropout if drops else 0.0, last=level == 0))
        self.answer = nn.Tanh()
        self.apply(initialise)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Answers (N, channels_out, rows, columns), −1..1, to images (N, channels, rows, columns) in −1..1."""
        skips: list[torch.Tensor] = []
        for down in self.encoder:
            x = down(x)
            skips.append(x)
        for number, up in enumerate(self.decoder):
            if number:
                x = torch.cat([x, skips[-1 - number]], dim=1)
            x = up(x)
        return self.answer(x)

    @classmethod
    def arguments_for(cls, purpose: Purpose) -> dict[str, Any]:
        """See `TrainableNetwork.arguments_for`."""
        return {"channels": purpose.channels, "channels_out": purpose.channels_out}

    @classmethod
    def multiple_of(cls, arguments: Mapping[str, Any]) -> int:
        """2 to the power of `levels`: each halves the sides."""
        return 2 ** int(arguments.get("levels", _LEVELS))

    def feature_layers(self) -> Sequence[str] | None:
        """The convolution of every level, down and up."""
        levels = range(len(self.encoder))
        return [f"{part}.{level}.convolution" for part in ("encoder", "decoder") for level in levels]


def _down(before: int, after: int, first: bool, bottleneck: bool) -> nn.Sequential:
    """One halving; the activation comes before the convolution so that skips carry what no ReLU has cut yet."""
    normed = not (first or bottleneck)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    if not first:
        layers["activation"] = nn.LeakyReLU(0.2)
    layers["convolution"] = nn.Conv2d(before, after, 4, stride=2, padding=1, bias=not normed)
    if normed:
        layers["norm"] = nn.BatchNorm2d(after)
    return nn.Sequential(layers)


def _up(before: int, after: int, dropout: float, last: bool) -> nn.Sequential:
    """One doubling."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(activation=nn.ReLU())
    layers["convolution"] = nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=last)
    if not last:
        layers["norm"] = nn.BatchNorm2d(after)
    if dropout:
        layers["dropout"] = nn.Dropout(dropout)
    return nn.Sequential(layers)


def initialise(module: nn.Module) -> None:
    """Isola's start for one layer: weights from N(0, 0.02), gains of norms from N(1, 0.02), shifts 0."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0 if isinstance(module, nn.BatchNorm2d) else 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
