"""Small networks of the families that people bring, with the names and the order of layers that they have there."""

from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

CLASSES = 3
_CONVOLUTION = {2: nn.Conv2d, 3: nn.Conv3d}
_NORM = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
_MAX_POOL = {2: nn.MaxPool2d, 3: nn.MaxPool3d}
_AVERAGE = {2: nn.AdaptiveAvgPool2d, 3: nn.AdaptiveAvgPool3d}


def chain(before: int, after: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution, norm, rectifier."""
    return nn.Sequential(
        nn.Conv2d(before, after, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )


class Gate(nn.Module):
    """Squeeze and excitation, by convolutions of one pixel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.avgpool, self.fc1, self.activation = nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, 2, 1), nn.ReLU()
        self.fc2, self.scale_activation = nn.Conv2d(2, channels, 1), nn.Sigmoid()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.scale_activation(self.fc2(self.activation(self.fc1(self.avgpool(x)))))


class Basic(nn.Module):
    """torchvision's BasicBlock: its one rectifier runs twice, its shortcut is registered last."""

    def __init__(self, before: int, after: int, stride: int, dimensions: int = 2, kind: str = "plain") -> None:
        super().__init__()
        convolution, norm = _CONVOLUTION[dimensions], _NORM[dimensions]
        self.conv1, self.bn1 = convolution(before, after, 3, stride, 1, bias=False), norm(after)
        self.relu = nn.ReLU(inplace=True)
        self.conv2, self.bn2 = convolution(after, after, 3, 1, 1, bias=False), norm(after)
        self.se = Gate(after) if kind == "se" else nn.Identity()
        self.downsample = None
        if kind == "d" and stride > 1:
            self.downsample = nn.Sequential(nn.AvgPool2d(2, 2), convolution(before, after, 1, bias=False), norm(after))
        elif stride > 1 or before != after:
            self.downsample = nn.Sequential(convolution(before, after, 1, stride, bias=False), norm(after))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        identity = x if self.downsample is None else self.downsample(x)
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out = self.se(out)
        out += identity
        return self.relu(out)


