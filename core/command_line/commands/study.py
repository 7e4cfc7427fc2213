"""Many explanations, one question."""

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
from core.command_line.terminal import (
    as_figure,
    only_results_on_stdout,
    print_json,
    print_remarks,
    print_table,
    progress_line,
)
from core.errors import BadInput


def add_options(parser: argparse.ArgumentParser) -> None:
    """Study with its settings, model, cohort, and where the record goes."""
    parser.add_argument("name", help="name of a study")
    parser.add_argument("--model", help="library name or model folder")
    add_cohort(parser, "studies")
    parser.add_argument("--out", type=Path, help="folder for study.json and what the study makes")
    add_parameters(parser)


def run(chosen: argparse.Namespace) -> int:
    """Do the study, print its sentence and numbers."""
    with only_results_on_stdout(), progress_line() as report:
        from core.models import load_model
        from core.studies import get_study

        study = get_study(chosen.name)
        for option in ("model", "out", *(["cohort"] if study.needs_cohort else [])):
            if getattr(chosen, option) is None:
                raise BadInput(f"A study needs --{option}: --help tells what it is.")
        parameters = study.parameters(values=key_values(chosen.param))
        cohort = cohort_folder(chosen.cohort)
        with writable_folder(chosen.out) as out:
            model = load_model(chosen.model)
            limit_threads()
            record = study().run(parameters, model, cohort, out, report)
    if chosen.json:
        print_json(record)
        return DONE
    print(record["sentence"])
    print_table([(name, as_figure(value)) for name, value in record["numbers"].items()])
    print_remarks(notes=record.get("notes", ()), warned=())
    print(f"Written: {chosen.out}")
    return DONE
