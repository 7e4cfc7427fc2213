"""A run that does one of the studies of `core.studies`: many scans, one question."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from core.cohorts.library import cohort_stamp, find_cohort
from core.cohorts.selection import as_names
from core.errors import BadInput
from core.files import file_hash, write_array
from core.models.folders import folder_hash, model_files, resolve
from core.progress import Progress
from core.runs.answering import explainer_code, landmark_code, model_code
from core.runs.facts import Asked
from core.runs.spec import Inputs, RunContext, RunSpec
from core.studies import get_study, studies

if TYPE_CHECKING:
    from core.studies.base import Study

_REGION = "marked.npy"


class StudySpec(RunSpec):
    """Do a study of a cohort; same words as ``python -m core study``."""

    kind: ClassVar[str] = "study"

    study: str = Field(description="name of a study of core.studies")
    model: str = Field(description="library name or model folder")
    cohort: str | None = Field(
        None, description="name of a cohort of the library, or whole path of a folder; None lets the study make its own"
    )
    preset: str | None = Field(None, description="named settings; None: the study's first")
    parameters: dict[str, Any] = Field(default_factory=dict, description="of the study, over the preset")
    region: str | None = Field(
        None, pattern=r"^[0-9a-f]{64}$", description="content hash of a stored region, for a study that reads one"
    )

    def title(self) -> str:
        """Study, networks and cohort."""
        networks = ", ".join(Path(name).name for name in self.models())
        return f"{self.study} · {networks}" + (f" · {Path(self.cohort).name}" if self.cohort else "")

    def models(self) -> tuple[str, ...]:
        """The model, and those that its parameter ``others`` names."""
        return (self.model, *as_names(self.parameters.get("others") or ()))

    def asked(self) -> Asked:
        """Study and first network."""
        return Asked(self.study, Path(self.model).name)

    def regions(self) -> tuple[str, ...]:
        """The region, when there is one."""
        return (self.region,) if self.region else ()

    @classmethod
    def preload(cls) -> None:
        """Every study, and with them torch and the explainers."""
        from core.explainers import explainers
        from core.models.zoo import architectures

        studies()
        explainers()
        architectures()

    def inputs(self) -> dict[str, Any]:
        """Models, cohort, and files that parameters name, by content."""
        study = get_study(self.study)
        stored = self._region(study, Path(_REGION))  # the spec itself names it by its content
        return {
            "models": {name: folder_hash(resolve(name)) for name in self.models()},
            "cohort": cohort_stamp(find_cohort(self.cohort)) if self.cohort is not None else None,
            "files": {
                name: file_hash(value)
                for name, value in self._typed(study, stored)
                if isinstance(value, Path) and name not in stored
            },
        }

    def files(self) -> list[Path]:
        """Those of the models."""
        return [path for name in self.models() for path in model_files(name)]

    def code(self) -> set[str]:
        """The study, the explainers it asks, and what reads and builds the models."""
        study = get_study(self.study)
        asked = study.explainers_asked(self._typed(study, self._region(study, Path(_REGION))))
        return {__name__, study.__module__} | explainer_code(asked) | model_code(self.models()) | landmark_code()

    def check(self, inputs: Inputs) -> None:
        """Study, models, cohort and region must be there, and the parameters fit the study.

        What the films and the loaded models say is left to the run.

        Raises
        ------
        BadInput
            When they are not.
        """
        study = get_study(self.study)
        self._typed(study, self._region(study, Path(_REGION)))
        if study.needs_cohort and self.cohort is None:
            raise BadInput(f"The study {self.study} needs a folder of scans: name a cohort.")
        for name in self.models():
            resolve(name)
        if self.cohort is not None:
            find_cohort(self.cohort)
        if self.region is not None:
            inputs.region(self.region)

    def execute(self, context: RunContext) -> None:
        """Load, do the study; ``study.json`` and what it makes go into the result."""
        from core.models import load_model

        study = get_study(self.study)
        path = context.result / _REGION
        parameters = self._typed(study, self._region(study, path))
        if self.region is not None:
            write_array(path, context.inputs.region(self.region))
        folder = find_cohort(self.cohort) if self.cohort is not None else None
        context.report(Progress(0.0, "loading the model"))
        study().run(parameters, load_model(self.model), folder, context.result, context.report)

    def _typed(self, study: "type[Study]", region: dict[str, Any]) -> Any:
        """The study's parameters; `region` is what `_region` gave."""
        return study.parameters(self.preset, {**self.parameters, **region})

    def _region(self, study: "type[Study]", path: Path) -> dict[str, Any]:
        """The file of the stored region, under the name of the parameter that takes one; nothing without a region."""
        if self.region is None:
            return {}
        fields = study.parameters_model.model_json_schema()["properties"]
        name = next((name for name, field in fields.items() if field.get("picks") == "region"), None)
        if name is None:
            raise BadInput(f"The study {self.study} takes no region: leave it out.")
        return {name: path}
