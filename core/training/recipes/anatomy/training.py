"""What the recipe "anatomy" does: films drawn or of a cohort, one of paper 3's networks, its figures and its card.

Kumar and Menkovski, "Understanding anatomy classification through visualization", 2016. The paper names the networks
(tables 2 to 4), the 90/10 split and the size of 224 pixels; how long, how fast and from which weights it trained is
not said. Here: Adam with one cycle of the learning rate, cross-entropy, and He's starting weights, from which the
deeper network, ten convolutions without batch norm, learns about twice as fast as from torch's own.
"""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from torch import nn

from core.cohorts.cohort import Cohort, split_by_subject
from core.cohorts.reading import read_cohort
from core.cohorts.selection import Selection
from core.errors import BadInput
from core.metrics.classification import film_metrics
from core.models.card import Architecture, Card, InputContract, Intensity, Training
from core.models.library import choose_device, save_model
from core.models.trainable import FirstLook, Purpose, TrainableNetwork
from core.models.zoo import build
from core.phantoms.radiographs.films import RadiographParameters, radiograph_cohort
from core.progress import Progress, Report, part_of
from core.training.base import Recipe, model_name
from core.training.fitting.augmentation import Augmentation
from core.training.fitting.data import Images, TrainingImages, load_images, load_parts
from core.training.fitting.held_out import keep_statistics
from core.training.fitting.loop import (
    Change,
    Schedule,
    batches_of,
    optimise,
    probabilities,
    settle_batch_norm,
    unchanged,
)
from core.training.fitting.networks import built, chosen_class, layers_of, planned, start
from core.training.recipes.anatomy.parameters import SHIFTED_SEED, AnatomyParameters
from core.wording import class_titles

_MODALITY = "X-ray film"
#: float32 numbers a weight costs in training: itself, its gradient, two means of Adam
_NUMBERS_A_WEIGHT = 4
_WORDS = {
    "shallow": "two convolutions and one hidden dense layer (table 2)",
    "deeper": "ten convolutions and two hidden dense layers (table 3)",
    "regularised": "ten convolutions and two hidden dense layers with batch norm and dropout (table 4)",
}


def train(recipe: Recipe, parameters: AnatomyParameters, cohort: Path | None, out: Path, report: Report) -> Card:
    """Train on `cohort` (or on phantoms) and write the model folder `out`; see `Recipe.train`."""
    cls = chosen_class(recipe.name, parameters, "classification")
    source = _source(parameters, cohort, report)
    classes = tuple(sorted(source.classes))
    purpose = Purpose("classification", 2, 1, (parameters.size, parameters.size), classes=len(classes))
    architecture = planned(cls, parameters, purpose, own={"network": "variant"})
    weights = count_weights(architecture, parameters.size)
    report(Progress(0.0, f"{weights:,} weights, {_megabytes(weights * (2 if parameters.half else 4))} on disk"))
    contract = _contract(parameters.size)
    parts = load_parts(source, classes, contract, part_of(report, 0.0, 0.15))

    torch.manual_seed(parameters.seed)
    train = parts["train"].tensor
    network = built(architecture, purpose, train[:1])
    start(network, FirstLook(train.mean(dim=0), contract.intensity.low, contract.intensity.high))
    network.to(choose_device())
    _fit(network, parts["train"], parameters, part_of(report, 0.15, 0.97))

    if parameters.half:
        network.half().float()  # judge the weights that are stored
    report(Progress(0.97, "judging held-out films"))
    metrics = {split: judge(network, part, classes) for split, part in parts.items() if split != "train"}
    if cohort is None and parameters.shifted_films:
        shifted = _shifted(parameters)
        films = load_images(shifted, shifted.entries, classes, contract, part_of(report, 0.97, 0.98))
        metrics["shifted"] = judge(network, films, classes)
    report(Progress(0.98, "writing the model"))
    data = _describe_data(source, len(parts["train"]), cohort is None)
    training = recipe.record(parameters, out, data, cohort is not None, weights=weights)
    card = _card(parameters, out, source, contract, architecture, layers_of(network, train[:1]), metrics, training)
    save_model(out, card, network, half=parameters.half)
    network.cpu()
    drawn_by = (recipe, parameters) if cohort is None else None
    keep_statistics(out, card, network, TrainingImages.of(parts), part_of(report, 0.98, 1.0), drawn_by)
    return card


def training_images(parameters: AnatomyParameters, cohort: Path | None, card: Card, report: Report) -> TrainingImages:
    """See `Recipe.training_images`."""
    return TrainingImages.of(load_parts(_source(parameters, cohort, report), card.classes, card.input, report))


def _source(parameters: AnatomyParameters, folder: Path | None, report: Report) -> Cohort:
    if folder is None:
        if parameters.selection != Selection():
            raise BadInput("No cohort is given and films are drawn: name a folder with --cohort, or choose no columns.")
        cohort = radiograph_cohort(_drawn(parameters))
    else:
        cohort = read_cohort(folder, parameters.selection)
        if cohort.load(cohort.entries[0]).dimensions != 2:
            raise BadInput("The recipe anatomy learns from films, and these are volumes: use the recipe classifier.")
    for note in cohort.notes:
        report(Progress(0.0, note))
    cohort = split_by_subject(cohort, parameters.validation, parameters.test, parameters.seed, one_session=False)
    _check_split(cohort, report)
    return cohort


