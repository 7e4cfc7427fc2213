"""Pix2pix's optimisation: generator against discriminator, and never far from the true image (L1)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from core.errors import BadInput
from core.progress import Progress, Report
from core.training.fitting.loop import reestimate_batch_norm

#: Isola et al., section 3.3: Adam's first momentum is 0.5
_BETAS = (0.5, 0.999)
#: batches that the final statistics of batch norms are the mean of
_STATISTICS_FROM = 100


@dataclass(frozen=True)
class GameSettings:
    """How long and how: see `core.training.recipes.pix2pix.Pix2PixParameters`, whose names these are."""

    steps: int
    batch: int
    learning_rate: float
    decay_share: float
    l1_weight: float
    gan_weight: float
    crop: int
    jitter_pixels: int
    flip: bool


def play(
    generator: nn.Module,
    discriminator: nn.Module,
    inputs: torch.Tensor,
    targets: torch.Tensor,
    settings: GameSettings,
    random: np.random.Generator,
    report: Report,
) -> None:
    """Train both networks in place on pairs; the generator ends in evaluation mode with statistics of its own.

    Each step, the discriminator learns to tell the true answer from the made one (its loss halved, so that it learns
    the slower of the two), then the generator learns ``gan_weight · GAN + l1_weight · L1`` with the non-saturating GAN
    loss. `report` gets a history row (``step``, ``l1``, ``adversarial``, ``discriminator`` as running means) every
    tenth step.

    Parameters
    ----------
    generator, discriminator : torch.nn.Module
        On the device that trains.
    inputs, targets : torch.Tensor, float32, shape (N, C, rows, columns) and (N, C_out, rows, columns)
        Pairs in the network's range; batches are moved to the generator's device.
    settings : GameSettings
        How long and how.
    random : numpy.random.Generator
        Draws batches and jitter.
    report : Report
        Progress.

    Raises
    ------
    BadInput
        When a loss is no longer finite.
    """
    optimisers = [
        torch.optim.Adam(network.parameters(), lr=settings.learning_rate, betas=_BETAS)
        for network in (generator, discriminator)
    ]
    rates = [torch.optim.lr_scheduler.LambdaLR(optimiser, _decay(settings)) for optimiser in optimisers]
    device = next(generator.parameters()).device
    batches = jittered_batches(inputs, targets, settings, random, device)
    means: dict[str, float] = {}
    generator.train()
    discriminator.train()
    for step in range(1, settings.steps + 1):
        x, y = next(batches)
        made = generator(x)
        losses = {"discriminator": _discriminate(discriminator, optimisers[1], x, y, made.detach())}
        losses |= _generate(generator, discriminator, optimisers[0], x, y, made, settings)
        if not np.isfinite(list(losses.values())).all():
            raise BadInput(f"Training diverged at step {step}: choose a lower learning_rate.")
        for rate in rates:
            rate.step()
        means = {name: 0.98 * means.get(name, value) + 0.02 * value for name, value in losses.items()}
        if step % 10 == 0 or step == settings.steps:
            report(Progress(step / settings.steps, f"step {step} of {settings.steps}", {"step": float(step), **means}))
    reestimate_batch_norm(generator, (x for x, _ in batches), count=_STATISTICS_FROM)


def _discriminate(
    discriminator: nn.Module, optimiser: torch.optim.Optimizer, x: torch.Tensor, y: torch.Tensor, made: torch.Tensor
) -> float:
    """One step of the discriminator; its loss."""
    loss = (_judged(discriminator(x, y), real=True) + _judged(discriminator(x, made), real=False)) / 2
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()
    return float(loss.detach())


def _generate(
    generator: nn.Module,
    discriminator: nn.Module,
    optimiser: torch.optim.Optimizer,
    x: torch.Tensor,
    y: torch.Tensor,
    made: torch.Tensor,
    settings: GameSettings,
) -> dict[str, float]:
    """One step of the generator; the parts of its loss."""
    discriminator.requires_grad_(False)
    adversarial = _judged(discriminator(x, made), real=True)
    l1 = functional.l1_loss(made, y)
    optimiser.zero_grad(set_to_none=True)
    (settings.gan_weight * adversarial + settings.l1_weight * l1).backward()
    optimiser.step()
    discriminator.requires_grad_(True)
    return {"l1": float(l1.detach()), "adversarial": float(adversarial.detach())}


def _judged(logits: torch.Tensor, real: bool) -> torch.Tensor:
    """Cross-entropy of every patch called real (or made), averaged."""
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))


def jittered_batches(
    inputs: torch.Tensor,
    targets: torch.Tensor,
    settings: GameSettings,
    random: np.random.Generator,
    device: torch.device,
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Endless batches of pairs, every pair once in random order and again, input and target jittered alike.

    Jitter is Isola's: enlarged, cropped back at a random place, mirrored left to right by chance. Isola always enlarges
    by 30 pixels; here by 0 to `jitter_pixels`, so that structures of the size that a scan shows are trained on too.
    Images larger than `crop` are cropped to that many rows and columns, as IBIX does with its 480×480 slices.
    """
    order: list[int] = []
    while True:
        while len(order) < settings.batch:
            order += random.permutation(len(inputs)).tolist()
        chosen, order = order[: settings.batch], order[settings.batch :]
        pairs = [_jitter(torch.cat([inputs[i], targets[i]]), settings, random) for i in chosen]
        x, y = torch.stack(pairs).to(device).split([inputs.shape[1], targets.shape[1]], dim=1)
        yield x.contiguous(), y.contiguous()


def _jitter(pair: torch.Tensor, settings: GameSettings, random: np.random.Generator) -> torch.Tensor:
    rows, columns = (min(size, settings.crop) for size in pair.shape[1:])
    more = int(random.integers(0, settings.jitter_pixels + 1))
    if more:
        larger = (pair.shape[1] + more, pair.shape[2] + more)
        pair = functional.interpolate(pair[None], larger, mode="bilinear", align_corners=False)[0]
    top = int(random.integers(0, pair.shape[1] - rows + 1))
    left = int(random.integers(0, pair.shape[2] - columns + 1))
    pair = pair[:, top : top + rows, left : left + columns]
    return pair.flip(2) if settings.flip and random.random() < 0.5 else pair


def _decay(settings: GameSettings) -> Callable[[int], float]:
    """Factor of the learning rate: 1, then falling linearly to 0 over the last `decay_share` of the steps."""
    falling = max(settings.decay_share * settings.steps, 1)
    return lambda step: min(1.0, (settings.steps - step) / falling)
