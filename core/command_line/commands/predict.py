"""What a model says about a scan."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.command_line.exit_codes import DONE
from core.command_line.options import add_scan_and_model, load_scan_and_model, writable_folder
from core.command_line.terminal import only_results_on_stdout, print_json, print_remarks, print_table
from core.errors import BadInput
from core.wording import percent

if TYPE_CHECKING:
    from core.models import Model
    from core.models.inputs import PreparedInput


def add_options(parser: argparse.ArgumentParser) -> None:
    """Scan, model, and where an image goes."""
    add_scan_and_model(parser)
    parser.add_argument("--out", type=Path, help="folder for the image that a regressor makes")


def run(chosen: argparse.Namespace) -> int:
    """Probabilities of a classifier; figures of a regressor's image, and the image itself where a folder is named."""
    with only_results_on_stdout():
        from core.acceptance import judge

        scan, model = load_scan_and_model(chosen)
        started = time.perf_counter()
        prepared = model.prepare(scan)
        answer: dict[str, Any]
        if model.card.task == "regression":
            answer = {"output": _image_made(model, prepared, chosen.out)}
        elif chosen.out is not None:
            raise BadInput(f"The model {model.card.name} is a classifier and makes no image: leave --out out.")
        else:
            answer = {"probabilities": model.probabilities(prepared.tensor)}
        accepted = judge(model, prepared)
        seconds = time.perf_counter() - started
    if chosen.json:
        print_json(
            {
                "model": model.card.name,
                "task": model.card.task,
                **answer,
                "acceptance": accepted.as_record(),
                "notes": (*scan.notes, *prepared.notes),
                "warnings": prepared.warnings,
                "synthetic": model.card.synthetic,
                "seconds": seconds,
                "hashes": {"scan": scan.content_hash, "model": model.content_hash},
            }
        )
        return DONE
    if accepted.refused:
        print(accepted.sentence)
    for name, probability in answer.get("probabilities", {}).items():
        print(f"{name}  {percent(probability)}")
    if "output" in answer:
        print_table([(name, str(value)) for name, value in answer["output"].items()])
    unknown = [accepted.sentence] if accepted.state == "unknown" else []
    print_remarks(notes=(*scan.notes, *prepared.notes, *unknown), warned=prepared.warnings)
    return DONE


def _image_made(model: "Model", prepared: "PreparedInput", folder: Path | None) -> dict[str, Any]:
    """Figures of the image a regressor makes, and its files where a folder was named."""
    from core.reports.answer import figures_of, write_answer

    values = model.generate(prepared)
    figures = figures_of(values, model.card)
    if folder is not None:
        with writable_folder(folder) as out:
            figures["files"] = write_answer(values, prepared.scan, out)
    return figures
