"""Options that several commands share, and what they stand for."""

import argparse
import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import BadInput
from core.settings import ROOT
from core.threads import threads_of_a_run

if TYPE_CHECKING:
    from core.models import Model
    from core.parameters import Parameters
    from core.scans.scan import Scan


def add_scan_and_model(parser: argparse.ArgumentParser) -> None:
    """The scan, which of its images, and the model."""
    parser.add_argument("scan", type=given_path, help="NIfTI, MGZ, DICOM file, folder or zip, PNG, JPEG, TIFF")
    parser.add_argument("--model", required=True, help="library name or model folder")
    parser.add_argument("--series", help="which series of a DICOM folder or zip")
    parser.add_argument("--volume", type=int, help="which volume of a 4D series, from 0")


def add_parameters(parser: argparse.ArgumentParser) -> None:
    """Any number of ``--param NAME=VALUE``; `key_values` reads them."""
    parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help="may be repeated")


def add_keeping(parser: argparse.ArgumentParser) -> None:
    """Whether it is kept as a run; see `core.command_line.keeping`."""
    keeping = parser.add_mutually_exclusive_group()
    keeping.add_argument("--no-store", dest="store", action="store_false", help="leave no run in the store")
    keeping.add_argument("--again", action="store_true", help="compute it even if an equal run is in the store")


def add_cohort(parser: argparse.ArgumentParser, who: str) -> None:
    """The cohort; `who` (recipes, studies) may make their own. `cohort_folder` finds it."""
    parser.add_argument("--cohort", type=Path, help=f"cohort, by library name or folder (some {who} make their own)")


def given_path(path: str) -> Path:
    """A path somebody wrote; an empty one (an unset variable in a script) is not this folder.

    One below ``assets`` is the demo's, from any directory that has none of its own.
    """
    if not path:
        raise argparse.ArgumentTypeError("the path is empty")
    given, ours = Path(path), ROOT / path
    return ours if given.parts[0] == "assets" and not given.exists() and ours.exists() else given


def key_values(pairs: Sequence[str]) -> dict[str, Any]:
    """``["a=1", "b=null"]`` → ``{"a": "1", "b": None}``; types follow from the parameters' own declaration.

    Raises
    ------
    BadInput
        For what is no ``name=value``.
    """
    values: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise BadInput(f"--param takes name=value (given: {pair!r}).")
        values[name] = None if value in ("null", "none", "None") else value
    return values


def cohort_folder(given: Path | None) -> Path | None:
    """The cohort somebody named: a folder, or a name of the library.

    Raises
    ------
    BadInput
        When there is neither.
    """
    from core.cohorts.library import cohort_folders

    if given is None or given.is_dir():
        return given
    folders = cohort_folders()
    if str(given) not in folders:
        raise BadInput(f"The cohort folder {given} is not there; in the library: {', '.join(folders) or 'none'}.")
    return folders[str(given)]


def load_scan_and_model(chosen: argparse.Namespace) -> "tuple[Scan, Model]":
    """What `add_scan_and_model` asked for; the model first, as it is the quicker to refuse.

    Raises
    ------
    BadInput
        When one of them cannot be read.
    """
    from core.models import load_model
    from core.scans import load_scan

    model = load_model(chosen.model)
    limit_threads()
    return load_scan(chosen.scan, series=chosen.series, volume=chosen.volume), model


def limit_threads() -> None:
    """Bound torch's threads as the settings say."""
    import torch

    torch.set_num_threads(threads_of_a_run())


def given_only(parameters: "Parameters", given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that somebody gave, as values of their own types: equal requests are then written equally.

    A file is named by its whole path, several names with commas between them.
    """
    typed, plain = dict(parameters), parameters.model_dump(mode="json")
    kept = {}
    for name in given:
        value = typed[name]
        whole = str(value.resolve()) if isinstance(value, Path) else plain[name]
        kept[name] = ",".join(map(str, whole)) if isinstance(value, tuple) else whole
    return kept


@contextlib.contextmanager
def writable_folder(folder: Path) -> Iterator[Path]:
    """Make `folder` before anything is computed, so that a wrong path costs no waiting; an empty one goes again.

    Raises
    ------
    BadInput
        When it cannot be made or written.
    """
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
