"""What a model was trained on, kept beside its card: with held-out phantoms that are drawn for nothing else."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from core.acceptance import learn, write_statistics
from core.acceptance.statistics import chosen_rows
from core.errors import BadInput
from core.models.card import Card
from core.progress import Progress, Report, part_of
from core.training.base import Recipe
from core.training.fitting.data import TrainingImages

#: Held-out scans from which limits are told well: a few in a hundred of them are beyond.
_ENOUGH_HELD_OUT = 400


def with_fresh(images: TrainingImages, recipe: Recipe, parameters: Any, card: Card, report: Report) -> TrainingImages:
    """`images` with so many more held-out phantoms that limits can be told: as many as were trained on, or enough.

    Parameters
    ----------
    images : TrainingImages
        What the recipe drew for the model.
    recipe, parameters, card, report
        As in `Recipe.training_images`; there was no cohort.
    """
    held_out = images.held_out
    wanted = min(len(chosen_rows(len(images.train), images.train[0].numel())), _ENOUGH_HELD_OUT)
    missing = wanted - (0 if held_out is None else len(held_out))
    settings = recipe.drawn_anew(parameters, missing) if missing > 0 else None
    found = recipe.training_images(settings, None, card, report) if settings is not None else None
    if found is None:
        return images
    every = [part for part in (held_out, found.train, found.held_out) if part is not None]
    return replace(images, held_out=torch.cat(every))


def keep_statistics(
    out: Path,
    card: Card,
    network: torch.nn.Module,
    images: TrainingImages,
    report: Report,
    drawn_by: tuple[Recipe, Any] | None = None,
) -> None:
    """Write what the model in `out` was trained on beside its card, where there is enough of it.

    With `drawn_by`, a recipe and its settings without a cohort, held-out phantoms are added; see `with_fresh`.
    """
    try:
        if drawn_by is not None:
            images = with_fresh(images, *drawn_by, card, part_of(report, 0.0, 0.7))
            report = part_of(report, 0.7, 1.0)
        found = learn(network, card, images.train, images.held_out, images.labels, report)
    except BadInput as reason:
        report(Progress(1.0, f"no statistics are kept: {reason}"))
        return
    write_statistics(found, out)
    report(Progress(1.0, "written"))
