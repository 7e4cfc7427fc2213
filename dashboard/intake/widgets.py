"""Typed parameters as controls: a JSON schema in, grouped sliders with the published value marked on the track out."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import streamlit as st

from dashboard.callbacks import whole
from dashboard.look import text
from dashboard.look.text import Markup

Kind = Literal["number", "integer", "choice", "switch", "text"]

#: Heading of parameters that were declared without a group.
UNGROUPED = "Settings"
#: Steps of a log slider within one decade.
_MANTISSAS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
#: A slider over more whole numbers than this is one nobody can set exactly: it moves in the steps of a log slider.
_FINE_STEPS = 400
#: What of a model is picked by number, counted from 0.
CHANNELS = ("input_channel", "output_channel")
#: Share of its range that the lowest stop of a log slider has where 0 is the end.
_FINEST = 1e-6


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
    advanced: bool = False
    order: int = 0
    picks: str = ""
    only_for: str = ""

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


def _control(name: str, field: Mapping[str, Any], definitions: Mapping[str, Any]) -> Control:
    types = _types(field, definitions)
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
    minimum, maximum = _ends({**{key: value for part in types for key, value in part.items()}, **field}, kind)
    return Control(
        name=name,
        title=_title(name, field),
        help=field.get("description", ""),
        kind=kind,
        default=field.get("default"),
        unit=field.get("unit") or "",
        group=field.get("group") or UNGROUPED,
        paper=field.get("paper"),
        reference=field.get("reference") or "",
        minimum=minimum,
        maximum=maximum,
        step=field.get("step"),
        scale=field.get("scale") or "linear",
        choices=choices,
        advanced=bool(field.get("advanced")),
        order=field.get("order") or 0,
        picks=field.get("picks") or "",
        only_for=field.get("only_for") or "",
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
        step = _FINEST * (top - bottom)
    else:
        step = field.get("step") or _even_step(bottom, top)
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


def slider_values(control: Control, *present: Any) -> list[float | int]:
    """Stops of a log slider: round numbers over its range, and every value in `present` exactly.

    Parameters
    ----------
    control : Control
        A number with minimum and maximum. A range that starts at 0 gets a stop at 0 and a decade scale above it.
    *present : float or None
        Values that must be reachable: default, published value, presets, the current one.
    """
    if control.minimum is None or control.maximum is None:
        raise ValueError(f"{control.name} has no range")
    whole = control.kind == "integer"
    low = control.minimum if control.minimum > 0 else min(1.0 if whole else control.maximum * _FINEST, control.maximum)
    stops = {control.minimum, control.maximum, *(float(v) for v in (control.default, control.paper) if _is_number(v))}
    for decade in range(math.floor(math.log10(low)), math.ceil(math.log10(control.maximum)) + 1):
        stops |= {float(f"{mantissa}e{decade}") for mantissa in _MANTISSAS}
    stops |= {float(v) for v in present if _is_number(v)}
    kept = sorted(v for v in stops if control.minimum <= v <= control.maximum)
    return sorted({round(v) for v in kept}) if whole else kept


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def format_value(value: Any) -> str:
    """A value as it stands beside its slider: 0.0001 → 1e-4, 1500 → 1,500."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if not _is_number(value):
        return str(value).replace("_", " ") if value not in (None, "") else "automatic"
    if value and (abs(value) < 1e-3 or abs(value) >= 1e6):
        mantissa, exponent = f"{value:.3g}".split("e") if "e" in f"{value:.3g}" else f"{value:.2e}".split("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def position(control: Control, value: Any, stops: Sequence[float] | None = None) -> float | None:
    """Where `value` lies on the control's track, 0..1; None when it is off the track or the control has none."""
    if not _is_number(value) or control.minimum is None or control.maximum is None:
        return None
    if not control.minimum <= value <= control.maximum or control.maximum == control.minimum:
        return None
    if stops is not None:
        return list(stops).index(value) / (len(stops) - 1) if value in stops else None
    return (value - control.minimum) / (control.maximum - control.minimum)


def is_log(control: Control) -> bool:
    """Whether its slider moves over round numbers on a log scale rather than evenly."""
    if control.minimum is None or control.maximum is None or control.kind not in ("number", "integer"):
        return False
    many = control.kind == "integer" and control.step is None and control.maximum - control.minimum > _FINE_STEPS
    return control.scale == "log" or many


def show_controls(
    controls: Sequence[Control],
    values: Mapping[str, Any],
    *,
    key: str,
    offered: Mapping[str, Sequence[Any]] | None = None,
    explainers: Mapping[str, str] | None = None,
    disabled: bool = False,
    on_change: Callable[[str, str], None],
) -> None:
    """Draw the controls in their groups; `on_change(parameter name, widget key)` hears of every move.

    Parameters
    ----------
    controls : sequence of Control
        From `read_schema`.
    values : mapping of str to Any
        What they stand at.
    key : str
        Prefix of the widget keys. A new prefix makes the controls start again from `values`.
    offered : mapping of str to sequence, optional
        What of the model can be picked, by `Control.picks`. A channel among fewer than two is no choice, and not drawn.
    explainers : mapping of str to str
        Explainers that a person may pick, name → title.
    disabled : bool
        Nothing can be moved now.
    """
    offered = offered or {}
    controls = [control for control in controls if not is_idle(control, offered)]
    draw = partial(_show, key=key, offered=offered, explainers=explainers or {}, disabled=disabled, on_change=on_change)
    groups: dict[str, list[Control]] = {}
    for control in controls:
        # which of several channels is asked about is never folded away
        folded = control.advanced and control.picks not in CHANNELS
        groups.setdefault("More" if folded else control.group, []).append(control)
    more = groups.pop("More", [])
    for group, members in sorted(groups.items(), key=lambda item: max(control.order for control in item[1])):
        if group:
            st.markdown(f"## {group}")
        for control in members:
            draw(control, values.get(control.name, control.default))
    if more:
        with st.expander("More settings"):
            for control in more:
                draw(control, values.get(control.name, control.default))


def _show(
    control: Control,
    value: Any,
    *,
    key: str,
    offered: Mapping[str, Sequence[Any]],
    explainers: Mapping[str, str],
    disabled: bool,
    on_change: Callable[[str, str], None],
) -> None:
    widget = f"{key}:{control.name}"
    common: dict[str, Any] = {
        "key": widget,
        "help": help_text(control),
        "disabled": disabled,
        "on_change": whole(on_change),
        "args": (control.name, widget),
    }
    choices: Sequence[Any] = control.choices or _picked_from(control, offered)
    if control.picks in ("explainer", "explainers") and explainers:
        _explainers(control, value, explainers, common)
    elif choices:
        start = list(choices).index(value) if value in choices else 0
        words = _channel_words if control.picks in CHANNELS else format_value
        st.selectbox(control.label, choices, index=start, format_func=words, **common)
    elif control.kind == "switch":
        st.toggle(control.label, value=bool(value), **common)
    elif control.kind in ("number", "integer") and control.minimum is not None and control.maximum is not None:
        _slider(control, value, common)
    elif control.kind in ("number", "integer"):
        st.number_input(control.label, value=value, **common)
    else:
        st.text_input(control.label, value=_as_text(value), **common)


def _explainers(control: Control, value: Any, explainers: Mapping[str, str], common: dict[str, Any]) -> None:
    """One explainer, or several, by their titles."""
    chosen = [name for name in _as_text(value).split(", ") if name in explainers]
    common |= {"format_func": lambda name: explainers.get(name, name)}
    if control.picks == "explainers":
        st.multiselect(control.label, list(explainers), default=chosen, **common)
    else:
        index = list(explainers).index(chosen[0]) if chosen else None
        st.selectbox(control.label, list(explainers), index=index, **common)


def is_idle(control: Control, offered: Mapping[str, Sequence[Any]]) -> bool:
    """Whether it picks a channel where there is but one."""
    return control.picks in CHANNELS and len(offered.get(control.picks, (0, 1))) < 2


def _picked_from(control: Control, offered: Mapping[str, Sequence[Any]]) -> Sequence[Any]:
    """What can be picked, with the explainer's own choice in front where it has one that is not among them."""
    known = list(offered.get(control.picks, ()))
    return [control.default, *known] if known and control.default not in known else known


def _channel_words(number: int) -> str:
    return "all together" if number < 0 else str(number + 1)


def _as_text(value: Any) -> str:
    """A value as it is typed: several with commas between them."""
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _slider(control: Control, value: Any, common: dict[str, Any]) -> None:
    number = int if control.kind == "integer" else float
    value = control.default if value is None else value
    if is_log(control):
        # number() again: a stop and a default that are equal must also be of one type
        stops = [number(v) for v in slider_values(control, value)]
        st.select_slider(control.label, stops, value=number(value), format_func=format_value, **common)
        _mark(control, position(control, control.paper, stops))
        return
    assert control.minimum is not None and control.maximum is not None
    low, high = number(control.minimum), number(control.maximum)
    step = number(control.step or (1 if control.kind == "integer" else _even_step(low, high)))
    st.slider(control.label, low, high, number(value), step, format=None if number is int else "%.4g", **common)
    _mark(control, position(control, control.paper))


def _even_step(low: float, high: float) -> float:
    """About a hundred steps of a round size."""
    return float(10.0 ** math.floor(math.log10((high - low) / 50)))


def _mark(control: Control, place: float | None) -> None:
    """A tick on the slider's track where the published value lies, with its number below."""
    if place is None:
        return
    # towards the ends the words would leave the sidebar: they hang from the tick's other side
    side = "right" if place > 0.5 else "left"
    mark = Markup(
        "<div class='paper-mark'><div class='paper-track'><i style='left:{0:.2%}'></i>"
        "<span class='{1}' style='left:{0:.2%}'>paper {2}</span></div></div>"
    )
    text.show(mark.format(place, side, format_value(control.paper)))


def help_text(control: Control) -> str:
    """Help of a control: what it does, the default, the published value and where it is published."""
    lines = [control.help] if control.help else []
    facts = [f"Default {format_value(control.default)}"]
    if control.paper is not None:
        source = f" ({control.reference})" if control.reference else ""
        facts.append(f"paper {format_value(control.paper)}{source}")
    elif control.reference:
        facts.append(control.reference)
    return "\n\n".join([*lines, " · ".join(facts)])
