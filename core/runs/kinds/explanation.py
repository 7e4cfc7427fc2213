"""A run that explains one model's answer on one scan."""

import dataclasses
import importlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from core.errors import BadInput
from core.explainers import get_explainer
from core.models.folders import folder_hash, list_cards, model_files, resolve
from core.progress import Progress, Report
from core.runs.answering import explainer_code, landmark_code, model_code
from core.runs.facts import REFUSED, Asked, Outcome
from core.runs.spec import Inputs, RunContext, RunSpec
from core.runs.store.live import write_preview_grid
from core.settings import settings

if TYPE_CHECKING:
    from core.models.model import Model
    from core.scans.scan import Scan


class ExplanationSpec(RunSpec):
    """Explain what `model` says about `scan`; same words as `core.explainers.explain`.

    The scan must have been stored first (`Shelf.add_scan`), and so must the region (`Shelf.add_region`).
    """

    kind: ClassVar[str] = "explanation"

    scan: str = Field(pattern=r"^[0-9a-f]{64}$", description="content hash of a stored scan")
    model: str = Field(description="library name or model folder")
    explainer: str = Field(description="name of an explainer")
    target: str | None = Field(None, description="class to explain; None: the card's, else the most likely")
    preset: str | None = Field(None, description="named settings; None: the explainer's first")
    parameters: dict[str, Any] = Field(default_factory=dict, description="over the preset")
    region: str | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="content hash of a stored region")
    others: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")], ...] = Field(
        (), description="further stored scans on the same grid: the explanation is then the group's"
    )

    def title(self) -> str:
        """Explainer, model and class."""
        group = f" · {1 + len(self.others)} scans" if self.others else ""
        return f"{self.explainer} · {Path(self.model).name}" + (f" · {self.target}" if self.target else "") + group

    @classmethod
    def preload(cls) -> None:
        """Everything heavy: torch, the explainers, the architectures, and the atlas where the library's models look."""
        from core.explainers import explain, explainers  # noqa: F401
        from core.metrics.atlas import atlas_for
        from core.models.library import load_model  # noqa: F401
        from core.models.zoo import architectures
        from core.reports.explanation import write_explanation  # noqa: F401

        importlib.import_module("scipy.ndimage")
        explainers()
        architectures()
        for card in list_cards():
            atlas_for(card.input)

    def inputs(self) -> dict[str, Any]:
        """The model by content, and the atlas that names the regions."""
        return {"model": folder_hash(resolve(self.model)), "atlas": _atlas_stamp()}

    def files(self) -> list[Path]:
        """Those of the model."""
        return model_files(self.model)

    def code(self) -> set[str]:
        """The explainer, what reads and builds the model, and the metrics of a landmark."""
        answering = explainer_code([self.explainer]) | model_code([self.model])
        return {__name__} | answering | (landmark_code() if self.region else set())

    def scans(self) -> tuple[str, ...]:
        """The scan, and the others of a group."""
        return (self.scan, *self.others)

    def regions(self) -> tuple[str, ...]:
        """The region, when there is one."""
        return (self.region,) if self.region else ()

    def check(self, inputs: Inputs) -> None:
        """Scan, region and model must be there, and explainer, preset and parameters fit each other.

        What only the loaded model can say (a layer's name, whether it can be explained in this way) is left to the run.

        Raises
        ------
        BadInput
            When they do not.
        """
        for scan in self.scans():
            inputs.scan_meta(scan)
        if self.region:
            inputs.region(self.region)
        resolve(self.model)
        get_explainer(self.explainer).parameters(self.preset, self.parameters)

    def asked(self) -> Asked:
        """Explainer, model, scan and class."""
        return Asked(self.explainer, Path(self.model).name, self.scan, self.target or "")

    def outcome(self, result: Path) -> Outcome:
        """Verdict, and the probability of the class before and after.

        Raises
        ------
        BadInput
            When the record cannot be read.
        """
        from core.reports.explanation import read_explanation

        found = read_explanation(result)
        refused = found.acceptance is not None and found.acceptance.refused
        before, after = ((found.scores or {}).get(moment) or {} for moment in ("before", "after"))
        target = found.target or ""
        return Outcome(REFUSED if refused else found.verdict.state, before.get(target), after.get(target), target)

    def holds(self, result: Path) -> bool:
        """Whether the record can be read and every array is there."""
        from core.reports.explanation import read_explanation

        try:
            return all(array.path.is_file() for array in read_explanation(result).arrays.values())
        except BadInput:
            return False

    def execute(self, context: RunContext) -> None:
        """Load, explain, write ``explanation.json`` and its arrays."""
        from core.explainers import explain
        from core.explainers.many import explain_group
        from core.models import load_model
        from core.reports.explanation import write_explanation

        context.report(Progress(0.0, "loading the model"))
        scan = context.inputs.scan(self.scan)
        model = load_model(self.model)
        region = context.inputs.region(self.region) if self.region else None
        asked: dict[str, Any] = {
            "target": self.target,
            "region": np.asarray(region) if region is not None else None,
            "preset": self.preset,
            "report": _placed(context, scan, model),
            "parameters": self.parameters,
        }
        if self.others:
            shelf = context.inputs
            readers = [(shelf.scan_meta(name)["label"], partial(shelf.scan, name)) for name in self.scans()]
            explanation = explain_group(readers, model, self.explainer, **asked).explanation
        else:
            explanation = explain(scan, model, self.explainer, **asked)
        context.report(Progress(1.0, "writing the maps"))
        write_explanation(explanation, context.result)


def _placed(context: RunContext, scan: "Scan", model: "Model") -> Report:
    """Reporter whose previews lie on a grid that is told once, so that a viewer can put them over the scan."""
    from core.models.input_grid import input_grid
    from core.models.inputs import image_to_plane

    grid, plane = input_grid(scan, model.card.input)
    write_preview_grid(context.folder, grid)

    def report(progress: Progress) -> None:
        if progress.preview is not None and plane is not None:
            progress = dataclasses.replace(progress, preview=image_to_plane(progress.preview, plane))
        context.report(progress)

    return report


def _atlas_stamp() -> str:
    path = settings().atlas
    if path is None:
        return "built-in"
    if not path.is_file():
        raise BadInput(f"The atlas {path.name} is not there: set LIGHTBOX_ATLAS to a label volume.")
    status = path.stat()
    return f"{path}:{status.st_mtime_ns}:{status.st_size}"
