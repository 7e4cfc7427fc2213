"""Networks the way people write them: what their layers are does not say what their code does."""

from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

CLASSES = 3


def head(channels: int) -> nn.Sequential:
    """Mean over space, and logits."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, CLASSES))


class InPlaceInput(nn.Module):
    """Normalises what it is given in place, as many training scripts do."""

    def __init__(self, channels: int = 1) -> None:
        super().__init__()
        self.conv1, self.norm, self.conv2 = nn.Conv2d(channels, 6, 3), nn.BatchNorm2d(6), nn.Conv2d(6, 8, 3)
        self.relu1, self.relu2, self.pool, self.head = nn.ReLU(), nn.ReLU(), nn.MaxPool2d(2), head(8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x -= 0.5
        x /= 0.25
        return self.head(self.relu2(self.conv2(self.pool(self.relu1(self.norm(self.conv1(x)))))))


class AroundNorm(nn.Sequential):
    """A Sequential with a forward of its own: what the convolution says is added around the norm."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__(nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self[0](x)
        return self[2](self[1](y) + y)


class WalkedByHand(nn.Module):
    """Takes a skip out of the middle of a Sequential, between a convolution and its norm."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU()
        )
        self.head = head(6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept = x
        for number, layer in enumerate(self.layers):
            x = layer(x)
            if number == 2:
                kept = x
        return self.head(x + kept)


class Shared(nn.Module):
    """One convolution before two norms, and one norm after two convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.conv, self.other = nn.Conv2d(1, 6, 3), nn.Conv2d(6, 6, 3), nn.Conv2d(6, 6, 3)
        self.norm1, self.norm2, self.head = nn.BatchNorm2d(6), nn.BatchNorm2d(6), head(6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.norm1(self.conv(self.first(x))))
        x = F.relu(self.norm2(self.conv(x)))
        return self.head(self.norm1(self.other(x)))


class ReadsItsWeights(nn.Module):
    """Looks at a convolution's weights and a norm's statistics beside calling them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6)
        self.deep, self.last, self.head = nn.Conv2d(6, 6, 3), nn.BatchNorm2d(6), head(6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu(self.norm(self.conv(x))) + self.norm.running_mean[:, None, None]
        return self.head(self.last(self.deep(y))) + self.deep.weight.mean()


class Hooked(nn.Module):
    """What a convolution answers is changed by a hook before its norm reads it."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6), nn.ReLU())
        self.features[0].register_forward_hook(lambda module, inputs, output: output.square())
        self.head = head(6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(x))


class GuardedNorm(nn.Module):
    """Adds what a convolution answers, but only when it is given a real tensor: a traced graph lacks that."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.head = nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), head(6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(x)
        z = self.norm(y)
        return self.head(F.relu(z + y if type(x) is torch.Tensor else z))


def weighted(norm: Callable[..., nn.Module], groups: int = 1) -> nn.Module:
    """Convolutions whose weights are worked out, before norms."""
    return nn.Sequential(
        norm(nn.Conv2d(1, 6, 3)),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        norm(nn.Conv2d(6, 8, 3, groups=groups)),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        head(8),
    )


def transposed(groups: int) -> nn.Module:
    """A transposed convolution before a norm."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2),
        nn.ReLU(),
        nn.ConvTranspose2d(4, 6, 3, groups=groups),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        head(6),
    )


MAKERS: dict[str, Callable[[], nn.Module]] = {
    "writes into its input": InPlaceInput,
    "a Sequential with its own forward": lambda: nn.Sequential(
        AroundNorm(1, 6), nn.MaxPool2d(2), AroundNorm(6, 8), head(8)
    ),
    "a Sequential walked by hand": WalkedByHand,
    "shared layers": Shared,
    "reads its weights": ReadsItsWeights,
    "a hooked layer": Hooked,
    "a guard": GuardedNorm,
    "weight norm": lambda: weighted(nn.utils.parametrizations.weight_norm),
    "weight norm of old": lambda: weighted(nn.utils.weight_norm),
    "spectral norm": lambda: weighted(nn.utils.parametrizations.spectral_norm, 2),
    "spectral norm of old": lambda: weighted(nn.utils.spectral_norm),
    "transposed": lambda: transposed(1),
    "transposed in groups": lambda: transposed(2),
}


def userland(name: str, seed: int = 0) -> nn.Module:
    """One of `MAKERS`, in eval mode, with statistics that a wrong fold shows."""
    torch.manual_seed(seed)
    network = MAKERS[name]()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.2, 3)
            module.weight.data.uniform_(0.5, 2)
            module.bias.data.normal_()
    with torch.no_grad():
        network(torch.randn(2, 1, 17, 19))  # what works out its weights while it trains has done so
    return network.eval().requires_grad_(False)
