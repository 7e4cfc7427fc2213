"""Measure, as ratios against named baselines."""

import argparse

from core.bench import bench_names
from core.command_line.exit_codes import DONE
from core.command_line.terminal import as_figure, only_results_on_stdout, print_json, print_table


def add_options(parser: argparse.ArgumentParser) -> None:
    """Which benchmark."""
    parser.add_argument("name", help=", ".join(bench_names()))


def run(chosen: argparse.Namespace) -> int:
    """Measure, print the rows."""
    with only_results_on_stdout():
        from core.bench import run_bench

        result = run_bench(chosen.name)
    if chosen.json:
        print_json(result)
        return DONE
    heading = ("what", "value", "baseline", "ratio", "unit")
    rows = [tuple(as_figure(row[key]) for key in heading) for row in result["rows"]]
    print_table([heading, *rows])
    return DONE
