"""What the recipe "classifier" does: phantoms or a cohort, paper 1's network, its figures and its card."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.acceptance.statistics import chosen_rows
from core.cohorts.cohort import SPLITS, Cohort, Entry, split_by_subject
from core.cohorts.reading import read_cohort
from core.errors import BadInput
from core.metrics.classification import held_out_metrics, recalls
from core.models.card import Architecture, Card, InputContract, Training
from core.models.library import save_model
from core.models.trainable import FirstLook, Purpose, TrainableNetwork
from core.parameters import validate
from core.phantoms.grey_matter.cohort import phantom_cohort
from core.phantoms.grey_matter.generator import PhantomParameters
from core.progress import Progress, Report, part_of
from core.training.base import Recipe, model_name
from core.training.fitting.data import (
    Images,
    TrainingImages,
    grey_matter_support,
    healthy_mean,
    input_contract,
    load_images,
    load_parts,
    planted_on_grid,
    value_range,
)
from core.training.fitting.fills import fill_at_random
from core.training.fitting.healthy import PHANTOM_SUBJECTS, healthy_references, one_each
from core.training.fitting.held_out import keep_statistics
from core.training.fitting.loop import Schedule, optimise, probabilities, settle_batch_norm, unchanged
from core.training.fitting.networks import built, chosen_class, layers_of, planned, start
from core.training.fitting.swap import Swap, swap_test
from core.training.recipes.classifier.parameters import ClassifierParameters
from core.wording import class_titles


def train(recipe: Recipe, parameters: ClassifierParameters, cohort: Path | None, out: Path, report: Report) -> Card:
    """Train on `cohort` (or on phantoms) and write the model folder `out`; see `Recipe.train`."""
    cls = chosen_class(recipe.name, parameters, "classification")
    source = _source(parameters, cohort, report)
    torch.manual_seed(parameters.seed)
    data = _prepared(source, parameters, part_of(report, 0.0, 0.25))
    channels, *shape = data.train.tensor.shape[1:]
    purpose = Purpose("classification", len(shape), channels, tuple(shape), classes=len(data.classes))
    architecture = planned(cls, parameters, purpose, own={"dropout": "dropout"})
    network = built(architecture, purpose, data.train.tensor[:1])
    start(network, FirstLook(data.mean, *data.bounds))
    if data.train.tensor.ndim == 5:
        network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]  # not in torch's stubs
    _fit(network, data, parameters, part_of(report, 0.25, 0.95))

    if parameters.half:
        network.half().float()  # judge the weights that are stored
    metrics = _metrics(network, data, source, parameters)
    report(Progress(0.98, "writing the model"))
    subjects = parameters.healthy_subjects
    if subjects is None:
        subjects = PHANTOM_SUBJECTS if cohort is None else 0
    references = _references(data, subjects)
    described = _describe_data(source, len(data.train), cohort is None)
    training = recipe.record(parameters, out, described, with_cohort=cohort is not None)
    card = _card(
        model_name(out),
        data,
        architecture,
        layers_of(network, data.train.tensor[:1]),
        training,
        metrics,
        cohort is None,
        tuple(references),
    )
    save_model(out, card, network, references, half=parameters.half)
    drawn_by = (recipe, parameters) if cohort is None else None
    keep_statistics(out, card, network, TrainingImages.of(data.parts), part_of(report, 0.98, 1.0), drawn_by)
    return card


def training_images(
    parameters: ClassifierParameters, cohort: Path | None, card: Card, report: Report
) -> TrainingImages:
    """See `Recipe.training_images`."""
    source, samples = _source(parameters, cohort, report), math.prod(card.input.shape or (1,))
    kept: list[Entry] = []
    for split in SPLITS:
        part = source.part(split)
        rows = chosen_rows(len(part), samples, held_out=split != "train") if part else ()
        kept += [part[row] for row in rows]
    return TrainingImages.of(load_parts(replace(source, entries=tuple(kept)), card.classes, card.input, report))


def healthy_subjects(
    parameters: ClassifierParameters, cohort: Path | None, card: Card, count: int, report: Report
) -> list[np.ndarray]:
    """See `Recipe.healthy_subjects`."""
    source = _source(parameters, cohort, report)
    chosen = one_each([entry for entry in source.part("train") if entry.label == card.healthy], count)
    if not chosen:
        raise BadInput(f"The cohort has no scan of the healthy class {card.healthy} for training.")
    return list(load_images(source, chosen, card.classes, card.input, report).tensor[:, 0].numpy())


def _references(data: "_Data", subjects: int) -> dict[str, np.ndarray]:
    """What explainers need beside the weights; the same subjects that `healthy_subjects` finds."""
    healthy = [entry for entry in data.train.entries if entry.label == data.healthy]
    rows = [data.train.entries.index(entry) for entry in one_each(healthy, subjects)] if subjects else []
    return {
        "healthy_mean": data.mean[0].numpy(),
        "support": data.support.numpy().astype(np.float32),
        **healthy_references([data.train.tensor[row, 0].numpy() for row in rows]),
    }


@dataclass(frozen=True, eq=False)
class _Data:
    """What a network is trained and judged on.

    Parameters
    ----------
    classes : tuple of str
        The healthy one first.
    healthy, target : str
        The class that means nothing was found, and the one to explain.
    contract : InputContract
        What the network is fed.
    parts : dict of str to Images
        Scans of every split that has some; of training always.
    mean : torch.Tensor, shape (C, *spatial)
        Of the healthy training scans.
    support : torch.Tensor of bool, spatial
        Where masks may paint.
    """

    classes: tuple[str, ...]
    healthy: str
    target: str
    contract: InputContract
    parts: dict[str, Images]
    mean: torch.Tensor
    support: torch.Tensor

    @property
    def train(self) -> Images:
        """The scans for training."""
        return self.parts["train"]

    @property
    def target_index(self) -> int:
        """Which logit is the target's."""
        return self.classes.index(self.target)

    @property
    def bounds(self) -> tuple[float, float]:
        """Lowest and highest value that the network is fed."""
        return self.contract.intensity.low, self.contract.intensity.high

    @property
    def spacing(self) -> tuple[float, ...]:
        """Millimetres, or 1 where the contract leaves them open."""
        return self.contract.spacing_mm or (1.0,) * self.contract.dimensions


