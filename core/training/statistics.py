"""Statistics of a model's training scans, made again without training it."""

from pathlib import Path

import torch

from core.acceptance import learn, write_statistics
from core.acceptance.statistics import Statistics
from core.cohorts.reading import read_cohort
from core.errors import BadInput
from core.models.library import load_model
from core.models.model import Model
from core.progress import Progress, Report, part_of, silent
from core.training.base import get_recipe
from core.training.fitting.data import TrainingImages
from core.training.fitting.held_out import with_fresh


def make_statistics(model: str | Path, cohort: Path | None = None, report: Report = silent) -> Statistics:
    """Look at a model's training scans again and keep what they were like beside its card.

    Parameters
    ----------
    model : str or pathlib.Path
        Library name or folder; ``acceptance.safetensors`` is written there.
    cohort : pathlib.Path, optional
        What it was trained on. None: its recipe draws the same phantoms again, from the seed on the card.
    report : Report
        Progress.

    Raises
    ------
    BadInput
        When the training scans cannot be had.
    """
    loaded = load_model(model, device="cpu")
    if loaded.folder is None or not loaded.folder.is_dir():
        raise BadInput(f"The model {loaded.card.name} is no folder that statistics could be written to.")
    images = _training_images(loaded, cohort, part_of(report, 0.0, 0.6))
    found = learn(loaded.network, loaded.card, images.train, images.held_out, images.labels, part_of(report, 0.6, 1.0))
    write_statistics(found, loaded.folder)
    return found


def _training_images(model: Model, cohort: Path | None, report: Report) -> TrainingImages:
    card = model.card
    if card.training.recipe:
        recipe = get_recipe(card.training.recipe)
        known = recipe.parameters_model.model_fields
        values = {name: value for name, value in card.training.details.items() if name in known}
        parameters = recipe.parameters(values=values)
        found = recipe.training_images(parameters, cohort, card, part_of(report, 0.0, 0.6))
        if found is not None:
            return found if cohort is not None else with_fresh(found, recipe, parameters, card, report)
    if cohort is None:
        raise BadInput(
            f"The card of {card.name} does not say how its training scans are drawn: give the cohort with --cohort."
        )
    return _of_a_cohort(model, cohort, report)


def _of_a_cohort(model: Model, folder: Path, report: Report) -> TrainingImages:
    """Every scan of a folder, for a model that was trained elsewhere."""
    source = read_cohort(folder)
    tensors, labels = [], []
    for number, entry in enumerate(source.entries):
        report(Progress(number / len(source.entries), f"reading {entry.participant_id}"))
        tensors.append(model.prepare(source.load(entry)).tensor)
        labels.append(entry.label)
    names = sorted(set(labels))
    return TrainingImages(torch.cat(tensors), None, torch.tensor([names.index(label) for label in labels]))
