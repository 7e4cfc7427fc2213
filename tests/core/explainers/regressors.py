"""Small image-to-image models with known structure, and scans for them."""

import numpy as np
import torch
from torch import nn

from core.explainers.base import Findings, Question
from core.explainers.ibix.explainer import Ibix
from core.models.card import Architecture, Card, InputContract, Intensity, OutputContract, Training
from core.models.model import Model
from core.scans.scan import Scan

#: The paper's largest jitter, 100 of 255 grey levels.
H = 0.392
#: A small image and a small volume, and a box in the middle of each.
SHAPES = {2: (16, 20), 3: (8, 10, 8)}
BOXES = {2: (slice(6, 9), slice(8, 11)), 3: (slice(3, 5), slice(4, 6), slice(3, 5))}


class Matrix(nn.Module):
    """A linear model: answer = W · input, all pixels to all pixels."""

    def __init__(self, shape: tuple[int, ...], channels: int = 1, channels_out: int = 1) -> None:
        super().__init__()
        size = int(np.prod(shape))
        self.shape, self.channels_out = shape, channels_out
        torch.manual_seed(3)
        self.linear = nn.Linear(channels * size, channels_out * size)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x.flatten(1)).view(-1, self.channels_out, *self.shape)


def shifting(dimensions: int, shift: int) -> nn.Module:
    """A convolution whose kernel is one shifted delta: it moves the image along the first axis."""
    convolution = (nn.Conv2d, nn.Conv3d)[dimensions - 2](1, 1, 2 * abs(shift) + 1, padding=abs(shift), bias=False)
    with torch.no_grad():
        convolution.weight.zero_()
        convolution.weight[(0, 0, abs(shift) - shift, *[abs(shift)] * (dimensions - 1))] = 1.0
    return convolution


def smooth(dimensions: int, channels: int = 1, channels_out: int = 1, seed: int = 0) -> nn.Module:
    """Two convolutions with a smooth bend, pooling and up-sampling between them."""
    torch.manual_seed(seed)
    convolution = (nn.Conv2d, nn.Conv3d)[dimensions - 2]
    pool = (nn.AvgPool2d, nn.AvgPool3d)[dimensions - 2]
    return nn.Sequential(
        convolution(channels, 4, 3, padding=1),
        nn.Tanh(),
        pool(2),
        convolution(4, 4, 3, padding=1),
        nn.Tanh(),
        nn.Upsample(scale_factor=2, mode="nearest"),
        convolution(4, channels_out, 3, padding=1),
    )


class Opaque(nn.Module):
    """A model whose layers cannot be followed: what it computes depends on Python that looks at values."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if float(x.mean()) > 1e6:
            return self.network(x) * 2
        return self.network(x)


def model(
    network: nn.Module,
    dimensions: int = 2,
    channels: int = 1,
    channels_out: int = 1,
    low: float = 0.0,
    high: float = 1.0,
) -> Model:
    """`network` with the card of a regressor that takes scans as they come."""
    card = Card(
        name="regressor",
        title="Regressor",
        task="regression",
        synthetic=True,
        architecture=Architecture(name="autoencoder"),
        input=InputContract(dimensions=dimensions, channels=channels, intensity=Intensity(low=low, high=high)),
        output=OutputContract(channels=channels_out, units="signal"),
        training=Training(data="none"),
    )
    return Model(card, network.eval().requires_grad_(False))


def scan(shape: tuple[int, ...], channels: int = 1, spacing: float = 1.0, seed: int = 1) -> Scan:
    """A textured ellipsoid on a dark background, values 0..1."""
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    head = sum(axis**2 for axis in axes) < 0.8
    texture = np.random.default_rng(seed).random((channels, *shape))
    dimensions = len(shape)
    affine = np.diag([*(spacing,) * dimensions, *(1.0,) * (4 - dimensions)])
    return Scan((head * (0.35 + 0.3 * texture)).astype(np.float32), affine)


def region(shape: tuple[int, ...], *slices: slice) -> np.ndarray:
    """A marked box."""
    marked = np.zeros(shape, dtype=bool)
    marked[slices] = True
    return marked


def question(made: Model, of: Scan, marked: np.ndarray | None, target: int | None = None) -> Question:
    """What the explainer is asked, in model space."""
    return Question(made, made.prepare(of), target, marked)


def trace(
    network: nn.Module, dimensions: int = 2, channels: int = 1, channels_out: int = 1, **values: object
) -> Findings:
    """Findings of ``ibix`` about the box in the middle, with these parameters."""
    made = model(network, dimensions, channels, channels_out)
    shape = SHAPES[dimensions]
    return Ibix().run(
        question(made, scan(shape, channels), region(shape, *BOXES[dimensions])),
        Ibix.parameters_for(made, Ibix.parameters(values=values)),
    )


def input_of(dimensions: int, channels: int = 1) -> np.ndarray:
    """What `trace` feeds the network, (C, *spatial), float64."""
    return scan(SHAPES[dimensions], channels).array.astype(np.float64)
