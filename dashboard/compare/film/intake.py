"""The left side of Compare for one film: scan, networks, explainer, class and settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import streamlit as st

from core.models.card import Card
from dashboard.backend.questions import Prediction
from dashboard.callbacks import whole
from dashboard.compare import networks
from dashboard.compare.desk import MOST_NETWORKS, CompareDesk
from dashboard.desk import model_in_use
from dashboard.intake import catalogue, demo, scans
from dashboard.intake import order as common
from dashboard.intake.catalogue import ExplainerEntry, in_order
from dashboard.intake.explainers import choose_explainer
from dashboard.intake.parameters import show_settings
from dashboard.intake.picking import pick_networks
from dashboard.intake.regions import choose_region


@dataclass(frozen=True)
class Order(common.Order):
    """Everything that is chosen to be compared on one film.

    Parameters
    ----------
    said : mapping of str to Prediction or str
        What each network says, by name; a sentence where it cannot be asked.
    """

    said: Mapping[str, Prediction | str] = field(default_factory=dict)


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
    entry, refusal = choose_explainer(laid, cards, first=_parts_first)
    _choose_class(laid, cards, said)
    brief = networks.briefly_titled(cards)
    if entry is None:
        return Order(shape, brief, refusal=refusal, said=said)
    setting = laid.setting(entry.name, entry.first_preset)
    problem = refusal or choose_region(laid, cards, entry, setting)
    setting = show_settings(laid, entry, cards=cards, shape=shape, disabled=refusal is not None)
    problem = problem or next((answer for answer in said.values() if isinstance(answer, str)), None)
    return Order(shape, brief, entry, setting, problem, said)


def _parts_first(entry: ExplainerEntry) -> tuple[bool, int, str]:
    """What a map was made of can be compared, too."""
    return not entry.makes_parts, *in_order(entry)


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
    """The network a demo scan is an example for, else the one that was asked last."""
    shipped = demo.shipped_as(laid.scan or "")
    return shipped.model if shipped is not None else model_in_use()


def _no_network(known: Mapping[str, Card], shape: tuple[int, ...]) -> str:
    if networks.fitting(known, shape):
        return "Choose at least one network on the left."
    return catalogue.why_none_fits(tuple(known.values()), shape)


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
        on_change=whole(_class_chosen),
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
