"""Scans of a few healthy subjects beside a model, made without training it: fills that no mask was made with."""

from pathlib import Path

import numpy as np

from core.cohorts.reading import read_cohort
from core.errors import BadInput
from core.models.library import load_model, save_references
from core.models.model import Model
from core.progress import Progress, Report, part_of, silent
from core.training.base import get_recipe
from core.training.fitting.healthy import healthy_references, one_each, without_subjects


def make_healthy(model: str | Path, cohort: Path | None = None, subjects: int = 3, report: Report = silent) -> int:
    """Put scans of healthy subjects beside a model as its references ``healthy_1``, ``healthy_2`` …; weights stay.

    Parameters
    ----------
    model : str or pathlib.Path
        Library name or folder; ``references.safetensors`` and the list of references on the card are written anew.
    cohort : pathlib.Path, optional
        What it was trained on. None: its recipe draws the same phantoms again, from the seed on the card.
    subjects : int
        How many; 0 takes those away that are there.
    report : Report
        Progress.

    Returns
    -------
    int
        How many there are now: fewer where there are not as many healthy subjects.

    Raises
    ------
    BadInput
        When the model knows no healthy class or no grid, or its training scans cannot be had.
    """
    loaded = load_model(model, device="cpu")
    card = loaded.card
    if loaded.folder is None or not loaded.folder.is_dir():
        raise BadInput(f"The model {card.name} is no folder that references could be written to.")
    if card.healthy is None:
        raise BadInput(f"The card of {card.name} names no healthy class: there is no healthy tissue to keep.")
    if card.input.shape is None:
        raise BadInput(f"The card of {card.name} has no input.shape that references could lie on.")
    kept = without_subjects(loaded.references)
    found = _subjects(loaded, cohort, subjects, part_of(report, 0.0, 0.95)) if subjects else {}
    report(Progress(0.95, "writing"))
    save_references(loaded.folder, card, kept | found)
    return len(found)


def _subjects(model: Model, cohort: Path | None, count: int, report: Report) -> dict[str, np.ndarray]:
    card = model.card
    if card.training.recipe:
        recipe = get_recipe(card.training.recipe)
        known = recipe.parameters_model.model_fields
        values = {name: value for name, value in card.training.details.items() if name in known}
        found = recipe.healthy_subjects(recipe.parameters(values=values), cohort, card, count, report)
        if found is not None:
            return healthy_references(found)
    if cohort is None:
        raise BadInput(
            f"The card of {card.name} does not say how its training scans are drawn: give the cohort with --cohort."
        )
    return healthy_references(_of_a_cohort(model, cohort, count, report))


def _of_a_cohort(model: Model, folder: Path, count: int, report: Report) -> list[np.ndarray]:
    """Healthy scans of a folder, for a model that was trained elsewhere; of what is held out, none."""
    source = read_cohort(folder)
    entries = [entry for entry in source.entries if entry.label == model.card.healthy and entry.split in ("", "train")]
    if not entries:
        raise BadInput(f"The cohort {source.name} has no scan of the healthy class {model.card.healthy} for training.")
    found = []
    for number, entry in enumerate(one_each(entries, count)):
        report(Progress(number / count, f"reading {entry.participant_id}"))
        found.append(model.prepare(source.load(entry)).tensor[0, 0].cpu().numpy())
    return found
