"""Keep scans of a few healthy subjects beside a model: the mask's swap test then has a fill of its own."""

import argparse

from core.command_line.exit_codes import DONE
from core.command_line.options import add_cohort, cohort_folder, limit_threads
from core.command_line.terminal import only_results_on_stdout, print_json, progress_line
from core.errors import BadInput


def add_options(parser: argparse.ArgumentParser) -> None:
    """Model, the cohort it was trained on, and how many subjects."""
    parser.add_argument("model", help="library name or model folder; its references are written anew, no weight is")
    add_cohort(parser, "recipes")
    parser.add_argument("--subjects", type=int, default=3, help="how many, 0 to 20; their scans leave with the model")


def run(chosen: argparse.Namespace) -> int:
    """Draw or read the scans again, write them, print how many there are."""
    if not 0 <= chosen.subjects <= 20:
        raise BadInput(f"--subjects takes 0 to 20 (given: {chosen.subjects}).")
    with only_results_on_stdout(), progress_line() as report:
        from core.training.healthy import make_healthy

        limit_threads()
        found = make_healthy(chosen.model, cohort_folder(chosen.cohort), chosen.subjects, report)
    if chosen.json:
        print_json({"healthy_subjects": found})
    else:
        print(f"{found} healthy subject{'' if found == 1 else 's'} beside {chosen.model}.")
    return DONE
