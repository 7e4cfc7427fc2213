"""What a training recipe is. A recipe is one file of this folder with a subclass of `Recipe`."""

import re
import shlex
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ValidationError

from core.errors import BadInput
from core.models.card import Card, Training
from core.progress import Report, silent
from core.registry import Registry, not_a_subclass


class Recipe(ABC):
    """One way to make a model; subclasses register themselves under `name`."""

    name: ClassVar[str]
    title: ClassVar[str]
    Parameters: ClassVar[type[BaseModel]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        RECIPES.offer(cls)

    @abstractmethod
    def train(self, parameters: Any, cohort: Path | None, out: Path, report: Report = silent) -> Card:
        """Train and write model folder(s).

        Parameters
        ----------
        parameters : the recipe's own `Parameters`
            Typed settings; see `parse`.
        cohort : pathlib.Path, optional
            Cohort folder; None lets the recipe make its own phantoms.
        out : pathlib.Path
            Model folder to write.
        report : Report
            Progress; raises `core.errors.Cancelled` to stop, and then nothing is written.

        Returns
        -------
        Card
            Card of the model written to `out`.
        """

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Any:
        """Parameters from plain values (strings from a command line are fine).

        Raises
        ------
        BadInput
            Unknown name or a value that does not fit; names the parameter.
        """
        try:
            return cls.Parameters.model_validate(dict(values))
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"]) or "parameters"
            known = ", ".join(cls.Parameters.model_fields)
            raise BadInput(f"{cls.name}: {name}: {first['msg']}; the parameters are {known}.") from error

    @classmethod
    def record(cls, parameters: Any, out: Path, data: str, with_cohort: bool, **details: Any) -> Training:
        """How a model came to be, for its card.

        Parameters
        ----------
        parameters : the recipe's own `Parameters`
            All of them are kept.
        out : pathlib.Path
            Model folder; only its name is kept.
        data : str
            What it was trained on, one sentence.
        with_cohort : bool
            Whether a folder was given; else the recipe made its own phantoms.
        **details
            What goes over the parameters or beside them: plain values, no paths.
        """
        return Training(
            data=data,
            recipe=cls.name,
            command=command_line(cls.name, parameters, out, with_cohort),
            seed=parameters.seed,
            details={**parameters.model_dump(mode="json"), **details},
        )


def _complaint(cls: Any) -> str | None:
    """Why something cannot be a recipe, as the end of a sentence."""
    reason = not_a_subclass(cls, Recipe, "title")
    if reason is None:
        cls().Parameters.model_json_schema()
    return reason


RECIPES: Registry[type[Recipe]] = Registry(
    "recipes",
    "training recipe",
    ["core.training.recipes", "core.training.demo"],
    judge=_complaint,
    describe=lambda cls: {"title": cls.title, "parameters": cls.Parameters.model_json_schema()},
)


def known_recipes() -> dict[str, Recipe]:
    """Every recipe by name, of this folder and of plug-ins."""
    return {name: cls() for name, cls in RECIPES.all().items()}


def get_recipe(name: str) -> Recipe:
    """Recipe by name.

    Raises
    ------
    BadInput
        When there is none; lists the ones there are.
    """
    return RECIPES.get(name)()


def model_name(out: Path) -> str:
    """Folder's name as a library name: small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", out.resolve().name.lower()).strip("-")[:64].rstrip("-") or "model"


def command_line(recipe: str, parameters: BaseModel, out: Path, with_cohort: bool) -> str:
    """Command that trains the same model again, for the card: only what differs from the defaults, no paths."""
    changed = {
        key: _as_typed(value) for key, value in parameters if value != type(parameters).model_fields[key].default
    }
    source = " --cohort DIR" if with_cohort else ""
    settings = "".join(f" --param {shlex.quote(f'{key}={value}')}" for key, value in changed.items())
    return f"python -m core train {recipe}{source} --out {model_name(out)}{settings}"


def _as_typed(value: Any) -> str:
    """A parameter's value as a person types it: a file by its name, several with commas between them."""
    if isinstance(value, Path):
        return value.name
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
