"""The left side of the Explain page: what goes in."""

from dataclasses import dataclass

import streamlit as st

from core.models.card import Card
from dashboard.desk import Desk, Setting, use_model
from dashboard.explain.desk import explain_desk
from dashboard.intake import catalogue, demo, predictions, scans
from dashboard.intake.catalogue import ExplainerEntry
from dashboard.intake.parameters import choose_class, show_settings
from dashboard.look import text


@dataclass(frozen=True)
class Order:
    """Everything that is chosen. `refusal` says why it cannot be explained as it stands."""

    scan: str | None
    shape: tuple[int, ...] | None
    card: Card | None
    entry: ExplainerEntry | None
    setting: Setting | None
    refusal: str | None


def show_intake() -> Order:
    """Draw scan, model, explainer, class and parameters; returns what is chosen."""
    laid = explain_desk()
    scans.choose_scan(laid, offered=_for_classifiers)
    scans.upload(laid)
    shape = scans.shape_of(laid)
    card = _choose_model(laid, shape)
    if card is not None:
        use_model(card.name)
    if card is None:
        return Order(laid.scan, shape, None, None, None, None if shape is None else _no_model(shape))
    entry, reason = _choose_explainer(laid, card)
    if laid.target not in card.classes and card.target is None and laid.scan is not None:
        # a model of many classes: what it sees is what there is to explain
        laid.target = predictions.most_likely(laid.scan, card)
    choose_class(laid, card, "Class to explain", "The explanation says what speaks for this class.")
    if entry is None:
        return Order(laid.scan, shape, card, None, None, "No explainer is installed.")
    # here nothing can be painted, and a forward trace needs something that is
    without = ("direction",) if entry.name == catalogue.TRACER else ()
    setting = show_settings(laid, entry, layers=card.feature_layers, disabled=reason is not None, without=without)
    return Order(laid.scan, shape, card, entry, setting, reason)


def _for_classifiers(scan: demo.DemoScan) -> bool:
    card = catalogue.cards().get(scan.model or "")
    return card is None or card.task == "classification"


def _choose_model(laid: Desk, shape: tuple[int, ...] | None) -> Card | None:
    known = catalogue.cards()
    # an image that a model makes is traced by painting on it: that has a page of its own
    cards = {name: card for name, card in known.items() if card.task == "classification"}
    unfit = {} if shape is None else {n: catalogue.why_model_unfit(card, shape) for n, card in cards.items()}
    fitting = [name for name in cards if not unfit.get(name)]
    if not fitting:
        laid.model = None
        st.selectbox(
            "Model", [], placeholder="No model fits this scan" if cards else "No model installed", key="no model"
        )
    else:
        model = laid.model = _preferred(laid, fitting, cards, shape)
        key = f"model:{laid.revision}:{len(fitting)}:{model}"
        st.selectbox(
            "Model",
            fitting,
            index=fitting.index(model),
            format_func=lambda name: cards[name].title,
            key=key,
            on_change=_model_chosen,
            args=(key,),
            help="Models of the library; their cards are on the Models page.",
        )
    reasons = [reason for reason in unfit.values() if reason]
    if reasons:
        text.show(text.quiet(f"Not offered: {' '.join(reasons)}"))
    if len(cards) < len(known):
        text.show(text.quiet("Models that make images are on the Trace page."))
    return cards.get(laid.model) if laid.model else None


def _preferred(laid: Desk, fitting: list[str], cards: dict[str, Card], shape: tuple[int, ...] | None) -> str:
    """The model that was chosen, unless it does not fit or a new scan has a better one: volumes for volumes."""
    new_scan, laid.model_for = laid.model_for != laid.scan, laid.scan
    if new_scan and laid.model in cards and cards[laid.model].target is None:
        laid.target = None
    alike = [name for name in fitting if shape is None or cards[name].input.dimensions == len(shape) - 1]
    if laid.model in fitting and (laid.model in alike or not alike or not new_scan):
        return laid.model
    laid.target = None
    return fitting[0] if shape is None else catalogue.nearest_first(fitting, cards, shape)[0]


def _model_chosen(key: str) -> None:
    laid = explain_desk()
    laid.model = st.session_state[key]
    laid.target = None


def _no_model(shape: tuple[int, ...]) -> str:
    known = [card for card in catalogue.cards().values() if card.task == "classification"]
    return catalogue.why_none_fits(known, shape)


def _choose_explainer(laid: Desk, card: Card) -> tuple[ExplainerEntry | None, str | None]:
    entries = catalogue.explainer_entries()
    if not entries:
        return None, None
    reasons = catalogue.unfit_explainers(card)
    if laid.explainer not in entries:
        fitting = [name for name in entries if name not in reasons] or list(entries)
        laid.explainer = min(fitting, key=lambda name: catalogue.in_order(entries[name]))
    names = sorted(entries, key=lambda name: (name in reasons, *catalogue.in_order(entries[name])))
    key = f"explainer:{laid.revision}:{laid.model}"
    st.selectbox(
        "Explainer",
        names,
        index=names.index(laid.explainer),
        format_func=lambda name: entries[name].title + (" (not for this model)" if name in reasons else ""),
        key=key,
        on_change=_explainer_chosen,
        args=(key,),
        help=f"{entries[laid.explainer].summary}\n\n{entries[laid.explainer].reference}",
    )
    reason = reasons.get(laid.explainer)
    if reason:
        st.warning(reason)
    return entries[laid.explainer], reason


def _explainer_chosen(key: str) -> None:
    explain_desk().explainer = st.session_state[key]
