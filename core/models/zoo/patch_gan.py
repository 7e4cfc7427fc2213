"""PatchGAN, pix2pix's discriminator: real or made, asked of every patch (70×70 pixels in the papers).

Isola et al., CVPR 2017, section 6.1.2: C64-C128-C256-C512 and one convolution to a single channel. It helps to train a
generator and is no model of its own: no card names it, and it is not stored.
"""

import torch
from torch import nn

from core.models.zoo.pix2pix_unet import initialise

_WIDEST = 8


class PatchGAN(nn.Module):
    """Convolutions 4×4: `halvings` with stride 2, two more with stride 1; leaky ReLU, batch norm but on the first.

    Parameters
    ----------
    channels : int
        Channels of the generator's input and its answer together: the discriminator sees both (conditional GAN).
    width : int
        Channels of the first layer; 64 in the paper.
    halvings : int
        3 looks at patches of 70×70 pixels, 2 of 34×34, 1 of 16×16.

    Raises
    ------
    ValueError
        When a number is below 1.
    """

    def __init__(self, channels: int, width: int = 64, halvings: int = 3) -> None:
        super().__init__()
        if min(channels, width, halvings) < 1:
            raise ValueError("channels, width and halvings must be 1 or more")
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        before = width
        for layer in range(1, halvings + 1):
            after = width * min(2**layer, _WIDEST)
            stride = 2 if layer < halvings else 1
            layers += [nn.Conv2d(before, after, 4, stride=stride, padding=1, bias=False), nn.BatchNorm2d(after)]
            layers.append(nn.LeakyReLU(0.2))
            before = after
        layers.append(nn.Conv2d(before, 1, 4, padding=1))
        self.layers = nn.Sequential(*layers)
        self.apply(initialise)

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Logit of every patch being real, (N, 1, rows, columns), for inputs `x` and answers `y` of equal size."""
        return self.layers(torch.cat([x, y], dim=1))
