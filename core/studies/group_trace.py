"""Study "group-trace": the same region traced through a model on many scans, and what is common to the maps.

Espadoto et al. name the explanation of groups of samples as future work (section 5, "Limitations", and section 6): a
map of one scan shows what the model does there; the mean over scans shows what it does as a rule, and the spread where
it depends on the scan.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from core.errors import BadInput
from core.explainers.parameters import Parameters, parameter
from core.files import write_json
from core.progress import Progress, Report, part_of, silent
from core.reports.nifti import write_map
from core.scans.loading import load_scan
from core.scans.region_file import load_region
from core.scans.scan import Scan
from core.studies.base import RECORD, Study

if TYPE_CHECKING:
    from core.explainers.base import Explanation
    from core.models.model import Model

_ENDINGS = (".nii", ".nii.gz", ".mgz", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".dcm")


class GroupTraceParameters(Parameters):
    """Settings of the study; those of `core.explainers.ibix` may be given beside them."""

    region: Path = Field(description="region file on the scans: .npy, or an image; every sample above 0 is marked")
    images: str = parameter(".", "Folder below the cohort that holds the scans.")
    limit: int = parameter(0, "At most so many scans, in the order of their names; 0: all.", minimum=0, maximum=100_000)
    direction: Literal["auto", "forward", "backward"] = parameter(
        "auto", "forward: the region is on the input. backward: it is on the output."
    )
    jitters: int = parameter(100, "Jitters in all, half of them upward.", minimum=2, maximum=10_000)
    superpixels: int = parameter(500, "Superpixels asked for (backward).", minimum=1, maximum=20_000)
    quadrature: Literal["uniform", "quick"] = parameter(
        "uniform", "quick: 16 Gauss-Legendre nodes in place of jitters."
    )
    sums: Literal["absolute", "signed"] = parameter("absolute", "What is added up: magnitudes, or signed values.")


@dataclasses.dataclass(frozen=True, eq=False)
class GroupMap:
    """What the maps of many scans have in common.

    Parameters
    ----------
    mean, spread : numpy.ndarray, float32
        Mean and standard deviation of the maps over scans, sample by sample, in scan space.
    count : int
        Scans.
    """

    mean: np.ndarray
    spread: np.ndarray
    count: int


class _Running:
    """Mean and variance in one pass (Welford), so that only two arrays are kept however many scans there are."""

    def __init__(self) -> None:
        self.count = 0
        self._mean: np.ndarray | float = 0.0
        self._squares: np.ndarray | float = 0.0

    def add(self, values: np.ndarray) -> None:
        self.count += 1
        step = values.astype(np.float64) - self._mean
        self._mean = self._mean + step / self.count
        self._squares = self._squares + step * (values - self._mean)

    def result(self) -> GroupMap:
        spread = np.sqrt(np.asarray(self._squares) / max(self.count, 1))
        return GroupMap(np.asarray(self._mean, np.float32), spread.astype(np.float32), self.count)


def group_trace(
    scans: Sequence[tuple[str, Callable[[], Scan]]],
    model: Model,
    region: np.ndarray,
    values: Mapping[str, Any],
    report: Report = silent,
) -> tuple[GroupMap, list[dict[str, Any]], Explanation]:
    """Trace one region through `model` on every scan.

    Parameters
    ----------
    scans : sequence of (str, callable)
        Name and reader of each; read one at a time.
    model : Model
        An image-to-image model, or a classifier.
    region : numpy.ndarray, bool
        Of every scan's spatial shape: scans of a group lie on one grid.
    values : mapping
        Parameters of the explainer ``ibix``.
    report : Report
        Progress over all scans.

    Returns
    -------
    GroupMap
        Mean and spread.
    list of dict
        A row for each scan: ``scan``, ``seconds`` and the explainer's numbers.
    Explanation
        The last scan's, for its titles and units.

    Raises
    ------
    BadInput
        No scan, or one of another shape.
    """
    from core.explainers import explain

    running, rows, last = _Running(), [], None
    for number, (name, read) in enumerate(scans):
        scan = read()
        if scan.shape != region.shape:
            raise BadInput(
                f"The scan {name} has shape {scan.shape} and the region {region.shape}: a group lies on one grid."
            )
        part = part_of(report, number / len(scans), (number + 1) / len(scans))
        last = explain(scan, model, "ibix", region=region, report=part, **values)
        running.add(last.arrays["map"].values)
        rows.append({"scan": name, "seconds": last.seconds, **last.numbers})
    if last is None:
        raise BadInput("There is no scan to trace: choose one or more.")
    return running.result(), rows, last


class GroupTrace(Study):
    """Trace one region through an image-to-image model on every scan of a folder."""

    name = "group-trace"
    title = "Group trace"
    summary = "What one region influences, or what influences it, over many scans on one grid: mean and spread."
    parameters_model = GroupTraceParameters

    def run(
        self, parameters: GroupTraceParameters, model: Model, cohort: Path, out: Path, report: Report = silent
    ) -> dict[str, Any]:
        """See `Study.run`; writes ``map``, ``spread`` and ``scans.csv``."""
        files = list(_image_files(cohort, parameters.images))[: parameters.limit or None]
        if not files:
            raise BadInput(f"The cohort's folder {parameters.images!r} holds no image: name one with images=FOLDER.")
        first = load_scan(files[0])
        region = load_region(parameters.region, first)
        values = parameters.model_dump(exclude={"region", "images", "limit"})
        readers = [(path.name, _reader(path)) for path in files]
        found, rows, last = group_trace(readers, model, region, values, report)
        report(Progress(1.0, "writing the maps"))
        main = last.arrays["map"]
        written = {
            "map": write_map(found.mean, first, out, "map", main.kind, main.neutral if main.diverging else None),
            "spread": write_map(found.spread, first, out, "spread", "attribution"),
            "scans": "scans.csv",
        }
        _write_table(rows, out / "scans.csv")
        record = {
            "study": self.name,
            "model": model.card.name,
            "parameters": parameters.model_dump(mode="json", exclude={"region"}) | {"region": parameters.region.name},
            "sentence": _sentence(found),
            "rows": rows,
            "numbers": _means(rows) | {"scans": found.count, "relative_spread": _relative_spread(found)},
            "files": written,
            "unit": main.unit,
            "title": main.title,
            "synthetic": model.card.synthetic,
            "hashes": {"model": model.content_hash},
        }
        write_json(out / RECORD, record)
        return record


def _reader(path: Path) -> Callable[[], Scan]:
    return lambda: load_scan(path)


def _image_files(cohort: Path, folder: str) -> Iterator[Path]:
    inside = (cohort / folder).resolve()
    if not inside.is_relative_to(cohort.resolve()) or not inside.is_dir():
        raise BadInput(f"The cohort has no folder {folder!r}: name one that it has with images=FOLDER.")
    yield from (path for path in sorted(inside.iterdir()) if path.name.lower().endswith(_ENDINGS) and path.is_file())


def _means(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Mean over scans of every number that all of them have."""
    shared = set.intersection(*(set(row) for row in rows)) - {"scan"}
    return {f"mean_{name}": float(np.mean([row[name] for row in rows])) for name in sorted(shared)}


def _relative_spread(found: GroupMap) -> float:
    """Spread over mean magnitude, both summed over the map: 0 where every scan gives the same map."""
    total = float(np.abs(found.mean).sum())
    return float(found.spread.sum()) / total if total else 0.0


def _sentence(found: GroupMap) -> str:
    scans = f"{found.count} scan{'s' if found.count > 1 else ''}"
    if not found.mean.any():
        return f"On all of {scans} the map is zero everywhere."
    return (
        f"Mean map over {scans}; from scan to scan it varies by {_relative_spread(found):.0%} of its own mass, "
        "which says how far it is a rule of the model and not of one scan."
    )


def _write_table(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, names)
        table.writeheader()
        table.writerows(rows)
