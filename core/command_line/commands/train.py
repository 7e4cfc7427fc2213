"""Train a model."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from core.command_line.exit_codes import DONE
from core.command_line.keeping import Keeping, keeping
from core.command_line.options import (
    add_cohort,
    add_keeping,
    add_parameters,
    cohort_folder,
    given_only,
    key_values,
    limit_threads,
    writable_folder,
)
from core.command_line.terminal import only_results_on_stdout, print_json, progress_line
from core.models.card import Card
from core.progress import Report

if TYPE_CHECKING:
    from core.runs.kinds.training import TrainingSpec


def add_options(parser: argparse.ArgumentParser) -> None:
    """Recipe with its settings, cohort, and where the model goes."""
    parser.add_argument("recipe", help="name of a recipe")
    add_cohort(parser, "recipes")
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")
    add_parameters(parser)
    add_keeping(parser)


def run(chosen: argparse.Namespace) -> int:
    """Train, write the model folder, print its metrics."""
    with only_results_on_stdout(), writable_folder(chosen.out), progress_line() as report:
        from core.runs.kinds.training import TrainingSpec
        from core.training import get_recipe

        recipe = get_recipe(chosen.recipe)
        values = key_values(chosen.param)
        parameters = recipe.parameters(values=values)
        cohort = cohort_folder(chosen.cohort)
        with keeping(chosen.store, chosen.again) as kept:
            if kept is not None:
                asked = {"parameters": given_only(parameters, values), "out": chosen.out.resolve()}
                asked["cohort"] = cohort.resolve() if cohort is not None else None
                card = _of_a_run(kept, TrainingSpec(recipe=chosen.recipe, **asked), report)
            else:
                limit_threads()
                card = recipe.train(parameters, cohort, chosen.out, report)
    if chosen.json:
        print_json(card.model_dump(mode="json"))
        return DONE
    print(f"Written: {card.title} in {chosen.out}")
    for name, value in card.metrics.items():
        print(f"    {name}: {value}")
    return DONE


def _of_a_run(kept: Keeping, spec: "TrainingSpec", report: Report) -> Card:
    """Card of the model that a run that answers has written."""
    from core.runs.kinds.training import RECORD

    record = json.loads((kept.shelf.result(kept.answer(spec, report)) / RECORD).read_text(encoding="utf-8"))
    return Card.model_validate(record["card"])
