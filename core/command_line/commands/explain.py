"""Why a model says it."""

import argparse
from pathlib import Path
from typing import Any

from core.acceptance.verdict import Acceptance
from core.command_line.exit_codes import DONE
from core.command_line.keeping import Keeping, going_on_without, keeping, known_as
from core.command_line.options import (
    add_keeping,
    add_parameters,
    add_scan_and_model,
    given_only,
    given_path,
    key_values,
    limit_threads,
    writable_folder,
)
from core.command_line.terminal import only_results_on_stdout, print_json, print_remarks, progress_line
from core.explainers.extras import Verdict
from core.progress import Report
from core.scans.scan import Scan
from core.wording import percent


def add_options(parser: argparse.ArgumentParser) -> None:
    """Scan, model, explainer with its settings, and where the maps go."""
    add_scan_and_model(parser)
    parser.add_argument("--explainer", required=True, help="name of an explainer")
    parser.add_argument("--target", help="class to explain (the one that the model gives most)")
    parser.add_argument("--region", type=given_path, help="region on the scan: NIfTI or .npy")
    parser.add_argument("--preset", help="named settings (the explainer's first)")
    parser.add_argument("--out", type=Path, required=True, help="folder for explanation.json and the maps")
    add_parameters(parser)
    add_keeping(parser)


def run(chosen: argparse.Namespace) -> int:
    """Explain, write record and maps, print the sentence."""
    values = key_values(chosen.param)
    with only_results_on_stdout(), writable_folder(chosen.out) as out, progress_line() as report:
        from core.explainers import get_explainer
        from core.reports.explanation import RECORD
        from core.scans import load_region, load_scan

        typed = get_explainer(chosen.explainer).parameters(chosen.preset, values)
        asked = {"explainer": chosen.explainer, "target": chosen.target, "preset": chosen.preset}
        asked["parameters"] = given_only(typed, values)
        model = known_as(chosen.model)
        scan = load_scan(chosen.scan, series=chosen.series, volume=chosen.volume)
        region = load_region(chosen.region, scan) if chosen.region else None
        if chosen.target is None:
            asked["target"] = _most_likely(model, scan)
        with keeping(chosen.store, chosen.again) as kept:
            record = _of_a_run(kept, model, scan, region, asked, report, out) if kept is not None else None
        if record is None:
            record = _computed(model, scan, region, asked, report, out)
    if chosen.json:
        print_json(record)
        return DONE
    accepted = Acceptance.of_record(record.get("acceptance"))
    if accepted is not None and accepted.refused:
        print(accepted.sentence)
    if chosen.target is None and record["target"] is not None:
        said = percent(record["scores"]["before"][record["target"]])
        print(f"The model says {record['target']}, {said}: that is explained. --target asks about another class.")
    print(record["sentence"])
    if record.get("technical"):
        print(record["technical"])
    verdict = Verdict.of_record(record["verdict"])
    print(" ".join([f"{verdict.title}.", verdict.sentence, verdict.remedy]).rstrip())
    # where there is no result, where its map lies is no answer
    for row in [] if verdict.withheld else record["regions"][:5]:
        if row["share"]:
            print(f"    {percent(row['share']):>6}  {row['name']}")
    unknown = [accepted.sentence] if accepted is not None and accepted.state == "unknown" else []
    print_remarks(notes=[*record["notes"], *unknown], warned=record["warnings"])
    print(f"Written: {out / RECORD}")
    return DONE


def _most_likely(model: str, scan: Scan) -> str | None:
    """The class that a classifier gives most of this scan; None for a regressor, which knows no classes."""
    from core.models import load_model
    from core.models.folders import card_of, resolve

    if card_of(resolve(model)).task != "classification":
        return None
    limit_threads()
    loaded = load_model(model)
    probabilities = loaded.probabilities(loaded.prepare(scan).tensor)
    return max(probabilities, key=probabilities.__getitem__)


def _of_a_run(
    kept: Keeping, model: str, scan: Scan, region: Any, asked: dict[str, Any], report: Report, out: Path
) -> dict[str, Any] | None:
    """The record of a run that answers, its files in `out`; None when the store does not take the scan."""
    from core.reports.explanation import export_stored
    from core.runs.kinds.explanation import ExplanationSpec

    spec = None
    with going_on_without():
        marked = kept.shelf.add_region(region) if region is not None else None
        spec = ExplanationSpec(scan=kept.shelf.add_scan(scan), model=model, region=marked, **asked)
    if spec is None:
        return None
    return export_stored(kept.shelf.explanation(kept.answer(spec, report)), scan, out)


def _computed(model: str, scan: Scan, region: Any, asked: dict[str, Any], report: Report, out: Path) -> dict[str, Any]:
    """The record of an explanation that is kept nowhere else, its files in `out`."""
    from core.explainers import explain
    from core.models import load_model
    from core.reports.explanation import export_explanation

    limit_threads()
    return export_explanation(explain(scan, load_model(model), region=region, report=report, **asked), out)
