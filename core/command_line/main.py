"""The command line: ``python -m core COMMAND``, or ``lightbox COMMAND``.

What needs torch is imported by the command that uses it.
"""

import argparse
import contextlib
import os
import sys
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.command_line.arguments import BAD_INPUT, Command, parser_of
from core.command_line.terminal import (
    as_figure,
    as_moment,
    only_results_on_stdout,
    print_json,
    print_remarks,
    print_table,
    progress_line,
)
from core.errors import BadInput, LightboxError
from core.files import is_disk_full
from core.wording import percent

if TYPE_CHECKING:
    from core.models import Model
    from core.models.inputs import PreparedInput
    from core.scans import Scan

DONE, FAILURE, INTERRUPTED = 0, 1, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns
    -------
    int
        0 done; 2 bad input, with one sentence on stderr; 1 failure, with one sentence on stderr; 130 after Ctrl-C.
    """
    chosen = parser_of(_COMMANDS).parse_args(arguments)
    if not chosen.debug:
        warnings.simplefilter("ignore")
    try:
        code: int = chosen.command(chosen)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # the reader (head, less) left: nothing is wrong, and Python must not complain at its own end either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        if chosen.debug:
            traceback.print_exc()
        print(_sentence(error), file=sys.stderr)
        return BAD_INPUT if isinstance(error, BadInput) else FAILURE
    return code


def _sentence(error: Exception) -> str:
    if isinstance(error, LightboxError):
        return str(error)
    if is_disk_full(error):
        return "The disk is full: free some space and run this again."
    if isinstance(error, MemoryError):
        return "Memory ran out: close other programs or take a smaller scan or model."
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename} cannot be used: {error.strerror}."
    return f"Something unexpected went wrong ({type(error).__name__}): run this again with --debug and report it."


# ---- what can be asked


def _serve(chosen: argparse.Namespace) -> int:
    """Become the app, which is started by its name: core knows no screen."""
    from core.interpreter import command_of, environment_with_our_sources

    options = [f"--{name}={value}" for name in ("host", "port") if (value := getattr(chosen, name)) is not None]
    command = command_of("dashboard", *options)
    os.execve(command[0], command, environment_with_our_sources())  # noqa: S606 - our own module, no shell


def _doctor(chosen: argparse.Namespace) -> int:
    from core.command_line.examination import State, examine

    checks = examine()
    usable = all(check.state is not State.BROKEN for check in checks)
    if chosen.json:
        print_json({"usable": usable, "checks": [check.as_dict() for check in checks]})
        return DONE if usable else FAILURE
    print_table([(check.state.mark, check.name, check.detail) for check in checks])
    for check in checks:
        if check.mend:
            print(f"→ {check.name}: {check.mend}")
    print("Lightbox works here." if usable else "Lightbox does not work here yet: mend what is marked with ✗.")
    return DONE if usable else FAILURE


def _models(chosen: argparse.Namespace) -> int:
    from core.models.folders import list_cards

    cards = list_cards()
    if chosen.json:
        print_json([card.model_dump(mode="json") for card in cards])
        return DONE
    print_table([(card.name, card.task, card.title) for card in cards])
    if not cards:
        print("The library is empty: run `make assets`, or set LIGHTBOX_MODELS_DIR.", file=sys.stderr)
    return DONE


def _explainers(chosen: argparse.Namespace) -> int:
    with only_results_on_stdout():
        from core.explainers import describe, explainers

        described = [describe(cls) for cls in explainers().values()]
    if chosen.json:
        print_json(described)
        return DONE
    for explainer in described:
        print(f"{explainer['name']}: {explainer['summary']}")
        print(f"    presets: {', '.join(explainer['presets'])}")
        for name, field in explainer["parameters"].get("properties", {}).items():
            print(f"    {name}={field.get('default')}  {field.get('description', '')}")
    return DONE


def _predict(chosen: argparse.Namespace) -> int:
    with only_results_on_stdout():
        scan, model = _load(chosen)
        started = time.perf_counter()
        prepared = model.prepare(scan)
        answer: dict[str, Any]
        if model.card.task == "regression":
            answer = {"output": _image_made(model, prepared, chosen.out)}
        elif chosen.out is not None:
            raise BadInput(f"The model {model.card.name} is a classifier and makes no image: leave --out out.")
        else:
            answer = {"probabilities": model.probabilities(prepared.tensor)}
        seconds = time.perf_counter() - started
    if chosen.json:
        print_json(
            {
                "model": model.card.name,
                "task": model.card.task,
                **answer,
                "notes": (*scan.notes, *prepared.notes),
                "warnings": prepared.warnings,
                "synthetic": model.card.synthetic,
                "seconds": seconds,
                "hashes": {"scan": scan.content_hash, "model": model.content_hash},
            }
        )
        return DONE
    for name, probability in answer.get("probabilities", {}).items():
        print(f"{name}  {percent(probability)}")
    if "output" in answer:
        print_table([(name, str(value)) for name, value in answer["output"].items()])
    print_remarks(notes=(*scan.notes, *prepared.notes), warned=prepared.warnings)
    return DONE


def _explain(chosen: argparse.Namespace) -> int:
    values = _key_values(chosen.param)
    with only_results_on_stdout(), _writable_folder(chosen.out) as out, progress_line() as report:
        from core.explainers import explain, get_explainer
        from core.reports.explanation import RECORD, export_explanation
        from core.scans import load_region

        get_explainer(chosen.explainer).parameters(chosen.preset, values)
        scan, model = _load(chosen)
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


def _train(chosen: argparse.Namespace) -> int:
    with only_results_on_stdout(), _writable_folder(chosen.out), progress_line() as report:
        from core.training import get_recipe

        recipe = get_recipe(chosen.recipe)
        parameters = recipe.parse(_key_values(chosen.param))
        cohort = _cohort(chosen.cohort)
        _limit_threads()
        card = recipe.train(parameters, cohort, chosen.out, report)
    if chosen.json:
        print_json(card.model_dump(mode="json"))
        return DONE
    print(f"Written: {card.title} in {chosen.out}")
    for name, value in card.metrics.items():
        print(f"    {name}: {value}")
    return DONE


def _study(chosen: argparse.Namespace) -> int:
    with only_results_on_stdout(), progress_line() as report:
        from core.models import load_model
        from core.studies import get_study

        study = get_study(chosen.name)
        for option in ("model", "out", *(["cohort"] if study.needs_cohort else [])):
            if getattr(chosen, option) is None:
                raise BadInput(f"A study needs --{option}: --help tells what it is.")
        parameters = study.parameters(values=_key_values(chosen.param))
        cohort = _cohort(chosen.cohort)
        with _writable_folder(chosen.out) as out:
            model = load_model(chosen.model)
            _limit_threads()
            record = study().run(parameters, model, cohort, out, report)
    if chosen.json:
        print_json(record)
        return DONE
    print(record["sentence"])
    print_table([(name, as_figure(value)) for name, value in record["numbers"].items()])
    print_remarks(notes=record.get("notes", ()), warned=())
    print(f"Written: {chosen.out}")
    return DONE


def _bench(chosen: argparse.Namespace) -> int:
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


def _runs(chosen: argparse.Namespace) -> int:
    from core.runs import LOCAL_OWNER, RunStore
    from core.settings import settings

    root = settings().store_path
    shelf = RunStore.open(root).of(LOCAL_OWNER) if root.is_dir() else None
    if chosen.id is None:
        if chosen.pinned is not None:
            raise BadInput("Say which run is meant: runs ID --pin.")
        found = shelf.runs() if shelf else []
        if chosen.json:
            print_json([_run_as_dict(run) for run in found])
        else:
            print_table([(run.id, run.status, as_moment(run.created), run.title) for run in found])
        return DONE
    if shelf is None:
        raise BadInput("There is no such run here: the store is empty.")
    if chosen.pinned is not None:
        shelf.pin(chosen.id, chosen.pinned)
    run, live = shelf.run(chosen.id), shelf.progress(chosen.id)
    detail = {**_run_as_dict(run), "request": run.request, "folder": str(shelf.folder(run.id))}
    detail["progress"] = {"fraction": live.fraction, "message": live.message, "eta_seconds": live.eta_seconds}
    if chosen.json:
        print_json(detail)
    else:
        moments = {name: as_moment(detail[name]) for name in ("created", "started", "finished") if detail[name]}
        print_table([(name, str(value)) for name, value in {**detail, **moments}.items()])
    return DONE


_COMMANDS: dict[str, Command] = {
    "serve": _serve,
    "doctor": _doctor,
    "models": _models,
    "explainers": _explainers,
    "predict": _predict,
    "explain": _explain,
    "train": _train,
    "study": _study,
    "bench": _bench,
    "runs": _runs,
}


# ---- their parts


def _load(chosen: argparse.Namespace) -> "tuple[Scan, Model]":
    from core.models import load_model
    from core.scans import load_scan

    model = load_model(chosen.model)
    _limit_threads()
    return load_scan(chosen.scan, series=chosen.series, volume=chosen.volume), model


def _cohort(given: Path | None) -> Path | None:
    """The cohort somebody named: a folder, or a name of the library."""
    from core.cohorts.library import cohort_folders

    if given is None or given.is_dir():
        return given
    folders = cohort_folders()
    if str(given) not in folders:
        raise BadInput(f"The cohort folder {given} is not there; in the library: {', '.join(folders) or 'none'}.")
    return folders[str(given)]


def _image_made(model: "Model", prepared: "PreparedInput", folder: Path | None) -> dict[str, Any]:
    """Figures of the image a regressor makes, and its files where a folder was named."""
    from core.reports.answer import figures_of, write_answer

    values = model.generate(prepared)
    figures = figures_of(values, model.card)
    if folder is not None:
        with _writable_folder(folder) as out:
            figures["files"] = write_answer(values, prepared.scan, out)
    return figures


def _limit_threads() -> None:
    import torch

    from core.runs.execution.manager import default_threads
    from core.settings import settings

    torch.set_num_threads(settings().threads or default_threads())


def _key_values(pairs: Sequence[str]) -> dict[str, Any]:
    """``["a=1", "b=null"]`` → ``{"a": "1", "b": None}``; types follow from the parameters' own declaration."""
    values: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise BadInput(f"--param takes name=value (given: {pair!r}).")
        values[name] = None if value in ("null", "none", "None") else value
    return values


@contextlib.contextmanager
def _writable_folder(folder: Path) -> Iterator[Path]:
    """Make `folder` before anything is computed, so that a wrong path costs no waiting; an empty one goes again."""
    there = folder.is_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"--out {folder} cannot be made ({error.strerror}): name a folder that can.") from error
    if not os.access(folder, os.W_OK):
        raise BadInput(f"--out {folder} cannot be written: name a folder that can.")
    try:
        yield folder
    finally:
        if not there and not any(folder.iterdir()):
            folder.rmdir()


def _run_as_dict(run: Any) -> dict[str, Any]:
    names = ("id", "kind", "title", "status", "message", "created", "started", "finished", "seconds", "pinned", "size")
    return {name: getattr(run, name) for name in names}
