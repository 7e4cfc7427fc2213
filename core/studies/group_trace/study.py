"""Study "group-trace": the same region traced through a model on many scans, and what is common to the maps.

See `core.explainers.many`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.acceptance.many import in_a_cell
from core.errors import BadInput
from core.explainers.ibix.explainer import Ibix
from core.explainers.ibix.parameters import IbixParameters
from core.files import write_array
from core.parameters import parameter
from core.progress import Progress, Report, silent
from core.reports.explanation import RECORD as EXPLANATION
from core.reports.explanation import export_explanation
from core.scans.loading import load_scan
from core.scans.region_file import load_region
from core.scans.scan import Scan
from core.studies.base import Study
from core.studies.record import Column, Opening, Parts, StudyMap, parts_of_rows
from core.studies.writing import StudyWriter

if TYPE_CHECKING:
    from core.explainers.base import Explanation
    from core.explainers.many import Group
    from core.models.model import Model

_REGION = "marked.npy"
_ENDINGS = (".nii", ".nii.gz", ".mgz", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".dcm")


class GroupTraceParameters(IbixParameters):
    """Settings of the study, beside those of the explainer ``ibix``."""

    region: Path = parameter(
        ..., "Region file on the scans: .npy, or an image; every sample above 0 is marked.", picks="region"
    )
    images: str = parameter(".", "Folder below the cohort that holds the scans.")
    limit: int = parameter(0, "At most so many scans, in the order of their names; 0: all.", minimum=0, maximum=100_000)
    target: str | None = parameter(None, "Class to explain, for classifiers; by default the card's.")


class GroupTrace(Study):
    """Trace one region through an image-to-image model on every scan of a folder."""

    name = "group-trace"
    title = "Group trace"
    summary = "What one region influences, or what influences it, over many scans on one grid: mean and spread."
    parameters_model = GroupTraceParameters

    @classmethod
    def explainers_asked(cls, parameters: GroupTraceParameters) -> tuple[str, ...]:
        """The one that traces."""
        return (Ibix.name,)

    def run(
        self, parameters: GroupTraceParameters, model: Model, cohort: Path | None, out: Path, report: Report = silent
    ) -> dict[str, Any]:
        """See `Study.run`; also writes the group's explanation and ``scans.csv``."""
        if cohort is None:
            raise BadInput("The study group-trace needs a folder of scans: name it with --cohort.")
        files = list(_image_files(cohort, parameters.images))[: parameters.limit or None]
        if not files:
            raise BadInput(f"The cohort's folder {parameters.images!r} holds no image: name one with images=FOLDER.")
        from core.explainers.many import explain_group  # brings torch

        first = load_scan(files[0])
        region = load_region(parameters.region, first)
        values = parameters.model_dump(exclude={"region", "images", "limit", "target"})
        readers = [(path.name, _reader(path)) for path in files]
        group = explain_group(
            readers, model, Ibix.name, target=parameters.target, region=region, report=report, **values
        )
        found = group.explanation
        report(Progress(1.0, "writing the maps"))
        export_explanation(found, out)
        write_array(out / _REGION, region)
        writer = StudyWriter(out)
        asked = Opening(scan="", model=model.card.name, explainer=Ibix.name, parameters=values, region=_REGION)
        _write_scans(writer, group, [path.relative_to(cohort).as_posix() for path in files], asked)
        _write_maps(writer, found)
        kept = parameters.model_dump(mode="json", exclude={"region"}) | {"region": parameters.region.name}
        return writer.finish(
            self,
            model,
            kept,
            cohort,
            sentence=found.sentence,
            synthetic=found.synthetic,
            notes=found.notes,
            numbers=found.numbers,
            rows=group.rows,
            files=[EXPLANATION],
        )

    @classmethod
    def parts_of(cls, record: Mapping[str, Any]) -> Parts:
        """See `Study.parts_of`: a table of the scans, and the maps where they are pictures."""
        maps = (
            StudyMap(name="mean", title="Mean map", file="map.npy", background="answer.npy"),
            StudyMap(name="spread", title="Spread over scans", file="spread.npy", background="answer.npy"),
        )
        return parts_of_rows(record).model_copy(update={"maps": maps})


def _write_scans(writer: StudyWriter, group: Group, files: Sequence[str], asked: Opening) -> None:
    """One row a scan: its figures; a click traces the region on it."""
    kept = ("scan", "seconds", "acceptance", "reason")
    names = list(dict.fromkeys(name for row in group.rows for name in row if name not in kept))
    columns = [
        Column(name="scan", title="Scan", kind="scan"),
        Column(name="acceptance", title="Model can read it", note="Where it cannot, its answer means nothing."),
        Column(name="seconds", title="Took", kind="number", unit="s"),
        *(Column(name=name, title=name.replace("_", " ").capitalize(), kind="number") for name in names),
    ]
    table = writer.table("scans", "Scan by scan", columns, "A row opens the trace of that scan.")
    target = group.explanation.target
    for file, row in zip(files, group.rows, strict=True):
        shown = {name: value for name, value in row.items() if name != "reason"} | {"acceptance": in_a_cell(row)}
        table.row(
            shown,
            opens=asked.model_copy(update={"scan": file, "title": row["scan"], "target": target}),
        )


def _write_maps(writer: StudyWriter, found: Explanation) -> None:
    """Mean and spread over what they lie on: the first scan, or the image that the model makes of it."""
    mean, spread = found.arrays["map"], found.arrays["spread"]
    made = found.arrays.get("answer") if mean.side == "output" else None
    below = made.values if made is not None else np.asarray(found.scan.array[0])
    for name, title, array in (("mean", "Mean map", mean), ("spread", "Spread over scans", spread)):
        writer.map(
            name,
            title,
            array.values,
            background=below,
            affine=found.scan.affine,
            unit=array.unit,
            side=array.side,
            diverging=array.diverging,
            group="All scans",
            note="Over the first scan." if made is None else "Over what the model makes of the first scan.",
        )


def _reader(path: Path) -> Callable[[], Scan]:
    return lambda: load_scan(path)


def _image_files(cohort: Path, folder: str) -> Iterator[Path]:
    inside = (cohort / folder).resolve()
    if not inside.is_relative_to(cohort.resolve()) or not inside.is_dir():
        raise BadInput(f"The cohort has no folder {folder!r}: name one that it has with images=FOLDER.")
    yield from (path for path in sorted(inside.iterdir()) if path.name.lower().endswith(_ENDINGS) and path.is_file())
