"""Toy scans with a planted deficit and small networks trained on them, in 2D and 3D: real training, seconds long."""

import dataclasses
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_model, save_model
from scipy import ndimage
from torch import nn

from core.explainers import explain
from core.metrics.sanity import randomisation_check
from core.models.card import Architecture, Card, InputContract, Intensity, Training
from core.models.model import Model
from core.models.zoo import build
from core.scans.scan import Scan

SPACING_MM = 6.0
_SHAPES = {2: (40, 48), 3: (20, 24, 20)}
_BLOCKS = ((8, 1), (16, 1), (16, 1))


@dataclass(frozen=True, eq=False)
class Toy:
    """A trained model, where its disease is planted, and how to make scans it has not seen."""

    model: Model
    planted: np.ndarray
    dimensions: int

    def scan(self, seed: int, diseased: bool = True) -> Scan:
        array = draw(self.dimensions, np.random.default_rng(seed), diseased)
        return Scan(array[None], affine(self.dimensions))


def affine(dimensions: int) -> np.ndarray:
    return np.diag([*(SPACING_MM,) * dimensions, *(1.0,) * (4 - dimensions)])


def template(dimensions: int) -> np.ndarray:
    """A head: a smooth ellipse of tissue with folds."""
    shape = _SHAPES[dimensions]
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    head = 1 / (1 + np.exp(12 * (np.sqrt(sum(axis**2 for axis in axes)) - 0.85)))
    folds = ndimage.gaussian_filter(np.random.default_rng(5).standard_normal(shape), 1.2)
    return (head * np.clip(0.75 + 1.2 * folds / folds.std() * 0.12, 0, 1)).astype(np.float32)


def weight(dimensions: int) -> np.ndarray:
    """Where disease takes tissue away: one blob a side, 1 in the core."""
    shape = _SHAPES[dimensions]
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    blobs = [
        np.exp(-(((axes[0] - side) / 0.2) ** 2) - sum(((axis + 0.1) / 0.25) ** 2 for axis in axes[1:]))
        for side in (-0.4, 0.4)
    ]
    return np.max(blobs, axis=0).astype(np.float32)


def draw(dimensions: int, random: np.random.Generator, diseased: bool) -> np.ndarray:
    """One scan, values 0..1."""
    shape = _SHAPES[dimensions]
    field = ndimage.gaussian_filter(random.standard_normal(shape), 2.0)
    tissue = np.clip(random.uniform(1.3, 1.8) * template(dimensions) * (1 + 0.08 * field / field.std()), 0, 1)
    if diseased:
        tissue = tissue * (1 - random.uniform(0.5, 0.8) * weight(dimensions))
    noise = ndimage.gaussian_filter(random.standard_normal(shape), 0.7)
    return np.clip(tissue + 0.03 * noise / noise.std() * (tissue > 0.1), 0, 1).astype(np.float32)


# files that take turns with both toys would else train them anew in every file
@cache
def toy(dimensions: int) -> Toy:
    """Train the toy of these dimensions (a few seconds on one core), once a process.

    With ``LIGHTBOX_TOYS`` set to a folder, weights that lie there are taken and new ones are left there: for those who
    run the same tests hundreds of times.
    """
    torch.manual_seed(0)
    random = np.random.default_rng(11)
    scans = np.stack([draw(dimensions, random, diseased=bool(n % 2)) for n in range(120)])[:, None]
    labels = torch.arange(120) % 2
    mean = scans[::2].mean(axis=0)[0]
    support = template(dimensions) > 0.2
    network = build("block-cnn", {"shape": _SHAPES[dimensions], "blocks": _BLOCKS})
    network.centring.mean.copy_(torch.from_numpy(mean))
    network.centring.gain.fill_(3.0)
    kept = Path(os.environ["LIGHTBOX_TOYS"], f"{dimensions}.safetensors") if "LIGHTBOX_TOYS" in os.environ else None
    if kept is not None and kept.is_file():
        load_model(network, kept)
    else:
        _train(network, torch.from_numpy(scans), labels, torch.from_numpy(mean), support, random)
        if kept is not None:
            save_model(network, str(kept))
    network.eval().requires_grad_(False)
    return Toy(
        Model(card(dimensions), network, references={"healthy_mean": mean, "support": support.astype(np.float32)}),
        weight(dimensions) > 0.2,
        dimensions,
    )


def _train(
    network: torch.nn.Module,
    scans: torch.Tensor,
    labels: torch.Tensor,
    mean: torch.Tensor,
    support: np.ndarray,
    random: np.random.Generator,
) -> None:
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    network.train()
    for step in range(120):
        chosen = random.choice(len(scans), 12, replace=False)
        batch = scans[chosen].clone()
        if step > 40:
            # random fills with an unchanged label teach it to look at the planted place only
            for image in batch:
                blobs = ndimage.gaussian_filter(random.standard_normal(mean.shape), random.uniform(0.8, 2))
                place = torch.from_numpy((blobs > np.quantile(blobs, random.uniform(0.7, 0.98))) & support)
                place &= torch.from_numpy(weight(support.ndim) < 0.1)
                image[0][place] = 1.0 if random.random() < 0.5 else mean[place]
        loss = torch.nn.functional.cross_entropy(network(batch), labels[chosen])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def card(dimensions: int) -> Card:
    return Card(
        name=f"toy-{dimensions}d",
        title="Toy",
        task="classification",
        synthetic=True,
        architecture=Architecture(name="block-cnn", arguments={"shape": _SHAPES[dimensions], "blocks": _BLOCKS}),
        input=InputContract(
            dimensions=dimensions,
            shape=_SHAPES[dimensions],
            spacing_mm=(SPACING_MM,) * dimensions,
            intensity=Intensity(low=0, high=1, units="probability"),
        ),
        classes=("CN", "AD"),
        target="AD",
        healthy="CN",
        feature_layers=("features.block1.conv1", "features.block2.conv1", "features.block3.conv1"),
        attribution_layer="features.block3.conv1",
        references=("healthy_mean", "support"),
        training=Training(data="toy scans drawn by the tests", seed=0),
    )


def randomised_drop(trained: Toy, name: str, **options: Any) -> float:
    """How much of an explainer's map is lost when the weights are random, 0..1."""

    def make_map(network: nn.Module) -> np.ndarray:
        model = dataclasses.replace(trained.model, network=network)
        return explain(trained.scan(400), model, name, target="AD", **options).arrays["map"].values

    support = trained.model.references["support"] > 0.5
    return randomisation_check(make_map, trained.model.network, support=support, seeds=(0, 1)).relative
