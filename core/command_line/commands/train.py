"""Train a model."""

import argparse
from pathlib import Path

from core.command_line.exit_codes import DONE
from core.command_line.options import (
    add_cohort,
    add_parameters,
    cohort_folder,
    key_values,
    limit_threads,
    writable_folder,
)
from core.command_line.terminal import only_results_on_stdout, print_json, progress_line


def add_options(parser: argparse.ArgumentParser) -> None:
    """Recipe with its settings, cohort, and where the model goes."""
    parser.add_argument("recipe", help="name of a recipe")
    add_cohort(parser, "recipes")
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")
    add_parameters(parser)


def run(chosen: argparse.Namespace) -> int:
    """Train, write the model folder, print its metrics."""
    with only_results_on_stdout(), writable_folder(chosen.out), progress_line() as report:
        from core.training import get_recipe

        recipe = get_recipe(chosen.recipe)
        parameters = recipe.parameters(values=key_values(chosen.param))
        cohort = cohort_folder(chosen.cohort)
        limit_threads()
        card = recipe.train(parameters, cohort, chosen.out, report)
    if chosen.json:
        print_json(card.model_dump(mode="json"))
        return DONE
    print(f"Written: {card.title} in {chosen.out}")
    for name, value in card.metrics.items():
        print(f"    {name}: {value}")
    return DONE
