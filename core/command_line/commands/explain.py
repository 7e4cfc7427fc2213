"""Why a model says it."""

import argparse
from pathlib import Path

from core.command_line.exit_codes import DONE
from core.command_line.options import (
    add_parameters,
    add_scan_and_model,
    given_path,
    key_values,
    load_scan_and_model,
    writable_folder,
)
from core.command_line.terminal import only_results_on_stdout, print_json, print_remarks, progress_line
from core.wording import percent


def add_options(parser: argparse.ArgumentParser) -> None:
    """Scan, model, explainer with its settings, and where the maps go."""
    add_scan_and_model(parser)
    parser.add_argument("--explainer", required=True, help="name of an explainer")
    parser.add_argument("--target", help="class to explain (the card's target, else the one the model gives most)")
    parser.add_argument("--region", type=given_path, help="region on the scan: NIfTI or .npy")
    parser.add_argument("--preset", help="named settings (the explainer's first)")
    parser.add_argument("--out", type=Path, required=True, help="folder for explanation.json and the maps")
    add_parameters(parser)


def run(chosen: argparse.Namespace) -> int:
    """Explain, write record and maps, print the sentence."""
    values = key_values(chosen.param)
    with only_results_on_stdout(), writable_folder(chosen.out) as out, progress_line() as report:
        from core.explainers import explain, get_explainer
        from core.reports.explanation import RECORD, export_explanation
        from core.scans import load_region

        get_explainer(chosen.explainer).parameters(chosen.preset, values)
        scan, model = load_scan_and_model(chosen)
        region = load_region(chosen.region, scan) if chosen.region else None
        explanation = explain(
            scan,
            model,
            chosen.explainer,
            target=chosen.target,
            region=region,
            preset=chosen.preset,
            report=report,
            **values,
        )
        record = export_explanation(explanation, out)
    if chosen.json:
        print_json(record)
        return DONE
    print(explanation.sentence)
    for row in explanation.regions[:5]:
        if row.share:
            print(f"    {percent(row.share):>6}  {row.name}")
    print_remarks(notes=explanation.notes, warned=explanation.warnings)
    print(f"Written: {out / RECORD}")
    return DONE
