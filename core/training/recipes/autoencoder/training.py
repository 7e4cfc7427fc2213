"""What the recipe "autoencoder" does: pairs of a folder or drawn ones, IBIX's autoencoder, its figures and its card."""

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from core.cohorts.pairs import PairCohort
from core.errors import BadInput
from core.metrics.difference import mean_squared_error
from core.models.card import Card, OutputContract, Training
from core.models.library import save_model
from core.models.trainable import Purpose, TrainableNetwork
from core.phantoms.slices.mr import SlicePairs, t1_t2_cohort
from core.progress import Progress, Report, part_of
from core.scans.scan import Scan
from core.training.base import Recipe
from core.training.fitting.data import TrainingImages
from core.training.fitting.held_out import keep_statistics
from core.training.fitting.networks import built, chosen_class, layers_of, planned, start
from core.training.fitting.pairs import (
    PairTensors,
    answers,
    card_of_regressor,
    describe_pairs,
    epoch_batches,
    find_pairs,
    first_look,
    images_of,
    input_contract,
    load_inputs,
    load_parts,
    mean_with_interval,
    plain_guesses,
    target_contract,
    to_physical,
)
from core.training.recipes.autoencoder.parameters import AutoencoderParameters

#: pairs that go through the network at once
_CHUNK = 8
_PHANTOMS = "synthetic pairs of T1 and T2 slices made from the MNI152 templates"


def train(recipe: Recipe, parameters: AutoencoderParameters, cohort: Path | None, out: Path, report: Report) -> Card:
    """Train on the pairs of `cohort` (or on phantoms) and write the model folder `out`; see `Recipe.train`."""
    cls = chosen_class(recipe.name, parameters, "regression")
    source = _source(parameters, cohort, report)
    shown, true = source.load(source.pairs[0])
    purpose = Purpose("regression", 2 if shown.dimensions == 2 else 3, shown.channels, channels_out=true.channels)
    architecture = planned(cls, parameters, purpose, own={"widths": "widths"})
    multiple = cls.multiple_of(architecture.arguments)
    sees = input_contract(shown, multiple, *cls.input_range, modality=_kind(source.input_name, shown))
    if shown.dimensions == 2 and cohort is None:
        sees = sees.model_copy(update={"spacing_mm": (1.0, 1.0)})
    low, high = cls.output_range
    output = OutputContract(
        channels=true.channels,
        network_low=low,
        network_high=high,
        units="signal",
        modality=_kind(source.target_name, true),
    )
    parts = load_parts(source, sees, target_contract(true, sees, output), output, part_of(report, 0.0, 0.1))

    torch.manual_seed(parameters.seed)
    network = built(architecture, purpose, parts["train"].inputs[:1])
    if parameters.weights is not None:
        load_starting_weights(network, parameters.weights)
    best = fit(network, parts["train"], parts.get("validation"), parameters, part_of(report, 0.1, 0.97))

    report(Progress(0.97, "judging held-out pairs"))
    metrics = judge(network, parts, output, parameters.seed)
    if best is not None:
        metrics["best_epoch"] = best.epoch
    training = _training(recipe, parameters, out, source, len(parts["train"]), cohort is None)
    synthetic = cohort is None and parameters.weights is None
    layers, _ = layers_of(network)
    card = card_of_regressor(out, architecture, sees, output, layers, training, metrics, synthetic)
    save_model(out, card, network)
    drawn_by = (recipe, parameters) if cohort is None else None
    keep_statistics(out, card, network.cpu(), images_of(parts), part_of(report, 0.98, 1.0), drawn_by)
    return card


def training_images(
    parameters: AutoencoderParameters, cohort: Path | None, card: Card, report: Report
) -> TrainingImages:
    """See `Recipe.training_images`."""
    return load_inputs(_source(parameters, cohort, report), card.input, report)


def _kind(name: str, example: Scan) -> str:
    return f"{name} {'slice' if example.dimensions == 2 else 'volume'}"


def _source(parameters: AutoencoderParameters, folder: Path | None, report: Report) -> PairCohort:
    if folder is not None:
        return find_pairs(folder, parameters, report)
    held_out = parameters.phantom_held_out
    return t1_t2_cohort(
        SlicePairs(
            seed=parameters.seed,
            train=parameters.phantom_train,
            validation=held_out,
            test=held_out,
            rows=parameters.phantom_rows,
            columns=parameters.phantom_columns,
        )
    )


