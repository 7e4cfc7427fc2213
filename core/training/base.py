"""What a training recipe is: a subclass of `Recipe`, in a folder of ``recipes`` or in a plug-in.

Importable without torch, so that recipes can be listed without it.
"""

import json
import re
import shlex
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cohorts.selection import COHORT_GROUP
from core.models.card import Card, Training
from core.parameters import Parameters, Parametrised
from core.progress import Report, silent
from core.registry import Registry, not_a_subclass

if TYPE_CHECKING:
    import numpy as np

    from core.training.fitting.data import TrainingImages

#: settings that the card says where it names the network
SAID_BY_THE_CARD = {"architecture", "architecture_arguments"}
#: Headings that the settings of recipes stand under, in this order: ``parameter(…, **NETWORK)``.
READ: dict[str, Any] = {"group": COHORT_GROUP, "order": 0}
DRAWN: dict[str, Any] = {"group": "What is drawn without a cohort", "order": 1}
HELD_OUT: dict[str, Any] = {"group": "What is held out", "order": 2}
NETWORK: dict[str, Any] = {"group": "Network", "order": 3}
LEARNING: dict[str, Any] = {"group": "How it learns", "order": 4}
CHANGES: dict[str, Any] = {"group": "How images are changed", "order": 5}

#: Added to a model's seed for held-out phantoms that are drawn for its statistics alone.
FRESH_SEED = 7_000_001


class Recipe(Parametrised, ABC):
    """One way to make a model; subclasses make themselves known under `name`.

    Texts, parameters and presets are class attributes as `core.parameters.Parametrised` has them. The parameters have
    a ``seed``.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        RECIPES.offer(cls)

    @abstractmethod
    def train(self, parameters: Any, cohort: Path | None, out: Path, report: Report = silent) -> Card:
        """Train and write model folder(s).

        Parameters
        ----------
        parameters : the recipe's own `parameters_model`
            See `parameters`.
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

    def training_images(
        self, parameters: Any, cohort: Path | None, card: Card, report: Report = silent
    ) -> "TrainingImages | None":
        """What a model of this recipe was trained on, made or read again without training anything.

        Parameters
        ----------
        parameters, cohort, report
            As they were for `train`.
        card : Card
            Of the model that came of it.

        Returns
        -------
        TrainingImages or None
            None where the recipe cannot tell: its models then know nothing of what they were trained on.
        """
        return None

    def healthy_subjects(
        self, parameters: Any, cohort: Path | None, card: Card, count: int, report: Report = silent
    ) -> "list[np.ndarray] | None":
        """Scans of healthy subjects that a model of this recipe was trained on, without training anything.

        Parameters
        ----------
        parameters, cohort, card, report
            As of `training_images`.
        count : int
            How many, each of another subject.

        Returns
        -------
        list of numpy.ndarray, float32, spatial shape of the model's input, or None
            None where the recipe cannot tell.
        """
        return None

    def drawn_anew(self, parameters: Any, count: int) -> Any | None:
        """Settings that draw about `count` phantoms of the same kind, none of which was drawn for the model.

        Parameters
        ----------
        parameters : the recipe's own `parameters_model`
            As they were for `train`, without a cohort.
        count : int
            How many are wanted.

        Returns
        -------
        the recipe's own `parameters_model` or None
            None where the recipe draws nothing.
        """
        return None

    @classmethod
    def record(cls, parameters: Any, out: Path, data: str, with_cohort: bool, **details: Any) -> Training:
        """How a model came to be, for its card.

        Parameters
        ----------
        parameters : the recipe's own `parameters_model`
            All of them are kept, but for the network, which the card names by itself.
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
            details={**parameters.model_dump(mode="json", exclude=SAID_BY_THE_CARD), **details},
        )


def _complaint(cls: Any) -> str | None:
    """Why something cannot be a recipe, as the end of a sentence."""
    reason = not_a_subclass(cls, Recipe, "title", "summary") or not_a_subclass(cls.parameters_model, Parameters)
    if reason is None:
        json.dumps(cls.describe())  # screens and scripts read it
        for preset in cls.presets:
            cls.parameters(preset)
    return reason


RECIPES: Registry[type[Recipe]] = Registry(
    "recipes",
    "training recipe",
    ["core.training.recipes", "core.training.demo"],
    judge=_complaint,
    describe=lambda cls: cls.describe(),
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


def command_line(recipe: str, parameters: Parameters, out: Path, with_cohort: bool) -> str:
    """Command that trains the same model again, for the card: only what differs from the defaults, no paths."""
    changed = {
        key: _as_typed(value) for key, value in parameters if value != type(parameters).model_fields[key].default
    }
    source = " --cohort DIR" if with_cohort else ""
    settings = "".join(f" --param {shlex.quote(f'{key}={value}')}" for key, value in changed.items())
    return f"python -m core train {recipe}{source} --out {model_name(out)}{settings}"


def _as_typed(value: Any) -> str:
    """A parameter's value as a person types it: a file by its name, several with commas between them, names as JSON."""
    if isinstance(value, Path):
        return value.name
    if isinstance(value, dict):
        return json.dumps(value)
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
