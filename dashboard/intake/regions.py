"""Regions for explainers that take one: what such an explainer does with it, and choosing it among landmarks."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.errors import LightboxError
from core.models.card import Card
from dashboard.backend import pool, questions
from dashboard.backend.questions import RegionRule
from dashboard.callbacks import whole
from dashboard.desk import Desk, Setting, Side, shelf
from dashboard.intake import catalogue
from dashboard.intake.catalogue import ExplainerEntry

_NONE = ""
_SIDES: dict[Side, str] = {"input": "the scan", "output": "the answer"}


def rule_of(card: Card, entry: ExplainerEntry, setting: Setting) -> RegionRule:
    """What an explainer with these parameters does with a region on a model.

    Raises
    ------
    LightboxError
        When the model cannot be loaded, or the parameters do not fit.
    """
    return _rule(card.name, catalogue.content_of(card.name), entry.name, setting.preset, dict(setting.changes))


@st.cache_data(max_entries=256, show_spinner=False)
def _rule(model: str, content: str, explainer: str, preset: str, changes: dict[str, Any]) -> RegionRule:
    return pool.ask_same(questions.region_rule, model, content, explainer, preset, changes)


def choose_region(laid: Desk, cards: Sequence[Card], entry: ExplainerEntry, setting: Setting) -> str | None:
    """Draw the choice of a region among the scan's landmarks, for an explainer that takes one.

    Parameters
    ----------
    laid : Desk
        Where the choice is kept, as `region` and `side`.
    cards : sequence of Card
        Models that are asked.
    entry : ExplainerEntry
        The explainer.
    setting : Setting
        Its parameters.

    Returns
    -------
    str or None
        Why nothing can be asked: a region is needed, and there is none.
    """
    if not entry.takes_region or laid.scan is None:
        laid.region = laid.side = None
        return None
    try:
        rule = rule_of(cards[0], entry, setting)
    except LightboxError as problem:
        return str(problem)
    names = {landmark.region: landmark.name for landmark in shelf().landmarks(laid.scan)}
    if laid.region not in names:
        laid.region = next(iter(names)) if rule.needed and names else None
    _choose_landmark(laid, names, rule)
    if laid.region is not None:
        _choose_side(laid, rule)
    else:
        laid.side = None
    if laid.region is None and rule.needed:
        return f"{entry.title} explains a marked region: draw a landmark on the scan first."
    return None


def _choose_landmark(laid: Desk, names: Mapping[str, str], rule: RegionRule) -> None:
    options = [*names] if rule.needed else [_NONE, *names]
    chosen = laid.region or _NONE
    key = f"region:{laid.page}:{laid.revision}:{laid.scan}:{hash((tuple(options), chosen))}"
    st.selectbox(
        "Region",
        options,
        index=options.index(chosen) if chosen in options else None,
        format_func=lambda region: names.get(region, "None: the whole answer"),
        placeholder="No landmark yet",
        disabled=not names,
        key=key,
        on_change=whole(_landmark_chosen),
        args=(laid, key),
        help="A landmark of the scan, which this explainer asks about. Landmarks are drawn or loaded under the images.",
    )


def _landmark_chosen(laid: Desk, key: str) -> None:
    laid.region = st.session_state[key] or None


def _choose_side(laid: Desk, rule: RegionRule) -> None:
    if laid.side not in rule.sides:
        laid.side = next(iter(rule.sides), "input")
    if len(rule.sides) < 2:
        return
    key = f"side:{laid.page}:{laid.revision}:{laid.side}"
    st.segmented_control(
        "It lies on", rule.sides, default=laid.side, format_func=_SIDES.__getitem__, required=True, key=key,
        on_change=whole(_side_chosen), args=(laid, key),
    )  # fmt: skip


def _side_chosen(laid: Desk, key: str) -> None:
    laid.side = st.session_state[key]