def load_starting_weights(network: nn.Module, path: Path) -> None:
    """Put the tensors of a safetensors file into `network`: the IBIX authors' file fits as it is.

    Their Keras kernels, stored (rows, columns, in, out), must be turned to (out, in, rows, columns) before.

    Raises
    ------
    BadInput
        When the file is missing, is no safetensors file, or its tensors do not fit.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        network.load_state_dict(load_file(path))
    except FileNotFoundError as error:
        raise BadInput(f"The weights file {path.name} is not there.") from error
    except (SafetensorError, OSError) as error:
        raise BadInput(f"{path.name} is not a safetensors file.") from error
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise BadInput(f"The weights in {path.name} do not fit this network: {reason}") from error


@dataclass(frozen=True, eq=False)
class Best:
    """The epoch whose weights were kept (counted from 1) and its validation error."""

    epoch: int
    error: float


def fit(
    network: TrainableNetwork,
    train: PairTensors,
    validation: PairTensors | None,
    parameters: AutoencoderParameters,
    report: Report,
) -> Best | None:
    """Train `network` in place; it ends with the weights of the lowest validation error, or the last without one.

    `report` gets a history row an epoch: ``epoch``, ``loss`` (training, as it goes) and ``validation``, all MSE.

    Raises
    ------
    BadInput
        When the loss is no longer finite.
    """
    if not parameters.epochs:
        return None
    if parameters.weights is None:
        start(network, first_look(train, network.input_range))
    layout = torch.channels_last if train.inputs.ndim == 4 else torch.channels_last_3d
    network.to(memory_format=layout)  # type: ignore[call-overload]  # not in torch's stubs
    random = np.random.default_rng([parameters.seed, 1])
    optimiser = torch.optim.NAdam(network.parameters(), lr=parameters.learning_rate)
    best, kept = None, None
    for epoch in range(1, parameters.epochs + 1):
        for group in optimiser.param_groups:
            group["lr"] = _learning_rate(parameters, epoch)
        row = {"epoch": float(epoch), "loss": _train_epoch(network, train, optimiser, parameters.batch, random, epoch)}
        if validation is not None:
            error = float(functional.mse_loss(answers(network, validation.inputs), validation.targets))
            row["validation"] = error
            if best is None or error < best.error:
                best, kept = Best(epoch, error), copy.deepcopy(network.state_dict())
        report(Progress(epoch / parameters.epochs, f"epoch {epoch} of {parameters.epochs}", row))
        if parameters.patience and best is not None and epoch - best.epoch >= parameters.patience:
            break
    if kept is not None:
        network.load_state_dict(kept)
    network.eval()
    return best


def _train_epoch(
    network: nn.Module,
    train: PairTensors,
    optimiser: torch.optim.Optimizer,
    batch: int,
    random: np.random.Generator,
    epoch: int,
) -> float:
    """One pass; mean loss over the pairs."""
    network.train()
    total = 0.0
    for chosen in epoch_batches(len(train), batch, random):
        optimiser.zero_grad(set_to_none=True)
        # the gradient of a batch is the sum over its parts, which fit the processor's cache better than the whole
        for part in chosen.split(_CHUNK):
            loss = functional.mse_loss(network(_in_layout(train.inputs[part])), train.targets[part])
            if not torch.isfinite(loss):
                raise BadInput(f"Training diverged in epoch {epoch}: choose a lower learning_rate.")
            (loss * (len(part) / len(chosen))).backward()
            total += float(loss.detach()) * len(part)
        optimiser.step()
    return total / len(train)


def _in_layout(images: torch.Tensor) -> torch.Tensor:
    """Channels last in memory: the same values, twice as fast through small convolutions."""
    return images.contiguous(memory_format=torch.channels_last if images.ndim == 4 else torch.channels_last_3d)


def _learning_rate(parameters: AutoencoderParameters, epoch: int) -> float:
    if parameters.schedule == "constant":
        return parameters.learning_rate
    done = (epoch - 1) / parameters.epochs
    return parameters.learning_rate * (0.01 + 0.99 * (1 + float(np.cos(np.pi * done))) / 2)


def judge(network: nn.Module, parts: dict[str, PairTensors], output: OutputContract, seed: int) -> dict[str, Any]:
    """Mean squared error on every split, held-out ones beside what plainer guesses reach.

    The guesses, both from the training pairs: the mean target image, and the mean target of each input intensity
    (inputs of one channel). Errors are in the card's units squared, over the padded image, intervals over cases.
    """
    guesses = plain_guesses(parts["train"], output)
    metrics: dict[str, Any] = {}
    for split, part in parts.items():
        true = to_physical(part.targets, output)
        made = to_physical(answers(network, part.inputs), output)
        metrics[split] = {"pairs": len(part), "cases": len(set(part.cases)), **_error("mse", made, true, part, seed)}
        if split == "train":
            continue
        for name, guess in guesses.items():
            metrics[split] |= _error(f"mse_of_{name}", guess(part), true, part, seed)
    return metrics


def _error(name: str, made: np.ndarray, true: np.ndarray, part: PairTensors, seed: int) -> dict[str, Any]:
    errors = [mean_squared_error(a, b) for a, b in zip(made, true, strict=True)]
    mean, interval = mean_with_interval(errors, part.cases, seed)
    return {name: round(mean, 6), f"{name}_95": [round(v, 6) for v in interval]}


def _training(
    recipe: Recipe, parameters: AutoencoderParameters, out: Path, source: PairCohort, trained: int, phantoms: bool
) -> Training:
    data = describe_pairs(source, trained, _PHANTOMS if phantoms else None)
    details = {}
    if parameters.weights is not None:
        file = parameters.weights.name  # a card goes to other machines: no paths
        details["weights"] = file
        data = f"{data}; started from {file}" if parameters.epochs else f"weights of {file}, trained elsewhere"
    return recipe.record(parameters, out, data, not phantoms, **details)
