"""Many explanations, one question."""

import argparse
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.command_line.exit_codes import DONE
from core.command_line.keeping import Keeping, cohort_known_as, keeping, known_as
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
from core.command_line.terminal import (
    as_figure,
    only_results_on_stdout,
    print_json,
    print_remarks,
    print_table,
    progress_line,
)
from core.errors import BadInput
from core.progress import Report

if TYPE_CHECKING:
    from core.runs.kinds.study import StudySpec


def add_options(parser: argparse.ArgumentParser) -> None:
    """Study with its settings, model, cohort, and where the record goes."""
    parser.add_argument("name", help="name of a study")
    parser.add_argument("--model", help="library name or model folder")
    add_cohort(parser, "studies")
    parser.add_argument("--out", type=Path, help="folder for study.json and what the study makes")
    add_parameters(parser)
    add_keeping(parser)


def run(chosen: argparse.Namespace) -> int:
    """Do the study, print its sentence and numbers."""
    with only_results_on_stdout(), progress_line() as report:
        from core.models import load_model
        from core.runs.kinds.study import StudySpec
        from core.studies import get_study

        study = get_study(chosen.name)
        for option in ("model", "out", *(["cohort"] if study.needs_cohort else [])):
            if getattr(chosen, option) is None:
                raise BadInput(f"A study needs --{option}: --help tells what it is.")
        values = key_values(chosen.param)
        parameters = study.parameters(values=values)
        cohort, model = cohort_folder(chosen.cohort), known_as(chosen.model)
        with writable_folder(chosen.out) as out, keeping(chosen.store, chosen.again) as kept:
            if kept is not None:
                asked: dict[str, Any] = {"model": model, "parameters": given_only(parameters, values)}
                asked["cohort"] = cohort_known_as(cohort) if cohort is not None else None
                record = _of_a_run(kept, StudySpec(study=chosen.name, **asked), report, out)
            else:
                limit_threads()
                record = study().run(parameters, load_model(model), cohort, out, report)
    if chosen.json:
        print_json(record)
        return DONE
    print(record["sentence"])
    print_table([(name, as_figure(value)) for name, value in record["numbers"].items()])
    print_remarks(notes=record.get("notes", ()), warned=())
    print(f"Written: {chosen.out}")
    return DONE


def _of_a_run(kept: Keeping, spec: "StudySpec", report: Report, out: Path) -> dict[str, Any]:
    """The record of a run that answers; everything that it produced is in `out`."""
    from core.studies.record import RECORD

    result = kept.shelf.result(kept.answer(spec, report))
    shutil.copytree(result, out, dirs_exist_ok=True)
    record: dict[str, Any] = json.loads((out / RECORD).read_text(encoding="utf-8"))
    return record
