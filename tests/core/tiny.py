"""A small classifier with fresh weights: what it says means nothing, that it says it the same way does."""

from pathlib import Path
from typing import Any

from core.models import Card, save_model
from core.models.zoo import build


def tiny_card(name: str, shape: tuple[int, ...], **contract: Any) -> Card:
    """Card of a two-class network on `shape`; `contract` adds fields to its input."""
    return Card.model_validate(
        {
            "name": name,
            "title": f"{name.replace('-', ' ').capitalize()} model",
            "task": "classification",
            "synthetic": True,
            "architecture": {"name": "block-cnn", "arguments": {"shape": shape, "blocks": ((4, 1), (4, 1))}},
            "input": {
                "dimensions": len(shape),
                "shape": shape,
                "intensity": {"low": 0.0, "high": 1.0, "units": "grey-matter probability"},
                **contract,
            },
            "classes": ("CN", "AD"),
            "target": "AD",
            "healthy": "CN",
            "feature_layers": ("features.block1.conv1",),
            "attribution_layer": "features.block1.conv1",
            "training": {"data": "none, random weights", "seed": 3},
            "metrics": {"test": {"balanced_accuracy": 0.5, "balanced_accuracy_95": [0.4, 0.6]}},
        }
    )


def save_tiny(folder: Path, card: Card) -> Path:
    """Write a model folder for `card` with fresh weights; returns `folder`."""
    save_model(folder, card, build(card.architecture.name, card.architecture.arguments))
    return folder


def tiny_maker_card(name: str, shape: tuple[int, ...], **contract: Any) -> Card:
    """Card of an autoencoder that makes an image in HU; the sides of `shape` are multiples of 4."""
    return Card.model_validate(
        {
            "name": name,
            "title": f"{name.replace('-', ' ').capitalize()} model",
            "task": "regression",
            "synthetic": True,
            "architecture": {"name": "autoencoder", "arguments": {"widths": (4, 4), "dimensions": len(shape)}},
            "input": {
                "dimensions": len(shape),
                "shape": shape,
                "intensity": {"low": 0.0, "high": 1.0, "units": "signal"},
                **contract,
            },
            "output": {"low": -1000.0, "high": 1000.0, "units": "HU", "modality": "CT slice"},
            "training": {"data": "none, random weights", "seed": 3},
        }
    )
