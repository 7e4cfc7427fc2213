"""Small image-to-image models with fresh weights: what they answer means nothing, that it is the same does."""

import torch
from torch import nn

from core.models import Card, Model


def regressor_card(name="tiny-regressor", dimensions=2, channels=1, channels_out=1, output=None, **contract):
    """Card of an image-to-image model of any size; `contract` adds fields to its input."""
    return Card.model_validate(
        {
            "name": name,
            "title": "Tiny regressor",
            "task": "regression",
            "synthetic": True,
            "architecture": {"name": "none"},
            "input": {
                "dimensions": dimensions,
                "channels": channels,
                "intensity": {"low": 0.0, "high": 1.0, "units": "signal"},
                **contract,
            },
            "output": {"channels": channels_out, "units": "signal", **(output or {})},
            "training": {"data": "none, random weights", "seed": 3},
        }
    )


def regressor(network=None, dimensions=2, channels=1, channels_out=1, **card):
    """A Model around `network`; by default two convolutions with a ReLU between them."""
    if network is None:
        torch.manual_seed(3)
        convolution = nn.Conv2d if dimensions == 2 else nn.Conv3d
        network = nn.Sequential(
            convolution(channels, 4, 3, padding=1), nn.ReLU(), convolution(4, channels_out, 3, padding=1)
        )
    made = regressor_card(dimensions=dimensions, channels=channels, channels_out=channels_out, **card)
    return Model(made, network.eval().requires_grad_(False))
