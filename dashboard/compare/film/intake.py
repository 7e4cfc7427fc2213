"""The left side of Compare for one film: scan, networks, explainer, class and settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import streamlit as st

from core.errors import LightboxError
from core.models.card import Card
from dashboard.backend.questions import Prediction
from dashboard.compare import networks
from dashboard.compare.desk import MOST_NETWORKS, CompareDesk
from dashboard.desk import model_in_use, shelf
from dashboard.intake import catalogue, demo, scans
from dashboard.intake.catalogue import ExplainerEntry
from dashboard.intake.parameters import show_settings
from dashboard.intake.picking import pick_networks
from dashboard.look import text

#: The explainer that the page is made for.
FIRST_EXPLAINER = "deconvnet"


@dataclass(frozen=True)
class Order:
    """Everything that is chosen. `refusal` says why it cannot be compared as it stands."""

    shape: tuple[int, ...] | None = None
    cards: tuple[Card, ...] = ()
    said: Mapping[str, Prediction | str] | None = None
    entry: ExplainerEntry | None = None
    refusal: str | None = None


def show_intake(laid: CompareDesk) -> Order:
    """Draw what can be chosen; returns what is."""
    known = networks.classifiers()
    scans.choose_scan(laid, offered=lambda scan: scan.model is None or scan.model in known)
    scans.upload(laid)
    shape = scans.shape_of(laid)
    if shape is None or laid.scan is None:
        return Order()
    cards = _choose_networks(laid, known, shape)
    if not cards:
        return Order(shape, refusal=_no_network(known, shape))
    said = networks.predictions(laid.scan, cards)
    entry, refusal = _choose_explainer(laid, cards)
    _choose_class(laid, cards, said)
    brief = networks.briefly_titled(cards)
    if entry is None:
        return Order(shape, brief, said, refusal=refusal)
    without = ("direction",) if entry.name == catalogue.TRACER else ()
    show_settings(laid, entry, layers=_shared_layers(cards), disabled=refusal is not None, without=without)
    refusal = refusal or next((answer for answer in said.values() if isinstance(answer, str)), None)
    return Order(shape, brief, said, entry, refusal)


def _choose_networks(laid: CompareDesk, known: Mapping[str, Card], shape: tuple[int, ...]) -> tuple[Card, ...]:
    names = networks.fitting(known, shape)
    if laid.networks_for != laid.scan:
        new = networks.preferred(names, known, _example_model(laid))
        kept = networks.keep_comparable(laid.networks, names, known)
        # another film of the same kind keeps the choice
        laid.networks = kept if kept and set(new) & set(kept) else new
        laid.networks_for = laid.scan
        laid.target_chosen = False
    laid.networks = networks.keep_comparable(laid.networks, names, known)
    offered = networks.comparable(laid.networks[0], names, known) if laid.networks else names
    pick_networks(
        offered,
        laid.networks,
        known,
        key=f"compare networks:{laid.revision}:{laid.scan}",
        most=MOST_NETWORKS,
        nothing="No network fits this scan" if known else "No network installed",
        help_text="Classifiers that read this scan and share classes with the first one, in the order chosen.",
        on_pick=partial(setattr, laid, "networks"),
    )
    return tuple(known[name] for name in laid.networks)


def _example_model(laid: CompareDesk) -> str | None:
    """The network a demo scan is an example for, else the one that is in use on the Explain page."""
    label = shelf().scan_meta(laid.scan or "")["label"]
    shipped = next((scan for scan in demo.scans() if scan.title == label), None)
    return shipped.model if shipped is not None else model_in_use()


def _no_network(known: Mapping[str, Card], shape: tuple[int, ...]) -> str:
    if networks.fitting(known, shape):
        return "Choose at least one network on the left."
    return catalogue.why_none_fits(tuple(known.values()), shape)


def _choose_explainer(laid: CompareDesk, cards: tuple[Card, ...]) -> tuple[ExplainerEntry | None, str | None]:
    entries = catalogue.explainer_entries()
    if not entries:
        return None, "No explainer is installed."
    try:
        reasons = _unfit(cards)
    except LightboxError as problem:
        return None, str(problem)
    names = sorted(entries, key=lambda name: (name in reasons, name != FIRST_EXPLAINER, entries[name].title))
    if laid.explainer not in entries:
        laid.explainer = names[0]
    key = f"compare explainer:{laid.revision}:{','.join(laid.networks)}"
    st.selectbox(
        "Explainer",
        names,
        index=names.index(laid.explainer),
        format_func=lambda name: entries[name].title + (" (does not fit)" if name in reasons else ""),
        key=key,
        on_change=_explainer_chosen,
        args=(laid, key),
        help=f"{entries[laid.explainer].summary}\n\n{entries[laid.explainer].reference}",
    )
    reason = reasons.get(laid.explainer)
    if reason:
        st.warning(reason)
    return entries[laid.explainer], reason


def _unfit(cards: tuple[Card, ...]) -> dict[str, str]:
    """Explainers that do not fit every network, with the first network's reason."""
    found: dict[str, str] = {}
    for card in cards:
        for name, reason in catalogue.unfit_explainers(card).items():
            found.setdefault(name, reason if len(cards) == 1 else f"{card.title}: {reason}")
    return found


def _explainer_chosen(laid: CompareDesk, key: str) -> None:
    laid.explainer = st.session_state[key]


def _choose_class(laid: CompareDesk, cards: tuple[Card, ...], said: Mapping[str, Prediction | str]) -> None:
    """The class that all are asked about: what the first network says, until another is chosen."""
    shared = networks.shared_classes(cards)
    if not laid.target_chosen or laid.target not in shared:
        laid.target, laid.target_chosen = _first_answer(cards, said, shared), False
    key = f"compare class:{laid.revision}:{laid.scan}:{','.join(laid.networks)}:{laid.target}"
    st.selectbox(
        "Class to explain",
        shared,
        index=shared.index(laid.target) if laid.target in shared else None,
        key=key,
        on_change=_class_chosen,
        args=(laid, key),
        help="The same for every network. At first it is what the first network says.",
    )


def _first_answer(cards: tuple[Card, ...], said: Mapping[str, Prediction | str], shared: tuple[str, ...]) -> str | None:
    answer = said.get(cards[0].name)
    if isinstance(answer, Prediction) and answer.probabilities:
        return max(shared, key=lambda name: answer.probabilities[name])
    return cards[0].target if cards[0].target in shared else shared[0]


def _class_chosen(laid: CompareDesk, key: str) -> None:
    laid.target, laid.target_chosen = st.session_state[key], True


def _shared_layers(cards: tuple[Card, ...]) -> tuple[str, ...]:
    return tuple(layer for layer in cards[0].feature_layers if all(layer in card.feature_layers for card in cards))


def nothing_loaded() -> text.Markup:
    """The frame where images would be."""
    return text.empty(
        "Nothing on the lightbox yet",
        "Choose a scan on the left, or open one of your own. Then press Compare to see what each network uses, side by "
        "side.",
    )
