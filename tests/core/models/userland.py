"""Classifiers as people write them, with fresh weights, and the cards that they come with."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from core.models import Card, Model
from core.scans.scan import Scan

SHAPE = (24, 20)


class Body(nn.Module):
    """Two convolutions, and `outputs` numbers made of them by `end`."""

    def __init__(self, outputs: int, end: Callable[[torch.Tensor], torch.Tensor] = lambda z: z, gain: float = 8.0):
        super().__init__()
        torch.manual_seed(outputs)
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 3, padding=1), nn.Conv2d(6, 8, 3, padding=1)
        self.relu1, self.relu2, self.pool = nn.ReLU(), nn.ReLU(), nn.MaxPool2d(2)
        self.head = nn.Linear(8, outputs)
        self.end, self.gain = end, gain

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        features = self.relu2(self.conv2(self.pool(self.relu1(self.conv1(x)))))
        return self.gain * self.head(features.mean((2, 3)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.end(self.logits(x))


class Dropping(Body):
    """Dropout as a function, without ``training=self.training``."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.dropout(self.logits(x), 0.5)


class OfTheBatch(Body):
    """A batch norm that keeps no statistics takes those of the batch."""

    def __init__(self, outputs: int) -> None:
        super().__init__(outputs)
        self.norm = nn.BatchNorm2d(1, track_running_stats=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.logits(self.norm(x))


class OneAtATime(Body):
    """Takes no batches."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.logits(x.view(1, 1, *SHAPE))


class HalfDetached(Body):
    """Half of what it says leaves no gradient."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.logits(x) + self.logits(x.detach().flip(-1)).flip(1)


def model(network: nn.Module, classes: tuple[str, ...] = ("a", "b", "c"), **fields: Any) -> Model:
    card = Card.model_validate(
        {
            "name": "userland",
            "title": "Userland",
            "task": "classification",
            "synthetic": True,
            "architecture": {"name": "none"},
            "input": {"dimensions": 2, "shape": SHAPE, "spacing_mm": (1.0, 1.0), "intensity": {"low": 0, "high": 1}},
            "classes": classes,
            "training": {"data": "none"},
            **fields,
        }
    )
    return Model(card, network.eval().requires_grad_(False))


def scan(seed: int = 0) -> Scan:
    values = np.random.default_rng(seed).uniform(0.1, 1, (1, *SHAPE)).astype(np.float32)
    return Scan(values, np.eye(4))
