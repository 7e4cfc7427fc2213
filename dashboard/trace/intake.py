"""The left side of the Trace page: scan, model, ground truth and the parameters of the mapping."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from core.models.card import Card
from core.runs import StoredScan
from dashboard.desk import Setting
from dashboard.intake import catalogue, demo, scans
from dashboard.intake.parameters import choose_class, show_settings
from dashboard.look import text
from dashboard.trace.desk import TraceDesk
from dashboard.trace.group import choose_others
from dashboard.trace.truth import Truth, choose_truth, demo_of

#: The side that is painted says which direction is meant; channels have a list of their own.
_OWN_CONTROLS = ("direction", "input_channel", "output_channel")
#: Of these nothing follows where the answer is an image.
_CLASSIFIERS_CONTROLS = ("score",)
_REGRESSORS_ONLY = (
    "Trace is made for models that turn one image into another; of a classifier it shows what changes each class."
)


@dataclass(frozen=True)
class Order:
    """Everything that is chosen. `refusal` says why nothing can be traced as it stands."""

    shape: tuple[int, ...] | None = None
    card: Card | None = None
    truth: Truth | None = None
    setting: Setting | None = None
    refusal: str | None = None

    def channel(self, side: str) -> int:
        """The channel on screen, counted from 0."""
        chosen = self.setting.changes.get(f"{side}_channel", -1) if self.setting is not None else -1
        return max(int(chosen), 0)


def show_intake(laid: TraceDesk) -> Order:
    """Draw what can be chosen; returns what is."""
    cards = catalogue.cards()
    makers = [card for card in cards.values() if card.task == "regression"]

    def offered(scan: demo.DemoScan) -> bool:
        return any(card.name == scan.model for card in makers)

    def fits(scan: StoredScan) -> bool:
        return scan.hash == laid.scan or any(catalogue.why_model_unfit(card, scan.shape) is None for card in makers)

    before = laid.scan
    scans.choose_scan(laid, offered, fits)
    scans.upload(laid)
    shape = scans.shape_of(laid)
    if shape is None:
        return Order()
    card = _choose_model(laid, list(cards.values()), shape)
    if before != laid.scan:
        laid.clear()
    if card is None:
        return Order(shape, refusal=_no_model(makers, shape))
    choose_class(laid, card, "Class")
    truth = choose_truth(laid, card, shape)
    choose_others(laid, card, shape)
    entry = catalogue.explainer_entries()[catalogue.TRACER]
    _choose_channels(laid, card, shape)
    idle = _OWN_CONTROLS + (_CLASSIFIERS_CONTROLS if card.task == "regression" else ())
    return Order(shape, card, truth, show_settings(laid, entry, without=idle))


def _choose_model(laid: TraceDesk, cards: Sequence[Card], shape: tuple[int, ...]) -> Card | None:
    fitting = [card for card in cards if catalogue.why_model_unfit(card, shape) is None]
    fitting.sort(key=lambda card: (card.task != "regression", card.input.dimensions != len(shape) - 1))
    titles = {card.name: card.title for card in fitting}
    if not titles:
        laid.model = None
        st.selectbox("Model", [], placeholder="No model fits this scan", key="trace no model")
        return None
    if laid.model not in titles or laid.model_for != laid.scan:
        meant = _meant_for(laid)
        laid.model = meant if meant in titles else laid.model if laid.model in titles else next(iter(titles))
        laid.model_for = laid.scan
    key = f"trace model:{laid.revision}:{laid.scan}:{laid.model}"
    st.selectbox(
        "Model",
        list(titles),
        index=list(titles).index(laid.model),
        format_func=lambda name: titles[name],
        key=key,
        on_change=_model_chosen,
        args=(laid, key),
        help=_REGRESSORS_ONLY,
    )
    return next(card for card in fitting if card.name == laid.model)


def _meant_for(laid: TraceDesk) -> str | None:
    shipped = demo_of(laid.scan) if laid.scan else None
    return shipped.model if shipped is not None else None


def _model_chosen(laid: TraceDesk, key: str) -> None:
    laid.model, laid.target = st.session_state[key], None


def _choose_channels(laid: TraceDesk, card: Card, shape: tuple[int, ...]) -> None:
    made = card.output.channels if card.output is not None else 1
    for side, count, everything in (("input", shape[0], "all at once"), ("output", made, "their sum")):
        if count < 2:
            continue
        entry = catalogue.explainer_entries()[catalogue.TRACER]
        setting = laid.setting(catalogue.TRACER, entry.first_preset)
        name = f"{side}_channel"
        key = f"trace {name}:{laid.revision}:{card.name}"
        st.selectbox(
            f"{side.capitalize()} channel",
            list(range(-1, count)),
            index=int(setting.changes.get(name, -1)) + 1,
            format_func=partial(_channel_title, everything),
            key=key,
            on_change=_channel_chosen,
            args=(laid, name, key),
        )


def _channel_title(everything: str, number: int) -> str:
    return everything if number < 0 else str(number + 1)


def _channel_chosen(laid: TraceDesk, name: str, key: str) -> None:
    entry = catalogue.explainer_entries()[catalogue.TRACER]
    laid.change(catalogue.TRACER, laid.setting(catalogue.TRACER, entry.first_preset), name, st.session_state[key])


def _no_model(makers: Sequence[Card], shape: tuple[int, ...]) -> str:
    reasons = [catalogue.why_model_unfit(card, shape) for card in makers]
    told = " ".join(reason for reason in reasons if reason)
    return told or "There is no model that turns one image into another: run make assets, or train one."


def nothing_loaded() -> text.Markup:
    """The frame where images would be."""
    return text.empty(
        "Nothing on the lightbox yet",
        "Choose a scan on the left. Then paint a few pixels: on the input to see what they change, or on the output to "
        "see what it rests on.",
    )
