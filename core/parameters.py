"""Typed parameters: declared once, from which sliders, command line, stored records and help all follow.

An explainer, a study and a training recipe are each a `Parametrised` thing with a model of `Parameters`.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from core.errors import BadInput

#: What a parameter may name, see `parameter`.
Picks = Literal[
    "", "layer", "input_channel", "output_channel", "architecture", "explainer", "explainers", "models", "region"
]


class Parameters(BaseModel):
    """Base of all typed parameters. Declare each field with `parameter`.

    Raises
    ------
    TypeError
        When a subclass is made with a field that was declared otherwise: no screen could explain it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        for name, field in cls.model_fields.items():
            if not _is_declared(field):
                raise TypeError(f"{cls.__name__}.{name} must be declared with parameter(default, help).")


_Model = TypeVar("_Model", bound=Parameters)


def parameter(
    default: Any,
    help: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    above: float | None = None,
    below: float | None = None,
    scale: Literal["linear", "log"] = "linear",
    step: float | None = None,
    unit: str = "",
    group: str = "",
    order: int = 0,
    paper: Any = None,
    reference: str = "",
    title: str | None = None,
    words: Mapping[str, str] | None = None,
    advanced: bool = False,
    picks: Picks = "",
    only_for: Literal["", "classification", "regression"] = "",
) -> Any:
    """Declare one parameter of an explainer, a study or a recipe.

    Parameters
    ----------
    default : Any
        Value used unless a preset or the person says otherwise; ``...`` where there is none and one must be given.
    help : str
        One or two sentences: what it does, what larger values mean.
    minimum, maximum : float, optional
        Inclusive range; enforced, and the ends of the slider.
    above, below : float, optional
        The same where the end itself is not allowed; the slider ends one step before it.
    scale : {"linear", "log"}
        How the slider moves. ``log`` needs a positive minimum, or ``above=0``.
    step : float, optional
        Slider step on a linear scale.
    unit : str
        Unit shown beside the value ("mm", "iterations").
    group : str
        Heading under which the slider stands ("What to hide", "How smooth", "How long").
    order : int
        Place of that group: those of larger numbers stand further down, of equals the one declared first comes first.
    paper : Any, optional
        The published value, marked on the track.
    reference : str
        Where the paper says so ("SPIE 2020, eq. 2").
    title : str, optional
        Label on screen, a plain name before the paper's letter ("Size penalty (λ₁)"); the field's name when absent.
    words : mapping of str to str, optional
        What choices are called on screen, by their values; one that is not in it is called by its value.
    advanced : bool
        Folded away until asked for.
    picks : str
        One of `Picks`: what it names, so that a screen offers what there is. A layer of the model by its name (empty:
        the explainer's choice), a channel of the scan or of the answer by its number from 0 (-1: all), an architecture,
        one or several explainers, further models, or the file of a marked region.
    only_for : {"", "classification", "regression"}
        The task of the models for which it makes a difference; empty: any.
    """
    extra = {
        "scale": scale,
        "step": step,
        "unit": unit,
        "group": group,
        "order": order,
        "paper": paper,
        "reference": reference,
        "words": dict(words or {}),
        "advanced": advanced,
        "picks": picks,
        "only_for": only_for,
    }
    return Field(
        default,
        description=help,
        ge=minimum,
        le=maximum,
        gt=above,
        lt=below,
        title=title,
        json_schema_extra=extra,
    )


def _is_declared(field: FieldInfo) -> bool:
    """Whether `parameter` made it, with a help."""
    return isinstance(field.json_schema_extra, dict) and "picks" in field.json_schema_extra and bool(field.description)


def validate(model: type[_Model], values: Mapping[str, Any]) -> _Model:
    """Build `model` from `values` (strings from a command line are converted).

    Raises
    ------
    BadInput
        Naming the first parameter that is unknown or out of range, and what it takes.
    """
    unknown = [name for name in values if name not in model.model_fields]
    if unknown:
        known = ", ".join(model.model_fields)
        raise BadInput(f"There is no parameter {unknown[0]!r}; there are {known}.")
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "parameters"
        if first["type"] == "missing":
            told = str(model.model_fields[where].description).rstrip(".")
            raise BadInput(f"Parameter {where} is needed: {told}.") from error
        # what a validator of a field says is a sentence already
        said = first["msg"].removeprefix("Value error, ")
        raise BadInput(f"Parameter {where}: {said} (given: {first['input']!r}).") from error


class Parametrised:
    """What people find by its name and set by typed parameters: an explainer, a study, a training recipe.

    Class attributes
    ----------------
    name : str
        Short name for command line and records.
    title, summary : str
        For people: a heading, and one sentence on what it does.
    reference : str
        The paper, with section or equation; empty where there is none.
    parameters_model : type of Parameters
        Typed parameters.
    presets : mapping of str to mapping
        Named settings over the defaults; the first is used unless another is asked for.
    preset_help : mapping of str to str
        What each of them is for, a few words.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    reference: ClassVar[str] = ""
    parameters_model: ClassVar[type[Parameters]] = Parameters
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"default": {}}
    preset_help: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def parameters(cls, preset: str | None = None, values: Mapping[str, Any] | None = None) -> Any:
        """Parameters of a preset (None: the first) with `values` on top, as the class's own `parameters_model`.

        Strings of a command line are converted.

        Raises
        ------
        BadInput
            For an unknown preset or parameter, or a value out of range.
        """
        chosen = preset or next(iter(cls.presets))
        if chosen not in cls.presets:
            raise BadInput(f"{cls.title} has no preset {chosen!r}; it has {', '.join(cls.presets)}.")
        return validate(cls.parameters_model, {**cls.presets[chosen], **(values or {})})

    @classmethod
    def describe(cls) -> dict[str, Any]:
        """What a screen or a script needs to know: texts, presets, JSON schema of the parameters."""
        return {
            "name": cls.name,
            "title": cls.title,
            "summary": cls.summary,
            "reference": cls.reference,
            "presets": {name: dict(values) for name, values in cls.presets.items()},
            "preset_help": dict(cls.preset_help),
            "parameters": cls.parameters_model.model_json_schema(),
        }
