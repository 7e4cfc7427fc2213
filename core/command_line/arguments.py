"""What the command line understands: its commands, their options, and one sentence for what it does not."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

from core.bench import bench_names
from core.settings import ROOT

BAD_INPUT = 2

#: Carries out a command; the exit code.
Command = Callable[[argparse.Namespace], int]


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence instead of printing the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: {message} (--help tells what there is)\n")


def parser_of(carried_out_by: Mapping[str, Command]) -> argparse.ArgumentParser:
    """The parser; what it returns has ``command`` (the function to call), ``json``, ``debug`` and the command's own.

    Parameters
    ----------
    carried_out_by : mapping of str to callable
        Function of each command by its name.
    """
    called = Path(sys.argv[0]).stem
    prog = called if called == "lightbox" else "python -m core"
    parser = _Parser(prog=prog, description="Lightbox: explain medical-image models.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, summary: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = commands.add_parser(name, help=summary, description=summary)
        made.set_defaults(command=carried_out_by[name])
        made.add_argument("--json", action="store_true", help="print the result as JSON")
        made.add_argument("--debug", action="store_true", help="show the traceback of a failure")
        return made

    serve = command("serve", "open the app in the browser")
    serve.add_argument("--host", help="address to listen on")
    serve.add_argument("--port", type=int, help="port, 1..65535")

    command("doctor", "what works here, and how to mend what does not")
    command("models", "list the model library")
    command("explainers", "list the explainers with their parameters")

    predict = command("predict", "what a model says about a scan")
    _add_scan_and_model(predict)
    predict.add_argument("--out", type=Path, help="folder for the image that a regressor makes")

    explain = command("explain", "why a model says it")
    _add_scan_and_model(explain)
    explain.add_argument("--explainer", required=True, help="name of an explainer")
    explain.add_argument("--target", help="class to explain (the card's target, else the one the model gives most)")
    explain.add_argument("--region", type=Path, help="region on the scan: NIfTI or .npy")
    explain.add_argument("--preset", help="named settings (the explainer's first)")
    explain.add_argument("--out", type=Path, required=True, help="folder for explanation.json and the maps")
    _add_parameters(explain)

    train = command("train", "train a model")
    train.add_argument("recipe", help="name of a recipe")
    train.add_argument("--cohort", type=Path, help="cohort, by library name or folder (some recipes make their own)")
    train.add_argument("--out", type=Path, required=True, help="model folder to write")
    _add_parameters(train)

    study = command("study", "many explanations, one question")
    study.add_argument("name", help="name of a study")
    study.add_argument("--model", help="library name or model folder")
    study.add_argument("--cohort", type=Path, help="cohort, by library name or folder (some studies make their own)")
    study.add_argument("--out", type=Path, help="folder for study.json and what the study makes")
    _add_parameters(study)

    bench = command("bench", "measure, as ratios against named baselines")
    bench.add_argument("name", help=", ".join(bench_names()))

    runs = command("runs", "list what ran, or show one run")
    runs.add_argument("id", nargs="?", help="a run's id")
    pin = runs.add_mutually_exclusive_group()
    pin.add_argument("--pin", dest="pinned", action="store_true", default=None, help="never remove this run for room")
    pin.add_argument("--unpin", dest="pinned", action="store_false", help="let it go again when it is old")
    return parser


def _add_scan_and_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scan", type=_named, help="NIfTI, MGZ, DICOM file, folder or zip, PNG, JPEG, TIFF")
    parser.add_argument("--model", required=True, help="library name or model folder")
    parser.add_argument("--series", help="which series of a DICOM folder or zip")
    parser.add_argument("--volume", type=int, help="which volume of a 4D series, from 0")


def _named(path: str) -> Path:
    """A path somebody wrote; an empty one (an unset variable in a script) is not this folder.

    One below ``assets`` is the demo's, from any directory that has none of its own.
    """
    if not path:
        raise argparse.ArgumentTypeError("the path is empty")
    given, ours = Path(path), ROOT / path
    return ours if given.parts[0] == "assets" and not given.exists() and ours.exists() else given


def _add_parameters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help="may be repeated")
