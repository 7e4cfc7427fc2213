"""Typed parameters as a screen sees them: a JSON schema in, controls with their words, ends and groups out."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["number", "integer", "choice", "switch", "text"]

#: Heading of parameters that were declared without a group.
UNGROUPED = "Settings"
#: What of a model is picked by number, counted from 0.
CHANNELS = ("input_channel", "output_channel")
#: Share of its range that the lowest stop of a log slider has where 0 is the end.
FINEST = 1e-6


@dataclass(frozen=True)
class Control:
    """One parameter as a screen sees it.

    Parameters
    ----------
    name, title, help, unit, group, reference : str
        As declared with `core.parameters.parameter`.
    kind : {"number", "integer", "choice", "switch", "text"}
        Which control it gets.
    default, paper : Any
        Default, and the published value (None where there is none).
    minimum, maximum, step : float, optional
        Range of a number; both ends can be chosen.
    scale : {"linear", "log"}
        How its slider moves.
    choices : tuple
        Values of a choice.
    words : mapping of str to str
        What choices are called, by their values.
    advanced : bool
        Folded away until asked for.
    order : int
        Place of its group: of larger numbers further down.
    picks : str
        What it names, see `core.parameters.parameter`; empty for most.
    only_for : str
        The task of the models for which it makes a difference; empty: any.
    """

    name: str
    title: str
    help: str
    kind: Kind
    default: Any
    unit: str = ""
    group: str = ""
    paper: Any = None
    reference: str = ""
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    scale: str = "linear"
    choices: tuple[Any, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    advanced: bool = False
    order: int = 0
    picks: str = ""
    only_for: str = ""

    def called(self, value: Any) -> str:
        """A value in words."""
        return self.words.get(value) or format_value(value) if isinstance(value, str) else format_value(value)

    @property
    def label(self) -> str:
        """Title with its unit, where that says more."""
        # Greek letters are the paper's names: λ is not Λ
        title = self.title[:1].upper() + self.title[1:] if self.title[:1].isascii() else self.title
        return f"{title} ({self.unit})" if self.unit and self.unit not in title.lower() else title


def read_schema(schema: Mapping[str, Any]) -> list[Control]:
    """Controls of a parameter model's JSON schema (`core.explainers.registry.describe`), in order of declaration."""
    definitions = schema.get("$defs", {})
    return [_control(name, field, definitions) for name, field in schema.get("properties", {}).items()]


def _control(name: str, declared: Mapping[str, Any], definitions: Mapping[str, Any]) -> Control:
    types = _types(declared, definitions)
    choices = tuple(value for part in types for value in _choices(part))
    kind: Kind = "text"
    if choices:
        kind = "choice"
    elif any(part.get("type") == "boolean" for part in types):
        kind = "switch"
    elif any(part.get("type") == "number" for part in types):
        kind = "number"
    elif any(part.get("type") == "integer" for part in types):
        kind = "integer"
    minimum, maximum = _ends({**{key: value for part in types for key, value in part.items()}, **declared}, kind)
    return Control(
        name=name,
        title=_title(name, declared),
        help=declared.get("description", ""),
        kind=kind,
        default=declared.get("default"),
        unit=declared.get("unit") or "",
        group=declared.get("group") or UNGROUPED,
        paper=declared.get("paper"),
        reference=declared.get("reference") or "",
        minimum=minimum,
        maximum=maximum,
        step=declared.get("step"),
        scale=declared.get("scale") or "linear",
        choices=choices,
        words=declared.get("words") or {},
        advanced=bool(declared.get("advanced")),
        order=declared.get("order") or 0,
        picks=declared.get("picks") or "",
        only_for=declared.get("only_for") or "",
    )


def _ends(field: Mapping[str, Any], kind: Kind) -> tuple[float | None, float | None]:
    """The smallest and the largest value that can be chosen; an end that is not allowed itself is stepped over."""
    low, high = field.get("minimum"), field.get("maximum")
    above, below = field.get("exclusiveMinimum"), field.get("exclusiveMaximum")
    if above is None and below is None:
        return low, high
    bottom, top = above if low is None else low, below if high is None else high
    if kind == "integer":
        step = 1.0
    elif bottom is None or top is None:
        return low, high
    elif field.get("scale") == "log":
        step = FINEST * (top - bottom)
    else:
        step = field.get("step") or even_step(bottom, top)
    # rounded, or 0.6 less 0.01 would be a little more than 0.59
    return (
        low if above is None else float(f"{above + step:.9g}"),
        high if below is None else float(f"{below - step:.9g}"),
    )


def _title(name: str, field: Mapping[str, Any]) -> str:
    """The declared title; pydantic makes up one in capitals where none was declared."""
    words = name.replace("_", " ")
    return words if field.get("title") in (None, "", words.title()) else str(field["title"])


def _types(field: Mapping[str, Any], definitions: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The field itself, or the parts of an optional or referenced one."""
    parts = field.get("anyOf") or field.get("allOf") or [field]
    return [definitions[part["$ref"].rsplit("/", 1)[-1]] if "$ref" in part else part for part in parts]


def _choices(part: Mapping[str, Any]) -> Sequence[Any]:
    return part["enum"] if "enum" in part else [part["const"]] if "const" in part else []


def is_number(value: Any) -> bool:
    """Whether it is one; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def format_value(value: Any) -> str:
    """A value as it stands beside its slider: 0.0001 → 1e-4, 1500 → 1,500."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if not is_number(value):
        return str(value).replace("_", " ") if value not in (None, "") else "automatic"
    if value and (abs(value) < 1e-3 or abs(value) >= 1e6):
        mantissa, exponent = f"{value:.3g}".split("e") if "e" in f"{value:.3g}" else f"{value:.2e}".split("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def parted(controls: Sequence[Control], most_open: int | None) -> tuple[list[Control], list[Control]]:
    """Those that are on screen at once, and those that are folded away; see `show_controls`."""
    ranked = [control for group in by_group(controls).values() for control in group]
    shown: list[str] = []
    counted = 0
    for control in ranked:
        # which of several channels is asked about is never folded away
        if control.picks in CHANNELS:
            shown.append(control.name)
        elif not control.advanced and (most_open is None or counted < most_open):
            shown.append(control.name)
            counted += 1
    return [c for c in controls if c.name in shown], [c for c in controls if c.name not in shown]


def by_group(controls: Sequence[Control]) -> dict[str, list[Control]]:
    """Controls by heading, in the order of the headings."""
    groups: dict[str, list[Control]] = {}
    for control in controls:
        groups.setdefault(control.group, []).append(control)
    return dict(sorted(groups.items(), key=lambda item: max(control.order for control in item[1])))


def even_step(low: float, high: float) -> float:
    """About a hundred steps of a round size."""
    return float(10.0 ** math.floor(math.log10((high - low) / 50)))
