"""Typed parameters: one model per explainer from which sliders, command line and stored records all follow."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import BadInput


class Parameters(BaseModel):
    """Base of every explainer's parameters. Declare each field with `parameter`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def parameter(
    default: Any,
    help: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    scale: Literal["linear", "log"] = "linear",
    step: float | None = None,
    unit: str = "",
    group: str = "",
    paper: Any = None,
    reference: str = "",
    title: str | None = None,
    advanced: bool = False,
    picks: Literal["", "layer", "input_channel", "output_channel"] = "",
    only_for: Literal["", "classification", "regression"] = "",
) -> Any:
    """Declare one parameter of an explainer.

    Parameters
    ----------
    default : Any
        Value used unless a preset or the person says otherwise.
    help : str
        One or two sentences: what it does, what larger values mean.
    minimum, maximum : float, optional
        Inclusive range; enforced, and the ends of the slider.
    scale : {"linear", "log"}
        How the slider moves. ``log`` needs a positive minimum.
    step : float, optional
        Slider step on a linear scale.
    unit : str
        Unit shown beside the value ("mm", "iterations").
    group : str
        Heading under which the slider stands ("What to hide", "How smooth", "How long").
    paper : Any, optional
        The published value, marked on the track.
    reference : str
        Where the paper says so ("SPIE 2020, eq. 2").
    title : str, optional
        Label on screen ("λ₁ size"); the field's name when absent.
    advanced : bool
        Folded away until asked for.
    picks : {"", "layer", "input_channel", "output_channel"}
        What of the model it names, so that a screen offers what there is: a layer by its name (empty: the explainer's
        choice), or a channel of the scan or of the answer by its number from 0 (-1: all).
    only_for : {"", "classification", "regression"}
        The task of the models for which it makes a difference; empty: any.
    """
    extra = {
        "scale": scale,
        "step": step,
        "unit": unit,
        "group": group,
        "paper": paper,
        "reference": reference,
        "advanced": advanced,
        "picks": picks,
        "only_for": only_for,
    }
    return Field(default, description=help, ge=minimum, le=maximum, title=title, json_schema_extra=extra)


def validate(model: type[Parameters], values: Mapping[str, Any]) -> Parameters:
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
            raise BadInput(f"Parameter {where} is needed: {model.model_fields[where].description}.") from error
        raise BadInput(f"Parameter {where}: {first['msg']} (given: {first['input']!r}).") from error