def _prepared(source: Cohort, parameters: ClassifierParameters, report: Report) -> _Data:
    classes = _ordered_classes(source, parameters)
    healthy, target = _healthy(classes, parameters), _target(classes, parameters)
    contract = input_contract(
        source.load(source.entries[0]),
        parameters.spacing_mm,
        parameters.plane,
        parameters.position_mm,
        None,
        parameters.space or ("MNI152" if parameters.spacing_mm else "other"),
    )
    parts = load_parts(source, classes, contract, report)
    if "train" not in parts:
        raise BadInput("The cohort has no scan for training: mark some with split = train, or leave split empty.")
    low, high = value_range(parts["train"].tensor)
    contract = contract.model_copy(
        update={"intensity": contract.intensity.model_copy(update={"low": low, "high": high})}
    )
    mean = healthy_mean(parts["train"], classes.index(healthy))
    support = _support(contract, mean, low, high, parameters)
    return _Data(classes, healthy, target, contract, parts, mean, support)


def _source(parameters: ClassifierParameters, folder: Path | None, report: Report) -> Cohort:
    if folder is not None:
        cohort = read_cohort(folder, parameters.selection)
        for note in cohort.notes:
            report(Progress(0.0, note))
        return split_by_subject(cohort, parameters.validation, parameters.test, parameters.seed)
    drawn = {
        "seed": parameters.seed,
        "spacing_mm": parameters.phantom_spacing_mm or parameters.spacing_mm,
        "twins": parameters.phantom_twins,
        "singles": parameters.phantom_singles,
        "blur_to_mm": parameters.phantom_blur_mm,
        "plane": parameters.plane,
        "position_mm": parameters.position_mm or 0.0,
    }
    return phantom_cohort(validate(PhantomParameters, drawn))


