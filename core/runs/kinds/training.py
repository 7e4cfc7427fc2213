"""A run that trains a model by one of the recipes of `core.training`."""

from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from core.cohorts.library import cohort_stamp
from core.errors import BadInput
from core.files import file_hash, read_json, write_json
from core.runs.answering import architecture_code
from core.runs.facts import Asked
from core.runs.spec import Inputs, RunContext, RunSpec
from core.training import get_recipe

RECORD = "training.json"


class TrainingSpec(RunSpec):
    """Train a model on a cohort and write it into a model folder."""

    kind: ClassVar[str] = "training"

    recipe: str = Field(description="name of a recipe of core.training")
    cohort: Path | None = Field(None, description="cohort folder; None lets the recipe make its own")
    out: Path = Field(description="model folder to write")
    parameters: dict[str, Any] = Field(default_factory=dict)

    def title(self) -> str:
        """Recipe and the model's name."""
        return f"train {self.recipe} · {self.out.name}"

    def asked(self) -> Asked:
        """Recipe, and the model that comes of it."""
        return Asked(self.recipe, self.out.name)

    def inputs(self) -> dict[str, Any]:
        """The cohort's files, and those that parameters name."""
        parameters = dict(get_recipe(self.recipe).parameters(values=self.parameters))
        return {
            "cohort": cohort_stamp(self.cohort) if self.cohort else None,
            "files": {name: file_hash(value) for name, value in parameters.items() if isinstance(value, Path)},
        }

    def code(self) -> set[str]:
        """The recipe, and every architecture: which one is trained is for the recipe to decide."""
        return {__name__, type(get_recipe(self.recipe)).__module__} | architecture_code()

    def holds(self, result: Path) -> bool:
        """Whether the model is still there as it was trained: one that was removed or replaced is trained again."""
        record = read_json(result / RECORD)
        return record is not None and record.get("stamp") == cohort_stamp(self.out)

    def check(self, inputs: Inputs) -> None:
        """Recipe and cohort must be there, and the parameters fit the recipe.

        Raises
        ------
        BadInput
            When they are not; what the cohort's folder must hold is the recipe's to say.
        """
        get_recipe(self.recipe).parameters(values=self.parameters)
        if self.cohort is not None and not self.cohort.is_dir():
            raise BadInput(f"The cohort folder {self.cohort.name} is not there: check the spelling.")

    def execute(self, context: RunContext) -> None:
        """Train; the model goes to ``out``, its card and where it is into the result."""
        recipe = get_recipe(self.recipe)
        card = recipe.train(recipe.parameters(values=self.parameters), self.cohort, self.out, context.report)
        content = {"model": str(self.out), "card": card.model_dump(mode="json"), "stamp": cohort_stamp(self.out)}
        write_json(context.result / RECORD, content)
