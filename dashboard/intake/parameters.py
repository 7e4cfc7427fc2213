"""Parameters of an explainer on the left of a page: presets, reset, undo and the sliders."""

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any, Literal

import streamlit as st

from core.models.card import Card
from dashboard.callbacks import whole
from dashboard.desk import Desk, Setting
from dashboard.intake import catalogue
from dashboard.intake.catalogue import ExplainerEntry
from dashboard.intake.controls import widgets
from dashboard.intake.controls.declared import Control, format_value
from dashboard.look import text

#: More presets than this do not fit beside each other; nor do more classes.
_SIDE_BY_SIDE = 3
_CLASSES_SIDE_BY_SIDE = 4
#: Letters for which there is room in a row, and what the frame of each choice takes of it.
_LETTERS_SIDE_BY_SIDE, _AROUND_A_TITLE = 30, 4
#: The same of presets, which stand beside two buttons.
_LETTERS_OF_PRESETS = 24
#: Settings of an explainer that are on screen before anybody asks for more.
_OPEN = 4


def show_settings(
    laid: Desk,
    entry: ExplainerEntry,
    *,
    cards: Sequence[Card] = (),
    shape: Sequence[int] = (),
    disabled: bool = False,
    without: Collection[str] = (),
) -> Setting:
    """Draw them; returns what they stand at.

    Parameters
    ----------
    laid : Desk
        Where they are kept.
    entry : ExplainerEntry
        Whose.
    cards : sequence of Card
        Models that are asked: of their layers and channels those can be picked that all have.
    shape : sequence of int
        Of the scan, channels first; empty while there is none.
    disabled : bool
        Nothing can be moved now.
    without : collection of str
        Parameters that the page sets by other means. Those that follow from where a region lies are never drawn.
    """
    tasks = {card.task for card in cards}
    setting = laid.setting(entry.name, entry.first_preset)
    _presets(laid, entry, setting)
    widgets.show_controls(
        [
            control
            for control in entry.controls
            if control.name not in entry.set_by_region.union(without) and (not tasks or _matters(control, tasks))
        ],
        {**entry.values(setting.preset), **setting.changes},
        key=f"parameter:{entry.name}:{laid.page}:{laid.revision}",
        offered=_offered(cards, shape),
        explainers={name: known.title for name, known in catalogue.explainer_entries().items()},
        disabled=disabled,
        most_open=_OPEN if entry.name in catalogue.explainer_entries() else None,
        on_change=whole(partial(_changed, laid, entry)),
    )
    return laid.setting(entry.name, entry.first_preset)


def _matters(control: Control, tasks: Collection[str]) -> bool:
    return not control.only_for or control.only_for in tasks


def _offered(cards: Sequence[Card], shape: Sequence[int]) -> dict[str, Sequence[Any]]:
    """What of the models can be picked; channels by number, -1 for all of them."""
    if not cards:
        return {}
    shared = [name for name in cards[0].feature_layers if all(name in card.feature_layers for card in cards)]
    made = min(card.output.channels if card.output is not None else 1 for card in cards)
    counts = {"input_channel": shape[0] if shape else 1, "output_channel": made}
    return {"layer": shared, **{name: range(-1, count) if count > 1 else () for name, count in counts.items()}}


def choose_class(laid: Desk, card: Card, label: str, help_text: str | None = None) -> None:
    """Draw the choice of the class that is asked about; nothing for models that name no classes.

    Parameters
    ----------
    laid : Desk
        Where the choice is kept, as `target`; one the model does not have becomes the card's.
    card : Card
        The model's.
    label, help_text : str
        Beside the choice.
    """
    if card.task != "classification":
        laid.target = None
        return
    if laid.target not in card.classes:
        laid.target = card.target or card.classes[0]
    key = f"target:{laid.page}:{laid.revision}:{card.name}"
    common: dict[str, Any] = {"key": key, "on_change": whole(_class_chosen), "args": (laid, key), "help": help_text}
    if len(card.classes) > _CLASSES_SIDE_BY_SIDE:
        # a class that was not chosen here (a new scan has another one) needs a new box
        common["key"] = key = f"{key}:{laid.target}"
        common["args"] = (laid, key)
        index = card.classes.index(laid.target)
        st.selectbox(label, card.classes, index=index, format_func=card.called, **common)
    else:
        _few_classes(laid.target, card, label, common)


def _few_classes(chosen: str, card: Card, label: str, common: dict[str, Any]) -> None:
    """Classes beside each other while their titles have room there; else one below the other."""
    titles = {name: text.as_markdown(card.title_of(name)) for name in card.classes}
    if sum(len(title) + _AROUND_A_TITLE for title in titles.values()) > _LETTERS_SIDE_BY_SIDE:
        titles = {name: text.as_markdown(card.called(name)) for name in card.classes}
        st.radio(label, card.classes, index=card.classes.index(chosen), format_func=lambda name: titles[name], **common)
    else:
        st.segmented_control(
            label, card.classes, default=chosen, required=True, format_func=lambda name: titles[name], **common
        )


def _class_chosen(laid: Desk, key: str) -> None:
    laid.target = st.session_state[key]


def _presets(laid: Desk, entry: ExplainerEntry, setting: Setting) -> None:
    values = entry.values(setting.preset)
    modified = any(values.get(name) != value for name, value in setting.changes.items())
    names = list(entry.presets)
    align: Literal["center", "bottom"] = "center" if len(names) == 1 else "bottom"
    with st.container(horizontal=True, vertical_alignment=align, wrap=False, gap="xxsmall", key="presets"):
        key = f"preset:{entry.name}:{laid.page}:{laid.revision}"
        label = "Settings, changed" if modified else "Settings"
        common: dict[str, Any] = {
            "label": label,
            "options": names,
            "format_func": format_value,
            "key": key,
            "on_change": whole(_preset_chosen),
            "args": (laid, entry.name, key),
            "width": "stretch",
            "help": _presets_help(entry),
        }
        if len(names) == 1:  # nothing to choose: the two buttons alone
            text.show(text.quiet(label), width="stretch")
        elif len(names) > _SIDE_BY_SIDE or sum(len(name) + _AROUND_A_TITLE for name in names) > _LETTERS_OF_PRESETS:
            st.selectbox(index=names.index(setting.preset), **common)
        else:
            st.segmented_control(default=setting.preset, required=True, **common)
        st.button(
            "",
            icon=":material/restart_alt:",
            type="tertiary",
            help="Reset to the chosen settings",
            key="reset parameters",
            disabled=not modified,
            on_click=whole(laid.choose_preset),
            args=(entry.name, setting.preset),
        )
        st.button(
            "",
            icon=":material/undo:",
            type="tertiary",
            help="Undo the last change",
            key="undo parameters",
            disabled=not laid.can_undo,
            on_click=whole(laid.undo),
        )


def _presets_help(entry: ExplainerEntry) -> str:
    lines = [f"- **{format_value(name)}**: {words}" for name, words in entry.preset_help.items()]
    first = "Named settings of this explainer. Reset goes back to them, undo takes back the last change."
    return "\n".join([first, "", *lines])


def _preset_chosen(laid: Desk, explainer: str, key: str) -> None:
    laid.choose_preset(explainer, st.session_state[key])


def _changed(laid: Desk, entry: ExplainerEntry, name: str, key: str) -> None:
    value = st.session_state[key]
    control = next(control for control in entry.controls if control.name == name)
    if control.kind == "text" and value == "":
        value = control.default
    laid.change(entry.name, laid.setting(entry.name, entry.first_preset), name, value)