def _ordered_classes(cohort: Cohort, parameters: ClassifierParameters) -> tuple[str, ...]:
    """Healthy first: the class named so, else CN, else the first that is not to be explained."""
    names = sorted(cohort.classes)
    explained = parameters.target or ("AD" if "AD" in names else names[-1])
    healthy = parameters.healthy or ("CN" if "CN" in names else next(name for name in names if name != explained))
    if healthy not in names:
        raise BadInput(f"The healthy class {healthy!r} is not in the cohort; it has {', '.join(names)}.")
    return (healthy, *(name for name in names if name != healthy))


def _healthy(classes: tuple[str, ...], parameters: ClassifierParameters) -> str:
    return parameters.healthy or classes[0]


def _target(classes: tuple[str, ...], parameters: ClassifierParameters) -> str:
    target = parameters.target or ("AD" if "AD" in classes else classes[-1])
    if target not in classes:
        raise BadInput(f"The target class {target!r} is not in the cohort; it has {', '.join(classes)}.")
    return target


def _support(
    contract: InputContract, mean: torch.Tensor, low: float, high: float, parameters: ClassifierParameters
) -> torch.Tensor:
    if parameters.support == "template" and contract.affine is not None:
        return torch.from_numpy(grey_matter_support(contract))
    return mean.amax(dim=0) > low + 0.2 * (high - low)


def _fit(network: TrainableNetwork, data: _Data, parameters: ClassifierParameters, report: Report) -> None:
    fills = torch.Generator().manual_seed(parameters.seed + 1)
    random = np.random.default_rng(parameters.seed + 2)

    def fill(images: torch.Tensor) -> torch.Tensor:
        share = parameters.fill_share
        return fill_at_random(images, data.mean, data.support, data.spacing, data.bounds, share, fills)

    schedule = Schedule(
        steps=parameters.steps,
        plain_steps=round(parameters.plain_share * parameters.steps),
        batch=parameters.batch,
        learning_rate=parameters.learning_rate,
        gradient_clip=parameters.gradient_clip,
        slower=network.slower_weights(),
    )
    optimise(network, data.train, schedule, fill, random, report)
    settle_batch_norm(network, data.train, schedule, unchanged, random)


def _metrics(network: torch.nn.Module, data: _Data, cohort: Cohort, parameters: ClassifierParameters) -> dict[str, Any]:
    metrics: dict[str, Any] = {}
    for split in ("validation", "test"):
        if split in data.parts:
            held_out = data.parts[split]
            probability = probabilities(network, held_out.tensor)
            labels = held_out.labels.numpy()
            metrics[split] = held_out_metrics(probability, labels, data.target_index, parameters.seed)
            metrics[split]["recall"] = recalls(probability, labels, data.classes)
    planted = planted_on_grid(cohort, data.contract)
    if planted is not None and "test" in data.parts:
        test = data.parts["test"]
        random = torch.Generator().manual_seed(parameters.seed + 3)
        swap = Swap(planted > 0, data.mean, data.support, data.spacing)
        metrics["swap_test"] = swap_test(
            network, test.tensor[test.labels == data.target_index], data.target_index, swap, random
        )
    return metrics


def _card(
    name: str,
    data: _Data,
    architecture: Architecture,
    layers: tuple[tuple[str, ...], str | None],
    training: Training,
    metrics: dict[str, Any],
    synthetic: bool,
    references: tuple[str, ...],
) -> Card:
    return Card(
        name=name,
        title=name,
        task="classification",
        synthetic=synthetic,
        architecture=architecture,
        input=data.contract,
        classes=data.classes,
        class_titles=class_titles(data.classes),
        target=data.target,
        healthy=data.healthy,
        feature_layers=layers[0],
        attribution_layer=layers[1],
        references=references,
        training=training,
        metrics=metrics,
        license="Apache-2.0" if synthetic else "",
    )


def _describe_data(cohort: Cohort, scans: int, phantoms: bool) -> str:
    if phantoms:
        return f"{scans} synthetic grey-matter maps made from the MNI152 template; no person was scanned"
    missing = f"; {len(cohort.left_out)} rows of its table had no scan" if cohort.left_out else ""
    return f"{scans} scans of the cohort {cohort.name}{missing}"
