"""Explanations on the disk: ``explanation.json`` and one file an array. Readable without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.acceptance.verdict import Acceptance
from core.errors import BadInput
from core.explainers.base import REGION, Kind, Side
from core.explainers.extras import Curve, Parts, Verdict, curves_of_record, parts_of_record, parts_record
from core.files import finite, write_array, write_json
from core.reports.model_grid import StoredOnModelGrid, write_leaving, write_stored
from core.reports.nifti import write_map
from core.reports.older import of_today

if TYPE_CHECKING:
    from core.explainers.base import Explanation, MapArray
    from core.scans.scan import Scan

RECORD = "explanation.json"
_DAMAGED = "What was stored of this result is damaged: remove the run, and run it again."


@dataclass(frozen=True)
class StoredArray:
    """An array of a stored explanation; its values are mapped from the disk when first looked at.

    The attributes are those of `core.explainers.MapArray`.
    """

    path: Path
    title: str
    kind: Kind
    unit: str
    neutral: float
    diverging: bool
    side: Side = "input"

    @cached_property
    def values(self) -> np.ndarray:
        """float32, the scan's spatial shape, read-only.

        Raises
        ------
        BadInput
            When the file is gone or damaged.
        """
        try:
            mapped: np.ndarray = np.load(self.path, mmap_mode="r", allow_pickle=False)
        except FileNotFoundError as error:
            raise BadInput("This result is no longer in the store: run it again.") from error
        except (EOFError, ValueError) as error:
            raise BadInput(_DAMAGED) from error
        return mapped


@dataclass(frozen=True, eq=False)
class StoredExplanation:
    """A finished explanation read back; attributes as in `core.explainers.Explanation`, plus the whole record.

    Parameters
    ----------
    record : Mapping
        ``explanation.json``: the stable keys (``explainer, model, target, parameters, scores, arrays, seconds,
        versions, hashes``) and the others.
    arrays : dict of str to StoredArray
        ``map`` is the main one.
    on_model_grid : StoredOnModelGrid, optional
        What was computed where the network looks; None where that is where the scan lies, and in older results.
    """

    record: Mapping[str, Any]
    arrays: dict[str, StoredArray]
    on_model_grid: StoredOnModelGrid | None = None

    @property
    def explainer(self) -> str:
        """Name of the explainer."""
        return str(self.record["explainer"])

    @property
    def model(self) -> str:
        """Name of the model."""
        return str(self.record["model"])

    @property
    def target(self) -> str | None:
        """Class that was explained."""
        return self.record["target"]

    @property
    def scores(self) -> dict[str, dict[str, float] | None] | None:
        """Class → probability ``before`` and ``after``; None for regressors."""
        return self.record.get("scores")

    @property
    def sentence(self) -> str:
        """The answer in plain words."""
        return str(self.record["sentence"])

    @property
    def technical(self) -> str:
        """How it was computed, in the method's own words; empty in a record of before that was told."""
        return str(self.record.get("technical") or "")

    @property
    def history(self) -> dict[str, list[float]]:
        """Curves over iterations."""
        return dict(self.record["history"])

    @property
    def curves(self) -> dict[str, Curve]:
        """How the columns of `history` are drawn, in order."""
        return curves_of_record(self.record["curves"])

    @cached_property
    def parts(self) -> Parts | None:
        """What the map was made of, where that is a few things of one kind."""
        return parts_of_record(self.record["parts"])

    @property
    def pieces(self) -> StoredArray | None:
        """Numbers of the pieces that the map was drawn on (superpixels), where it was; the marked region is none."""
        return next((one for name, one in self.arrays.items() if one.kind == "labels" and name != REGION), None)

    @property
    def regions(self) -> list[dict[str, Any]]:
        """Rows ``name``, ``share``, ``density``, ``voxels``; largest share first."""
        return list(self.record["regions"])

    @property
    def checks(self) -> list[dict[str, Any]]:
        """Rows ``name``, ``title``, ``value``, ``sentence``, ``passed``, ``applies``, ``remedy``."""
        return list(self.record["checks"])

    @property
    def acceptance(self) -> Acceptance | None:
        """Whether the model can read the scan; None in a record of before that was looked at."""
        return Acceptance.of_record(self.record.get("acceptance"))

    @property
    def verdict(self) -> Verdict:
        """Whether it holds, by its own checks."""
        return Verdict.of_record(self.record["verdict"])

    @property
    def caution(self) -> str:
        """What must be known before a map of it is believed, in a few words; empty where there is nothing."""
        return caution_of(self.acceptance, self.verdict)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know before believing the map."""
        return tuple(self.record["warnings"])


def caution_of(acceptance: Acceptance | None, verdict: Verdict) -> str:
    """The words that every file of a map carries which is not to be believed; empty for the others."""
    if acceptance is not None and acceptance.refused:
        return "Do not believe: the model was not made for this scan."
    return "Do not believe: this explanation does not hold." if verdict.state == "fails" else ""


def write_explanation(explanation: Explanation, folder: Path) -> None:
    """Write the store's form: ``explanation.json`` and ``NAME.npy`` (float32, scan space) for each array.

    Parameters
    ----------
    explanation : Explanation
        As `core.explainers.explain` returned it.
    folder : pathlib.Path
        Must exist.
    """
    files = {}
    for name, array in explanation.arrays.items():
        files[name] = f"{name}.npy"
        write_array(folder / files[name], np.asarray(array.values, dtype=np.float32))
    record = record_of(explanation, files)
    record["model_grid"] = write_stored(explanation.on_model_grid, folder)
    write_record(record, folder)


def export_explanation(explanation: Explanation, folder: Path) -> dict[str, Any]:
    """Write the form that leaves: ``explanation.json`` and each array in the scan's own space.

    Arrays become ``NAME.nii.gz`` for a 3D scan, ``NAME.npy`` and a ``NAME.png`` to look at for a 2D one.

    Parameters
    ----------
    explanation : Explanation
        As `core.explainers.explain` returned it.
    folder : pathlib.Path
        Must exist.

    Returns
    -------
    dict
        The record.
    """
    caution = caution_of(explanation.acceptance, explanation.verdict)
    record = record_of(explanation, _write_maps(explanation.arrays, explanation.scan, folder, caution))
    record["model_grid"] = write_leaving(explanation.on_model_grid, folder, caution)
    write_record(record, folder)
    return record


def export_stored(stored: StoredExplanation, scan: Scan, folder: Path) -> dict[str, Any]:
    """`export_explanation` of one that was read back; the files are the same.

    Parameters
    ----------
    stored : StoredExplanation
        From `read_explanation`.
    scan : Scan
        What was explained, as it was read from its file: the arrays are laid on that.
    folder : pathlib.Path
        Must exist.

    Returns
    -------
    dict
        The record.
    """
    on_grid = stored.on_model_grid
    record = {
        **stored.record,
        "arrays": _write_maps(stored.arrays, scan, folder, stored.caution),
        "model_grid": write_leaving(None if on_grid is None else on_grid.loaded(), folder, stored.caution),
    }
    write_record(record, folder)
    return record


def _write_maps(arrays: Mapping[str, MapArray | StoredArray], scan: Scan, folder: Path, caution: str) -> dict[str, str]:
    files = {}
    for name, array in arrays.items():
        neutral = array.neutral if array.diverging else None
        files[name] = write_map(array.values, scan, folder, name, array.kind, neutral, caution)
    return files


def read_explanation(folder: Path) -> StoredExplanation:
    """Read what `write_explanation` wrote, now or in an earlier version; arrays are not loaded yet.

    Raises
    ------
    BadInput
        When the folder holds no explanation, or its record is damaged.
    """
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        arrays = {
            name: StoredArray(path=folder / file, **record["array_details"][name])
            for name, file in record["arrays"].items()
        }
        on_grid = record.get("model_grid")
        kept = None if on_grid is None else StoredOnModelGrid(folder, on_grid)
        return StoredExplanation(of_today(record), arrays, kept)
    except FileNotFoundError as error:
        raise BadInput("This result is no longer in the store: run it again.") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadInput(_DAMAGED) from error


def record_of(explanation: Explanation, files: Mapping[str, str]) -> dict[str, Any]:
    """The record of an explanation, ready for JSON (NaN and infinity as null).

    Parameters
    ----------
    explanation : Explanation
        What to record.
    files : mapping of str to str
        Array name → file name beside the record.
    """
    record = {
        "explainer": explanation.explainer,
        "model": explanation.model,
        "target": explanation.target,
        "parameters": explanation.parameters,
        "scores": explanation.scores,
        "arrays": dict(files),
        "seconds": explanation.seconds,
        "versions": explanation.versions,
        "hashes": explanation.hashes,
        "preset": explanation.preset,
        "synthetic": explanation.synthetic,
        "sentence": explanation.sentence,
        "technical": explanation.technical,
        "regions": [asdict(region) for region in explanation.regions],
        "atlas": explanation.atlas,
        "checks": [asdict(check) for check in explanation.checks],
        "verdict": asdict(explanation.verdict),
        "caution": caution_of(explanation.acceptance, explanation.verdict),
        "numbers": explanation.numbers,
        "history": explanation.history,
        "curves": {name: asdict(curve) for name, curve in explanation.curves.items()},
        "parts": parts_record(explanation.parts),
        "acceptance": explanation.acceptance.as_record() if explanation.acceptance is not None else None,
        "notes": explanation.notes,
        "warnings": explanation.warnings,
        "array_details": {
            name: {
                "title": array.title,
                "kind": array.kind,
                "unit": array.unit,
                "neutral": array.neutral,
                "diverging": array.diverging,
                "side": array.side,
            }
            for name, array in explanation.arrays.items()
        },
    }
    if explanation.scores is None:
        del record["scores"]
    return dict(finite(record))


def write_record(record: Mapping[str, Any], folder: Path) -> None:
    """Write ``explanation.json``: last, so that a folder with a record is complete."""
    write_json(folder / RECORD, record)
