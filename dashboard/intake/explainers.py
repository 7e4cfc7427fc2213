"""Choosing an explainer for one model or several."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from core.errors import LightboxError
from core.models.card import Card
from dashboard.callbacks import whole
from dashboard.desk import Desk
from dashboard.frame import help
from dashboard.intake import catalogue
from dashboard.intake.catalogue import ExplainerEntry, in_order
from dashboard.look import text


def choose_explainer(
    laid: Desk,
    cards: Sequence[Card],
    *,
    offered: Callable[[ExplainerEntry], bool] = lambda entry: True,
    first: Callable[[ExplainerEntry], Any] = in_order,
    alone: bool = True,
) -> tuple[ExplainerEntry | None, str | None]:
    """Draw the list of explainers; returns the one that is chosen, and why it cannot be asked.

    Parameters
    ----------
    laid : Desk
        Where the choice is kept.
    cards : sequence of Card
        Models that it must fit, all of them. What does not fit stands last, and says why when it is chosen.
    offered : callable
        Which explainers the page offers.
    first : callable
        Key by which they are sorted.
    alone : bool
        Draw a list of one, too.
    """
    entries = {name: entry for name, entry in catalogue.explainer_entries().items() if offered(entry)}
    if not entries:
        return None, "No explainer that fits this page is installed."
    if len(entries) == 1 and not alone:
        laid.explainer = next(iter(entries))
        return entries[laid.explainer], None
    try:
        reasons = _unfit(cards)
    except LightboxError as problem:
        return None, str(problem)
    names = sorted(entries, key=lambda name: (name in reasons, first(entries[name])))
    models = tuple(card.name for card in cards)
    moved = bool(laid.explainer_for) and laid.explainer_for != models
    # what a person chose stays and says why it does not fit; for other models than it was chosen for another is taken
    if laid.explainer not in entries or (moved and laid.explainer in reasons):
        laid.explainer = names[0]
    laid.explainer_for = models
    entry = entries[laid.explainer]
    key = f"explainer:{laid.page}:{laid.revision}:{','.join(card.name for card in cards)}"
    st.selectbox(
        "Explainer",
        names,
        index=names.index(entry.name),
        format_func=lambda name: entries[name].title + _aside(name, reasons),
        key=key,
        on_change=whole(_chosen),
        args=(laid, key),
        help=_help(entry),
    )
    return entry, reasons.get(entry.name)


def _help(entry: ExplainerEntry) -> str:
    page = help.page_of_explainer(entry.name)
    more = f"[More on {text.as_markdown(entry.title)}]({help.address_of(page)})" if page else ""
    return "\n\n".join(words for words in (entry.summary, entry.reference, more) if words)


def _aside(name: str, reasons: Mapping[str, str]) -> str:
    return " (does not fit)" if name in reasons else ""


def _unfit(cards: Sequence[Card]) -> dict[str, str]:
    """Explainers that do not fit every model, with the first model's reason."""
    found: dict[str, str] = {}
    for card in cards:
        for name, reason in catalogue.unfit_explainers(card).items():
            found.setdefault(name, reason if len(cards) == 1 else f"{card.title}: {reason}")
    return found


def _chosen(laid: Desk, key: str) -> None:
    laid.explainer = st.session_state[key]
