"""What the recipe "pix2pix" does: pairs of a folder or drawn ones, a U-Net against a PatchGAN, figures and card."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from core.cohorts.pairs import PairCohort
from core.errors import BadInput
from core.metrics.difference import (
    SSIM_WINDOW,
    error_by_tissue,
    mean_absolute_error,
    structural_similarity,
)
from core.models.card import Architecture, Card, InputContract, OutputContract
from core.models.intensities import FULL_SCALE
from core.models.library import choose_device, save_model
from core.models.trainable import Purpose, TrainableNetwork
from core.models.zoo.patch_gan import PatchGAN
from core.phantoms.slices.ct import SlicePairsCT, mr_ct_cohort
from core.progress import Progress, Report, part_of
from core.scans.scan import Scan
from core.training.base import Recipe
from core.training.fitting.adversarial import GameSettings, play
from core.training.fitting.data import TrainingImages
from core.training.fitting.held_out import keep_statistics
from core.training.fitting.networks import built, chosen_class, layers_of, planned, start
from core.training.fitting.pairs import (
    Guess,
    PairTensors,
    answers,
    card_of_regressor,
    describe_pairs,
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
from core.training.recipes.pix2pix.parameters import Pix2PixParameters

#: range that IBIX clips CTs to, HU
_HU_RANGE = (-1024.0, 1250.0)
_PHANTOMS = "synthetic pairs of MR and CT slices made from the MNI152 templates"


def train(recipe: Recipe, parameters: Pix2PixParameters, cohort: Path | None, out: Path, report: Report) -> Card:
    """Train on the pairs of `cohort` (or on phantoms) and write the model folder `out`; see `Recipe.train`."""
    cls = chosen_class(recipe.name, parameters, "regression")
    source = _source(parameters, cohort, report)
    shown, true = source.load(source.pairs[0])
    if shown.dimensions != 2:
        raise BadInput("Pix2pix is trained on slices: save each slice of the volumes as an image of its own.")
    coloured = 3 if shown.colours is not None else shown.channels
    purpose = Purpose("regression", 2, parameters.channels or coloured, channels_out=true.channels)
    architecture = planned(cls, parameters, purpose, own={name: name for name in ("width", "levels", "dropout")})
    sees = _sees(parameters, source, shown, purpose, cls, architecture)
    output = _answers(parameters, source, true, cls)
    if cohort is None:
        sees = sees.model_copy(update={"spacing_mm": (1.0, 1.0)})
    target = target_contract(true, sees, output, physical=true.units not in FULL_SCALE)
    parts = load_parts(source, sees, target, output, part_of(report, 0.0, 0.1))

    train = parts["train"]
    torch.manual_seed(parameters.seed)
    device = choose_device()
    generator = built(architecture, purpose, train.inputs[:1])
    channels = sees.channels + output.channels
    discriminator = PatchGAN(channels, parameters.patch_width, parameters.patch_halvings)
    start(generator, first_look(train, cls.input_range))
    for network in (generator, discriminator):
        network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in torch's stubs
    random = np.random.default_rng([parameters.seed, 1])
    settings = _game(parameters)
    play(generator, discriminator, train.inputs, train.targets, settings, random, part_of(report, 0.1, 0.97))

    report(Progress(0.97, "judging held-out pairs"))
    if parameters.half:
        generator.half().float()  # judge the weights that are stored
    metrics = judge(generator, parts, output, parameters.seed)
    drawn = cohort is None
    data = describe_pairs(source, len(train), _PHANTOMS if drawn else None)
    training = recipe.record(parameters, out, data, with_cohort=not drawn)
    card = card_of_regressor(
        out, architecture, sees, output, layers_of(generator)[0], training, metrics, synthetic=drawn
    )
    save_model(out, card, generator, half=parameters.half)
    drawn_by = (recipe, parameters) if cohort is None else None
    keep_statistics(out, card, generator.cpu(), images_of(parts), part_of(report, 0.98, 1.0), drawn_by)
    return card


def training_images(parameters: Pix2PixParameters, cohort: Path | None, card: Card, report: Report) -> TrainingImages:
    """See `Recipe.training_images`."""
    return load_inputs(_source(parameters, cohort, report), card.input, report)


def _source(parameters: Pix2PixParameters, folder: Path | None, report: Report) -> PairCohort:
    if folder is not None:
        return find_pairs(folder, parameters, report)
    return mr_ct_cohort(
        SlicePairsCT(
            seed=parameters.seed,
            train=parameters.phantom_train,
            test=parameters.phantom_test,
            size=parameters.phantom_size,
        )
    )


def _sees(
    parameters: Pix2PixParameters,
    source: PairCohort,
    shown: Scan,
    purpose: Purpose,
    cls: type[TrainableNetwork],
    architecture: Architecture,
) -> InputContract:
    """What the network is fed, from the first image."""
    multiple = cls.multiple_of(architecture.arguments)
    if parameters.crop % multiple:
        raise BadInput(f"crop must be a multiple of {multiple}, which the network halves to 1: choose fewer levels.")
    sees = input_contract(shown, multiple, *cls.input_range, modality=f"{source.input_name} slice")
    return sees.model_copy(update={"channels": purpose.channels})


def _answers(
    parameters: Pix2PixParameters, source: PairCohort, true: Scan, cls: type[TrainableNetwork]
) -> OutputContract:
    """What the network answers, from the first target.

    A picture of grey levels holds no HU, whatever it shows: its range is its full scale.
    """
    picture = true.units in FULL_SCALE
    low, high = (0.0, FULL_SCALE[true.units]) if true.units in FULL_SCALE else _HU_RANGE
    low = low if parameters.target_low is None else parameters.target_low
    high = high if parameters.target_high is None else parameters.target_high
    if low >= high:
        raise BadInput(f"target_low {low:g} is not below target_high {high:g}.")
    network_low, network_high = cls.output_range
    return OutputContract(
        channels=true.channels,
        network_low=network_low,
        network_high=network_high,
        low=low,
        high=high,
        units=parameters.target_units or ("grey level" if picture else "HU"),
        modality=f"{source.target_name} slice",
    )


def _game(parameters: Pix2PixParameters) -> GameSettings:
    names = GameSettings.__dataclass_fields__
    return GameSettings(**{name: getattr(parameters, name) for name in names})


def judge(network: nn.Module, parts: dict[str, PairTensors], output: OutputContract, seed: int) -> dict[str, Any]:
    """Errors on held-out pairs, beside what two plainer guesses reach.

    The guesses, both from the training pairs: the mean target image (where it fits), and the mean target of each
    input intensity (inputs of one channel). MAE is in the card's units over the padded image, by IBIX's tissue
    classes where those units are HU; SSIM is the mean over pairs, its range the card's; intervals are over cases.
    """
    guesses: dict[str, Guess] = {"": lambda part: to_physical(answers(network, part.inputs), output)}
    guesses |= {f"_of_{name}": guess for name, guess in plain_guesses(parts["train"], output).items()}
    metrics: dict[str, Any] = {}
    for split in ("validation", "test"):
        if split in parts:
            part = parts[split]
            true = to_physical(part.targets, output)
            metrics[split] = {"pairs": len(part), "cases": len(set(part.cases))}
            for suffix, guess in guesses.items():
                metrics[split] |= _figures(suffix, guess(part), true, part.cases, output, seed)
    return metrics


def _figures(
    suffix: str, made: np.ndarray, true: np.ndarray, cases: tuple[str, ...], output: OutputContract, seed: int
) -> dict[str, Any]:
    """MAE and SSIM with intervals, MAE by tissue for HU; images (N, C, rows, columns)."""
    pairs = list(zip(made, true, strict=True))
    error, error_95 = mean_with_interval([mean_absolute_error(a, b) for a, b in pairs], cases, seed)
    found: dict[str, Any] = {f"mae{suffix}": round(error, 2), f"mae{suffix}_95": [round(v, 2) for v in error_95]}
    if output.units == "HU":
        by_tissue = error_by_tissue(made, true).items()
        found |= {f"mae_{tissue}{suffix}": round(value, 2) for tissue, value in by_tissue if np.isfinite(value)}
    if min(true.shape[2:]) >= SSIM_WINDOW:
        alike = [_similarity(a, b, output) for a, b in pairs]
        similarity, similarity_95 = mean_with_interval(alike, cases, seed)
        found |= {f"ssim{suffix}": round(similarity, 4), f"ssim{suffix}_95": [round(v, 4) for v in similarity_95]}
    return found


def _similarity(made: np.ndarray, true: np.ndarray, output: OutputContract) -> float:
    """Mean SSIM over the channels of one pair."""
    channels = zip(made, true, strict=True)
    return float(np.mean([structural_similarity(a, b, output.low, output.high) for a, b in channels]))
