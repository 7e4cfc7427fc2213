"""A study that counts the scans of a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.parameters import Parameters, parameter
from core.progress import Report, silent
from core.studies import Study
from core.studies.record import Column
from core.studies.writing import StudyWriter

if TYPE_CHECKING:
    from core.models import Model  # brings torch


class ScanCountParameters(Parameters):
    """Parameters of the study."""

    ending: str = parameter("png", "Which files are counted.")


class ScanCount(Study):
    """How many scans there are."""

    name = "sample-count"
    title = "Count of scans"
    summary = "How many scans a folder holds."
    parameters_model = ScanCountParameters

    def run(
        self, parameters: ScanCountParameters, model: Model, cohort: Path | None, out: Path, report: Report = silent
    ) -> dict[str, Any]:
        """Count."""
        assert cohort is not None
        files = sorted(cohort.glob(f"*.{parameters.ending}"))
        writer = StudyWriter(out)
        table = writer.table("scans", "Scans", [Column(name="scan", title="Scan", kind="scan")])
        for file in files:
            table.row({"scan": file.name})
        sentence = f"The folder holds {len(files)} scans."
        return writer.finish(
            self, model, parameters, cohort, sentence=sentence, synthetic=True, numbers={"scans": len(files)}
        )
