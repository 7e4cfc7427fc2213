"""Typed parameters as controls: a JSON schema in, grouped sliders with the published value marked on the track out."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from dashboard.callbacks import whole
from dashboard.intake.controls.declared import (
    CHANNELS,
    FINEST,
    Control,
    by_group,
    even_step,
    format_value,
    is_number,
    parted,
)
from dashboard.look import text
from dashboard.look.text import Markup

#: Steps of a log slider within one decade.
_MANTISSAS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
#: A slider over more whole numbers than this is one nobody can set exactly: it moves in the steps of a log slider.
_FINE_STEPS = 400


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
    low = control.minimum if control.minimum > 0 else min(1.0 if whole else control.maximum * FINEST, control.maximum)
    stops = {control.minimum, control.maximum, *(float(v) for v in (control.default, control.paper) if is_number(v))}
    for decade in range(math.floor(math.log10(low)), math.ceil(math.log10(control.maximum)) + 1):
        stops |= {float(f"{mantissa}e{decade}") for mantissa in _MANTISSAS}
    stops |= {float(v) for v in present if is_number(v)}
    kept = sorted(v for v in stops if control.minimum <= v <= control.maximum)
    return sorted({round(v) for v in kept}) if whole else kept


def position(control: Control, value: Any, stops: Sequence[float] | None = None) -> float | None:
    """Where `value` lies on the control's track, 0..1; None when it is off the track or the control has none."""
    if not is_number(value) or control.minimum is None or control.maximum is None:
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
    most_open: int | None = None,
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
    most_open : int, optional
        How many are on screen at once, those with the first headings first; the rest is folded away together with what
        was declared so. Without it only the latter.
    """
    offered = offered or {}
    controls = [control for control in controls if not is_idle(control, offered)]
    draw = partial(_show, key=key, offered=offered, explainers=explainers or {}, disabled=disabled, on_change=on_change)
    shown, folded = parted(controls, most_open)
    for members, place in ((shown, st.container()), (folded, st.expander("More settings") if folded else None)):
        if place is None:
            continue
        with place:
            groups = by_group(members)
            for group, few in groups.items():
                if group and (members is shown or len(groups) > 1):
                    st.markdown(f"## {group}")
                for control in few:
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
        words = _channel_words if control.picks in CHANNELS else control.called
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
    step = number(control.step or (1 if control.kind == "integer" else even_step(low, high)))
    st.slider(control.label, low, high, number(value), step, format=None if number is int else "%.4g", **common)
    _mark(control, position(control, control.paper))


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
    facts = [f"Default {control.called(control.default)}"]
    if control.paper is not None:
        source = f" ({control.reference})" if control.reference else ""
        facts.append(f"paper {control.called(control.paper)}{source}")
    elif control.reference:
        facts.append(control.reference)
    return "\n\n".join([*lines, " · ".join(facts), f"`{control.name}` on the command line"])
