"""The optimisation: batches, one-cycle Adam, images changed at random, batch-norm statistics re-estimated."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from core.errors import BadInput
from core.progress import Progress, Report
from core.training.fitting.data import Images

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
#: What is done to a batch before the network sees it: random fills, augmentation.
Change = Callable[[torch.Tensor], torch.Tensor]
Item = TypeVar("Item")


def unchanged(images: torch.Tensor) -> torch.Tensor:
    """The `Change` that does nothing."""
    return images


@dataclass(frozen=True)
class Schedule:
    """How long and how fast: `steps` batches of `batch` images, changed from step `plain_steps` on.

    Parameters
    ----------
    steps, plain_steps, batch : int
        See above.
    learning_rate : float
        Peak of the one cycle.
    gradient_clip : float
        Longest gradient (2-norm over all weights).
    balanced : bool
        Every batch holds every class in equal number; else every image comes once a round.
    bfloat16 : bool
        Convolutions and products are taken in that type; the weights stay float32.
    slower : mapping of str to float
        Name of weights → their rate as a share of the others'.
    """

    steps: int
    plain_steps: int
    batch: int
    learning_rate: float
    gradient_clip: float
    balanced: bool = True
    bfloat16: bool = False
    slower: Mapping[str, float] = field(default_factory=dict)


def optimise(
    network: nn.Module, images: Images, schedule: Schedule, change: Change, random: np.random.Generator, report: Report
) -> None:
    """Train `network` in place on `images`; cross-entropy, Adam with a one-cycle learning rate.

    It is trained on the device that holds it; `change` gets the batch there.

    `report` gets a history row (``step``, ``loss``, ``accuracy`` as running means) every tenth step.

    Raises
    ------
    BadInput
        When the loss is no longer finite.
    """
    optimiser = torch.optim.Adam(_groups(network, schedule))
    peaks = [group["lr"] for group in optimiser.param_groups]
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, peaks, total_steps=schedule.steps)
    batches = batches_of(images, schedule, random)
    device = device_of(network)
    mean_loss = mean_accuracy = None
    network.train()
    for step in range(schedule.steps):
        chosen = next(batches)
        x, labels = images.tensor[chosen].to(device), images.labels[chosen].to(device)
        if step >= schedule.plain_steps:
            x = change(x)
        with torch.autocast(device.type, torch.bfloat16, enabled=schedule.bfloat16):
            logits = network(x)
        logits = logits.float()
        loss = functional.cross_entropy(logits, labels)
        if not torch.isfinite(loss):
            raise BadInput(f"Training diverged at step {step + 1}: choose a lower learning_rate.")
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        # one exploding batch must not end the run: its direction is kept, its length is not
        nn.utils.clip_grad_norm_(network.parameters(), schedule.gradient_clip, error_if_nonfinite=False)
        optimiser.step()
        cycle.step()
        accuracy = float((logits.argmax(1) == labels).float().mean())
        mean_loss = _running(mean_loss, float(loss.detach()))
        mean_accuracy = _running(mean_accuracy, accuracy)
        if step % 10 == 9 or step == schedule.steps - 1:
            row = {"step": step + 1.0, "loss": mean_loss, "accuracy": mean_accuracy}
            report(Progress((step + 1) / schedule.steps, f"step {step + 1} of {schedule.steps}", row))


def _groups(network: nn.Module, schedule: Schedule) -> list[dict[str, Any]]:
    """Weights by their learning rate."""
    by_rate: dict[float, list[nn.Parameter]] = {}
    for name, weights in network.named_parameters():
        by_rate.setdefault(schedule.learning_rate * schedule.slower.get(name, 1.0), []).append(weights)
    return [{"params": weights, "lr": rate} for rate, weights in by_rate.items()]


def balanced_batches(images: Images, batch: int, random: np.random.Generator) -> Iterator[torch.Tensor]:
    """Endless batches of indices with every class in equal number; pairs (twins) come side by side.

    Raises
    ------
    BadInput
        When a class has no training scan.
    """
    labels = images.labels.numpy()
    classes = range(int(labels.max()) + 1)
    if any(not np.any(labels == c) for c in classes):
        raise BadInput("A class has no scan for training: put subjects of every class into the training split.")
    sessions: dict[str, list[int]] = {}
    for index, entry in enumerate(images.entries):
        if entry.pair:
            sessions.setdefault(f"{entry.pair}/{entry.session_id}", []).append(index)
    pairs = [members for members in sessions.values() if {int(labels[i]) for i in members} == set(classes)]
    # whole tuples (one of each class) are drawn: twins where the cohort has them, strangers where not
    tuples: Iterator[Sequence[int]]
    if pairs:
        tuples = _endless(pairs, random)
    else:
        members = [np.flatnonzero(labels == c).tolist() for c in classes]
        tuples = zip(*(_endless(of_class, random) for of_class in members), strict=True)
    while True:
        chosen: list[int] = []
        while len(chosen) < batch:
            chosen += [int(i) for i in next(tuples)]
        yield torch.tensor(chosen)


def plain_batches(images: Images, batch: int, random: np.random.Generator) -> Iterator[torch.Tensor]:
    """Endless batches of indices, every image once a round, whatever its class."""
    one_by_one = _endless(range(len(images)), random)
    while True:
        yield torch.tensor([next(one_by_one) for _ in range(batch)])


def batches_of(images: Images, schedule: Schedule, random: np.random.Generator) -> Iterator[torch.Tensor]:
    """Endless batches of indices, drawn as `schedule` says: `balanced_batches` or `plain_batches`."""
    return (balanced_batches if schedule.balanced else plain_batches)(images, schedule.batch, random)


def settle_batch_norm(
    network: nn.Module, images: Images, schedule: Schedule, change: Change, random: np.random.Generator
) -> None:
    """Re-estimate batch norm over about as many images as there are, at most 100 batches, drawn and changed anew."""
    device = device_of(network)
    batches = (change(images.tensor[chosen].to(device)) for chosen in batches_of(images, schedule, random))
    reestimate_batch_norm(network, batches, count=max(min(len(images) // schedule.batch, 100), 1))


@torch.no_grad()
def reestimate_batch_norm(network: nn.Module, batches: Iterator[torch.Tensor], count: int) -> None:
    """Replace the running statistics of every batch norm by their plain mean over `count` batches; leaves eval mode.

    The running statistics of training follow the last few small batches; with them a network that ranks scans
    perfectly can still put all of them into one class.
    """
    norms = [module for module in network.modules() if isinstance(module, _NORMS)]
    momenta = [norm.momentum for norm in norms]
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # cumulative mean
        norm.train()
    for _ in range(count):
        network(next(batches))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.eval()


@torch.no_grad()
def probabilities(network: nn.Module, tensor: torch.Tensor, chunk: int = 4) -> np.ndarray:
    """Softmax of the logits, float64, shape (N, classes); the network is in eval mode."""
    network.eval()
    device = device_of(network)
    parts = [torch.softmax(network(part.to(device)).double(), dim=1) for part in tensor.split(chunk)]
    return torch.cat(parts).cpu().numpy()


def device_of(network: nn.Module) -> torch.device:
    """Where the weights are; the CPU, where images are made, for a network without any."""
    first = next(network.parameters(), None)
    return first.device if first is not None else torch.device("cpu")


def _endless(items: Sequence[Item], random: np.random.Generator) -> Iterator[Item]:
    """Every item once in random order, again and again."""
    while True:
        for index in random.permutation(len(items)):
            yield items[index]


def _running(mean: float | None, value: float) -> float:
    return value if mean is None else 0.98 * mean + 0.02 * value
