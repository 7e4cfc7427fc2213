"""List what there is: explainers, models, recipes, studies, cohorts, benches and more."""

import argparse
import sys

from core.command_line.exit_codes import DONE
from core.command_line.listings import Row, kinds, rows
from core.command_line.terminal import only_results_on_stdout, print_json, print_table
from core.plugins import LeftOut


def add_options(parser: argparse.ArgumentParser) -> None:
    """Which kind."""
    parser.add_argument("kind", nargs="?", help=", ".join(kinds()))


def run(chosen: argparse.Namespace) -> int:
    """Every thing of a kind, and what of it is left out; without a kind, the kinds."""
    found: list[Row] = [{"name": kind} for kind in kinds()]
    left_out: list[LeftOut] = []
    if chosen.kind is not None:
        with only_results_on_stdout():
            found, left_out = rows(chosen.kind)
    for left in left_out:
        print(f"note: {left.sentence}", file=sys.stderr)
    if chosen.json:
        print_json(found)
        return DONE
    print_table([(row["name"], _about(row), f"({row['plugin']})" if row.get("plugin") else "") for row in found])
    return DONE


def _about(row: Row) -> str:
    """One line on a thing: what it is for people."""
    said = row.get("summary") or row.get("title") or ""
    return f"{row['task']}  {said}" if "task" in row else str(said)
