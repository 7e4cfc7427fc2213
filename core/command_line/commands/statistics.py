"""Keep what a model was trained on: statistics beside its card, by which foreign scans are known."""

import argparse

from core.command_line.exit_codes import DONE
from core.command_line.options import add_cohort, cohort_folder, limit_threads
from core.command_line.terminal import as_figure, only_results_on_stdout, print_json, print_table, progress_line


def add_options(parser: argparse.ArgumentParser) -> None:
    """Model, and the cohort it was trained on."""
    parser.add_argument("model", help="library name or model folder; nothing but acceptance.safetensors is written")
    add_cohort(parser, "recipes")


def run(chosen: argparse.Namespace) -> int:
    """Look at the training scans, write the statistics, print how far held-out scans lie."""
    with only_results_on_stdout(), progress_line() as report:
        from core.training.statistics import make_statistics

        limit_threads()
        found = make_statistics(chosen.model, cohort_folder(chosen.cohort), report)
    rows = {
        name: {"held_out": len(group.held_out), "furthest": float(group.held_out.max()), "limit": found.limits[name]}
        for name, group in found.groups.items()
    }
    if chosen.json:
        print_json(rows)
        return DONE
    heading = ("signs", "held-out looks", "furthest", "limit")
    print_table([heading, *((name, *(as_figure(v) for v in row.values())) for name, row in rows.items())])
    return DONE
