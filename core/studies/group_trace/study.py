"""Study "group-trace": the same region traced through a model on many scans, and what is common to the maps.

See `core.explainers.many`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from core.errors import BadInput
from core.explainers.ibix.explainer import Ibix
from core.explainers.ibix.parameters import IbixParameters
from core.explainers.many import explain_group
from core.files import write_json
from core.parameters import parameter
from core.progress import Progress, Report, silent
from core.reports.explanation import RECORD as EXPLANATION
from core.reports.explanation import export_explanation
from core.scans.loading import load_scan
from core.scans.region_file import load_region
from core.scans.scan import Scan
from core.studies.base import RECORD, Study
from core.tables import write_table

if TYPE_CHECKING:
    from core.models.model import Model

TABLE = "scans.csv"
_ENDINGS = (".nii", ".nii.gz", ".mgz", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".dcm")


class GroupTraceParameters(IbixParameters):
    """Settings of the study, beside those of the explainer ``ibix``."""

    region: Path = Field(description="region file on the scans: .npy, or an image; every sample above 0 is marked")
    images: str = parameter(".", "Folder below the cohort that holds the scans.")
    limit: int = parameter(0, "At most so many scans, in the order of their names; 0: all.", minimum=0, maximum=100_000)
    target: str | None = parameter(None, "Class to explain, for classifiers; by default the card's.")


class GroupTrace(Study):
    """Trace one region through an image-to-image model on every scan of a folder."""

    name = "group-trace"
    title = "Group trace"
    summary = "What one region influences, or what influences it, over many scans on one grid: mean and spread."
    parameters_model = GroupTraceParameters

    def run(
        self, parameters: GroupTraceParameters, model: Model, cohort: Path | None, out: Path, report: Report = silent
    ) -> dict[str, Any]:
        """See `Study.run`; also writes the group's explanation and ``scans.csv``."""
        if cohort is None:
            raise BadInput("The study group-trace needs a folder of scans: name it with --cohort.")
        files = list(_image_files(cohort, parameters.images))[: parameters.limit or None]
        if not files:
            raise BadInput(f"The cohort's folder {parameters.images!r} holds no image: name one with images=FOLDER.")
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
        write_table(out / TABLE, group.rows)
        record = {
            "study": self.name,
            "model": model.card.name,
            "parameters": parameters.model_dump(mode="json", exclude={"region"}) | {"region": parameters.region.name},
            "sentence": found.sentence,
            "rows": group.rows,
            "numbers": found.numbers,
            "files": [EXPLANATION, TABLE],
            "synthetic": found.synthetic,
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
