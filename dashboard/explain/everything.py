"""All explainers on one scan: each that fits is asked in its first preset, and the results stand side by side."""

import streamlit as st

from core.errors import LightboxError
from core.models.card import Card
from core.runs import ExplanationSpec
from dashboard.callbacks import whole
from dashboard.desk import Setting, owner, shelf
from dashboard.explain.desk import ExplainDesk
from dashboard.frame import opening
from dashboard.intake import catalogue
from dashboard.intake.catalogue import ExplainerEntry, in_order
from dashboard.intake.order import Order
from dashboard.intake.regions import rule_of

#: Results that stand side by side at most.
_MOST = 9


def show(laid: ExplainDesk, order: Order) -> None:
    """The button; grey where there is no scan or no model, or only one explainer fits."""
    card = order.card if laid.scan is not None and order.shape is not None else None
    st.button(
        "All explainers",
        icon=":material/view_column:",
        key="explain all",
        width="stretch",
        disabled=card is None,
        help=(
            "Asks every explainer that fits this model, each in its first preset, and puts the results side by side on "
            "Compare. What ran before is found again."
        ),
        on_click=whole(_start),
        args=(laid, card),
    )


def _start(laid: ExplainDesk, card: Card | None) -> None:
    """Ask all, and turn to the page that shows them. A callback, so that a press is never lost."""
    if card is None or laid.scan is None:
        return
    try:
        asked = specs(laid, card)
        if len(asked) < 2:
            laid.problem = "Fewer than two explainers fit this model: there is nothing to put side by side."
            return
        opening.go_to(opening.open_together([shelf().submit(spec) for spec in asked]).name)
    except LightboxError as problem:
        laid.problem = str(problem)


def specs(laid: ExplainDesk, card: Card) -> list[ExplanationSpec]:
    """One request for each explainer that fits a model, in their order.

    Parameters
    ----------
    laid : ExplainDesk
        Whose scan, class and marked region are asked about.
    card : Card
        The model's.

    Raises
    ------
    LightboxError
        When the model cannot be loaded.
    """
    unfit = catalogue.unfit_explainers(card)
    entries = [entry for entry in catalogue.explainer_entries().values() if entry.name not in unfit]
    found = []
    for entry in sorted(entries, key=in_order):
        region = laid.region if entry.takes_region else None
        if region is None and _needs_region(card, entry):
            continue
        steered = entry.steered.get(laid.side or "input", {}) if region is not None else {}
        found.append(
            ExplanationSpec(
                owner=owner(), scan=laid.scan or "", model=card.name, explainer=entry.name, target=laid.target,
                preset=entry.first_preset, parameters=dict(steered), region=region,
            )
        )  # fmt: skip
    return found[:_MOST]


def _needs_region(card: Card, entry: ExplainerEntry) -> bool:
    return entry.takes_region and rule_of(card, entry, Setting(entry.first_preset)).needed