def _drawn(parameters: AnatomyParameters) -> RadiographParameters:
    """Films no smaller than usual: a small network meets them scaled down, as it will meet others."""
    usual = RadiographParameters(seed=parameters.seed, films=parameters.films, marker=parameters.marker)
    return usual.model_copy(update={"size": max(parameters.size, usual.size)})


def _shifted(parameters: AnatomyParameters) -> Cohort:
    """Drawn films of other people, taken otherwise; a marker follows no class. The same for every network."""
    seed = SHIFTED_SEED if parameters.seed != SHIFTED_SEED else SHIFTED_SEED + 1
    changes = {"seed": seed, "films": parameters.shifted_films, "shifted": True, "marker": "random"}
    return radiograph_cohort(_drawn(parameters).model_copy(update=changes))


def _check_split(cohort: Cohort, report: Report) -> None:
    """Refuse what cannot be learnt; say what cannot be judged."""
    trained = {entry.label for entry in cohort.part("train")}
    missing = [name for name in sorted(cohort.classes) if name not in trained]
    if missing:
        raise BadInput(
            f"There is no film for training of {', '.join(missing)}: hold out fewer patients (test), or leave out "
            "classes with so few."
        )
    tested = {entry.label for entry in cohort.part("test")}
    untested = [name for name in sorted(cohort.classes) if name not in tested]
    if untested and tested:
        report(Progress(0.0, f"no film of {', '.join(untested)} is held out: their recall stays unknown"))


def _contract(size: int) -> InputContract:
    """Each film stretched to 0..1 by its own percentiles: exposure differs from film to film."""
    return InputContract(
        dimensions=2, shape=(size, size), intensity=Intensity(low=0, high=1, rescale="minmax"), modality=_MODALITY
    )


def count_weights(architecture: Architecture, size: int) -> int:
    """Weights of the network, without making it where its class allows that.

    Raises
    ------
    BadInput
        When films of `size` pixels are too small for it, or training it would take more memory than is free.
    """
    try:
        with torch.device("meta"):
            network = build(architecture.name, architecture.arguments)
    except BadInput:
        # a constructor that computes with its weights cannot do so without any; what else is wrong is said again
        network = build(architecture.name, architecture.arguments)
    weights = sum(parameter.numel() for parameter in network.parameters())
    needed, free = 4 * _NUMBERS_A_WEIGHT * weights, psutil.virtual_memory().available
    if needed > free:
        raise BadInput(
            f"At {size} pixels the network has {weights:,} weights and training takes {_megabytes(needed)} of memory; "
            f"{_megabytes(free)} are free: choose a smaller size, or another network."
        )
    return weights


def _megabytes(count: float) -> str:
    return f"{count / 1e6:,.1f} MB"


def _fit(network: TrainableNetwork, train: Images, parameters: AnatomyParameters, report: Report) -> None:
    random = np.random.default_rng([parameters.seed, 1])
    change: Change = Augmentation(parameters, parameters.seed + 2) if parameters.augmented else unchanged
    schedule = Schedule(
        steps=1,
        plain_steps=0,
        batch=parameters.batch,
        learning_rate=parameters.learning_rate,
        gradient_clip=parameters.gradient_clip,
        balanced=parameters.balanced,
        bfloat16=parameters.precision == "bfloat16",
        slower=network.slower_weights(),
    )
    a_batch = len(next(batches_of(train, schedule, random)))  # balanced, it is rounded up to as many of each class
    schedule = replace(schedule, steps=math.ceil(len(train) * parameters.epochs / a_batch))
    optimise(network, train, schedule, change, random, report)
    settle_batch_norm(network, train, schedule, change, random)


def judge(network: nn.Module, films: Images, classes: tuple[str, ...]) -> dict[str, Any]:
    """Metrics of `network` on `films`; see `core.metrics.classification.film_metrics`."""
    patients = [entry.participant_id for entry in films.entries]
    return film_metrics(probabilities(network, films.tensor), films.labels.numpy(), classes, patients)


def _describe_data(cohort: Cohort, films: int, drawn: bool) -> str:
    if drawn:
        return f"{films} drawn radiographs; no person was filmed"
    return " ".join([f"{films} films of the cohort {cohort.name}.", *cohort.notes])


def _card(
    parameters: AnatomyParameters,
    out: Path,
    cohort: Cohort,
    contract: InputContract,
    architecture: Architecture,
    layers: tuple[tuple[str, ...], str | None],
    metrics: dict[str, Any],
    training: Training,
) -> Card:
    classes = tuple(sorted(cohort.classes))
    name = model_name(out)
    papers = architecture.name == AnatomyParameters.model_fields["architecture"].default
    called = architecture.arguments["variant"] if papers else architecture.name
    made_of = _WORDS[called] if papers else f"the architecture {called}"
    trained = "films changed at random while training" if parameters.augmented else "trained on the films as they are"
    return Card(
        name=name,
        title=f"Anatomy, {called}{' with augmentation' if parameters.augmented else ''}: {name}",
        description=f"Tells {len(classes)} parts of the body apart on films: {made_of}, {trained}.",
        task="classification",
        synthetic=cohort.synthetic,
        architecture=architecture,
        input=contract,
        classes=classes,
        class_titles=class_titles(classes),
        feature_layers=layers[0],
        attribution_layer=layers[1],
        training=training,
        metrics=metrics,
        license="Apache-2.0" if cohort.synthetic else "",
    )