class ResNet(nn.Module):
    """torchvision's resnet18, narrow, with as many stages as asked for."""

    def __init__(self, stages: int = 4, dimensions: int = 2, kind: str = "plain") -> None:
        super().__init__()
        width = 2
        self.conv1 = _CONVOLUTION[dimensions](1, width, 7, 2, 3, bias=False)
        self.bn1, self.relu = _NORM[dimensions](width), nn.ReLU(inplace=True)
        self.maxpool = _MAX_POOL[dimensions](3, 2, 1)
        self.stages = [f"layer{number + 1}" for number in range(stages)]
        for number, name in enumerate(self.stages):
            after = width if number == 0 else 2 * width
            blocks = (
                Basic(width, after, 1 if number == 0 else 2, dimensions, kind),
                Basic(after, after, 1, dimensions, kind),
            )
            self.add_module(name, nn.Sequential(*blocks))
            width = after
        self.avgpool, self.fc = _AVERAGE[dimensions](1), nn.Linear(width, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for name in self.stages:
            x = self.get_submodule(name)(x)
        return self.fc(torch.flatten(self.avgpool(x), 1))


class Dense(nn.Module):
    """torchvision's DenseNet: every layer of a block reads all before it; the last rectifier is a function."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential()
        self.features.add_module("conv0", nn.Conv2d(1, 4, 7, 2, 3, bias=False))
        self.features.add_module("pool0", nn.MaxPool2d(3, 2, 1))
        self.features.add_module("denseblock1", DenseBlock(4))
        self.features.add_module("transition1", nn.Sequential(nn.Conv2d(8, 4, 1), nn.AvgPool2d(2, 2)))
        self.features.add_module("denseblock2", DenseBlock(4))
        self.features.add_module("norm5", nn.BatchNorm2d(8))
        self.classifier = nn.Linear(8, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.features(x), inplace=True)
        return self.classifier(torch.flatten(F.adaptive_avg_pool2d(x, (1, 1)), 1))


class DenseBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.denselayer1, self.denselayer2 = chain(channels, 2), chain(channels + 2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.cat([x, self.denselayer1(x)], 1)
        return torch.cat([x, self.denselayer2(x)], 1)


class Fire(nn.Module):
    """SqueezeNet's module."""

    def __init__(self, before: int) -> None:
        super().__init__()
        self.squeeze, self.expand1x1, self.expand3x3 = chain(before, 2, 1), chain(2, 4, 1), chain(2, 4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.squeeze(x)
        return torch.cat([self.expand1x1(x), self.expand3x3(x)], 1)


class Squeeze(nn.Module):
    """SqueezeNet: a convolution of one pixel makes the classes, and their mean over space is the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 4, 3, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, ceil_mode=True), Fire(4)
        )
        self.classifier = nn.Sequential(
            nn.Dropout(), nn.Conv2d(8, CLASSES, 1), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.flatten(self.classifier(self.features(x)), 1)


class Inception(nn.Module):
    """Parallel branches, and an auxiliary head that only training uses, registered last."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.mixed_a, self.mixed_b = chain(1, 4, 3, 2), Mixed(4), Mixed(6)
        self.fc = nn.Linear(6, CLASSES)
        self.aux = nn.Sequential(
            nn.Conv2d(6, 4, 1), nn.Conv2d(4, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, CLASSES)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.mixed_a(self.stem(x))
        self.seen = self.aux(x)
        return self.fc(self.mixed_b(x).mean((2, 3)))


class Mixed(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(3, 1, 1)
        self.branch1, self.branch3, self.branch_pool = (
            chain(channels, 2, 1),
            chain(channels, 2, 3),
            chain(channels, 2, 1),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.branch1(x), self.branch3(x), self.branch_pool(self.pool(x))], 1)


class Inverted(nn.Module):
    """MobileNetV2's block."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        inside = 2 * before
        self.conv = nn.Sequential(
            chain(before, inside, 1),
            chain(inside, inside, 3, stride, inside),
            nn.Conv2d(inside, after, 1),
            nn.BatchNorm2d(after),
        )
        self.adds = stride == 1 and before == after

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv(x) if self.adds else self.conv(x)


def mobile() -> nn.Module:
    """MobileNetV2: a convolution of one pixel makes the last features, which are no classes."""
    return nn.Sequential(
        nn.Sequential(chain(1, 4, 3, 2), Inverted(4, 4, 1), Inverted(4, 6, 2), Inverted(6, 6, 1), chain(6, 12, 1)),
        nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(12, CLASSES)),
    )


class SpatialAttention(nn.Module):
    """CBAM: a convolution makes a gate over space, in the network's own forward."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.conv = chain(1, 4, 3, 2), nn.Conv2d(4, 6, 3, 2, 1)
        self.attention, self.fc = nn.Conv2d(2, 1, 7, padding=3), nn.Linear(6, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.conv(self.stem(x)))
        gate = self.attention(torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1))
        return self.fc((x * torch.sigmoid(gate)).mean((2, 3)))


class ByHand(nn.Module):
    """A residual network in one forward; its shortcut is registered last."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.conv1, self.conv2 = chain(1, 4, 3, 2), nn.Conv2d(4, 6, 3, 2, 1), nn.Conv2d(6, 6, 3, 1, 1)
        self.fc, self.shortcut = nn.Linear(6, CLASSES), nn.Conv2d(4, 6, 1, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        x = torch.relu(self.conv2(torch.relu(self.conv1(x))) + self.shortcut(x))
        return self.fc(x.mean((2, 3)))


class ConvNeXtBlock(nn.Module):
    """Linear layers over channels that were moved last."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.dwconv, self.norm = nn.Conv2d(channels, channels, 7, padding=3, groups=channels), nn.LayerNorm(channels)
        self.pwconv1, self.act, self.pwconv2 = nn.Linear(channels, 8), nn.GELU(), nn.Linear(8, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.pwconv2(self.act(self.pwconv1(self.norm(self.dwconv(x).permute(0, 2, 3, 1)))))
        return x + y.permute(0, 3, 1, 2)


def convnext() -> nn.Module:
    """Patches of four pixels, one block, a head."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 4, 4),
        ConvNeXtBlock(4),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.LayerNorm(4),
        nn.Linear(4, CLASSES),
    )


class OnlyConvolutions(nn.Module):
    """Classes by a convolution after space was summed up, or before."""

    def __init__(self, first: bool) -> None:
        super().__init__()
        self.features, self.classes = nn.Sequential(chain(1, 4, 3, 2), chain(4, 6, 3, 2)), nn.Conv2d(6, CLASSES, 1)
        self.pool, self.first = nn.AdaptiveAvgPool2d(1), first

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.features(x)
        x = self.classes(self.pool(x)) if self.first else self.pool(self.classes(x))
        return x.flatten(1)


class LooksAtValues(nn.Module):
    """Code that cannot be traced, around a residual block."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.block, self.fc = chain(1, 4, 3, 2), Basic(4, 6, 2), nn.Linear(6, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x / max(float(x.detach().max()), 1e-6))
        for _ in range(1 + int(float(x.sum()) > 1e9)):
            x = self.block(x)
        return self.fc(x.mean((2, 3)))


#: network, and the layer that gives the last map over space which its answer rests on
FAMILIES: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "resnet": (ResNet, "layer4"),
    "resnet of two stages": (lambda: ResNet(2), "layer2"),
    "resnet-d": (lambda: ResNet(3, kind="d"), "layer3"),
    "se-resnet": (lambda: ResNet(3, kind="se"), "layer3"),
    "densenet": (Dense, "features"),
    "squeezenet": (Squeeze, "features"),
    "inception": (Inception, "mixed_b"),
    "mobilenet": (mobile, "0.4.0"),
    "spatial attention": (SpatialAttention, "conv"),
    "by hand": (ByHand, "conv2"),
    "convnext": (convnext, "1"),
    "classes after pooling": (lambda: OnlyConvolutions(True), "features.1.0"),
    "classes before pooling": (lambda: OnlyConvolutions(False), "features.1.0"),
    "code that looks at values": (LooksAtValues, "block"),
}


def family(name: str) -> nn.Module:
    """One of `FAMILIES`, in eval mode."""
    torch.manual_seed(0)
    return FAMILIES[name][0]().eval().requires_grad_(False)
