"""Paper 3's three classifiers of anatomy: shallow, deeper, and deeper with batch norm and dropout; 2D and 3D.

Kumar and Menkovski, "Understanding anatomy classification through visualization", 2016, appendix, tables 2 to 4. The
tables name neither the activation nor the padding, and table 2 leaves the first dropout open: rectifiers follow every
convolution and both hidden dense layers, convolutions keep the size, and that dropout is the dense layer's 0.25.
"""

import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import torch
from torch import nn

from core.models.trainable import FirstLook, Purpose, TrainableNetwork
from core.models.zoo import architecture

Variant = Literal["shallow", "deeper", "regularised"]

#: Filters of each convolution, block by block; a max-pooling by 2 ends each block.
PAPER_BLOCKS: dict[Variant, tuple[tuple[int, ...], ...]] = {
    "shallow": ((32, 64),),
    "deeper": ((32, 16), (64, 32), (128, 128, 64), (256, 256, 128)),
    "regularised": ((32, 16), (64, 32), (128, 128, 64), (256, 256, 128)),
}
#: Units of the hidden dense layers.
PAPER_DENSE: dict[Variant, tuple[int, ...]] = {"shallow": (128,), "deeper": (128, 128), "regularised": (128, 128)}
#: largest side, pixels, at which the first dense layer learns as fast as the rest. It sums over all places: with so
#: many more of them one step of Adam moves its units further, and at 128 pixels all were driven below 0 for good
_RATE_SIZE = 64
#: Share dropped after the last pooling and after each hidden dense layer.
PAPER_DROPOUT: dict[Variant, float] = {"shallow": 0.25, "deeper": 0.0, "regularised": 0.5}


@architecture("anatomy-cnn")
class AnatomyCNN(TrainableNetwork):
    """Blocks of (convolution 3, batch norm where regularised, ReLU) × n and max-pooling by 2, then dense layers.

    Parameters
    ----------
    shape : sequence of int
        Spatial shape of the input: two numbers make a 2D network, three a 3D one. Any size from
        2 (shallow) or 16 samples a side.
    classes : int
        Number of classes (24 in the paper).
    channels : int
        Channels of the input.
    variant : {"shallow", "deeper", "regularised"}
        Tables 2, 3 and 4. Batch norm and dropout 0.5 belong to "regularised", dropout 0.25 to "shallow".

    Raises
    ------
    ValueError
        Another variant, another number of dimensions, or a side too short for the poolings.
    """

    task = "classification"

    def __init__(self, shape: Sequence[int], classes: int = 24, channels: int = 1, variant: Variant = "deeper") -> None:
        super().__init__()
        self.shape = tuple(shape)
        if variant not in get_args(Variant):
            raise ValueError(f"variant is one of {', '.join(get_args(Variant))}, not {variant!r}")
        if len(shape) not in _LAYERS:
            raise ValueError(f"shape has two or three numbers, not {len(shape)}")
        blocks, dropout = PAPER_BLOCKS[variant], PAPER_DROPOUT[variant]
        smallest = 2 ** len(blocks)
        if min(shape) < smallest:
            raise ValueError(f"{variant} needs at least {smallest} samples a side, since each block halves them")
        convolution, norm, pool = _LAYERS[len(shape)]
        self.features = nn.Sequential()
        width, size = channels, list(shape)
        for number, filters in enumerate(blocks, start=1):
            layers: OrderedDict[str, nn.Module] = OrderedDict()
            for repeat, count in enumerate(filters, start=1):
                layers[f"conv{repeat}"] = convolution(width, count, 3, padding=1)
                if variant == "regularised":
                    layers[f"norm{repeat}"] = norm(count)
                layers[f"relu{repeat}"] = nn.ReLU()
                width = count
            layers["pool"] = pool(2)
            self.features.add_module(f"block{number}", nn.Sequential(layers))
            size = [n // 2 for n in size]
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Sequential()
        width *= math.prod(size)
        for number, units in enumerate(PAPER_DENSE[variant], start=1):
            self.dense.add_module(f"linear{number}", nn.Linear(width, units))
            self.dense.add_module(f"relu{number}", nn.ReLU())
            self.dense.add_module(f"dropout{number}", nn.Dropout(dropout))
            width = units
        self.classifier = nn.Linear(width, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (N, classes) of images (N, C, *spatial), float32."""
        x = self.dropout(self.features(x))
        return self.classifier(self.dense(x.flatten(1)))

    @classmethod
    def arguments_for(cls, purpose: Purpose) -> dict[str, Any]:
        """See `TrainableNetwork.arguments_for`."""
        assert purpose.shape is not None
        return {"shape": list(purpose.shape), "classes": purpose.classes, "channels": purpose.channels}

    def start(self, look: FirstLook) -> None:
        """He's starting weights, from which ten convolutions without batch norm learn twice as fast as from torch's."""
        start_as_he(self)

    def slower_weights(self) -> Mapping[str, float]:
        """Those of the first dense layer, which sums over all places, on sides above `_RATE_SIZE`."""
        return {"dense.linear1.weight": min((_RATE_SIZE / max(self.shape)) ** len(self.shape), 1.0)}


@torch.no_grad()
def start_as_he(network: nn.Module) -> None:
    """Starting weights that keep the size of the signal through rectifiers (He et al. 2015); biases 0.

    Those of the last layer, which no rectifier follows, are a tenth: the first answers are then near chance instead of
    sure and wrong, which dropout makes worse and which takes many steps to unlearn.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            assert module.bias is not None
            nn.init.zeros_(module.bias)
    last = [module for module in network.modules() if isinstance(module, nn.Linear)]
    if last:
        last[-1].weight.mul_(0.1)


_LAYERS: dict[int, tuple[type[nn.Module], type[nn.Module], type[nn.Module]]] = {
    2: (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d),
    3: (nn.Conv3d, nn.BatchNorm3d, nn.MaxPool3d),
}
