"""The left side of the Explain page: what goes in."""

from core.models.card import Card
from dashboard.explain.desk import ExplainDesk
from dashboard.intake import catalogue, predictions, scans
from dashboard.intake.explainers import choose_explainer
from dashboard.intake.models import choose_model
from dashboard.intake.order import Order
from dashboard.intake.parameters import choose_class, show_settings
from dashboard.intake.regions import choose_region

_NO_SCAN = "Choose a scan first."
_HELP = "Models of the library; their cards are on the Models page."


def show_intake(laid: ExplainDesk) -> Order:
    """Draw scan, model, explainer, class, region and parameters; returns what is chosen."""
    scans.choose_scan(laid)
    scans.upload(laid)
    shape = scans.shape_of(laid)
    known = sorted(catalogue.cards().values(), key=lambda card: card.task)  # those that name classes first
    card = choose_model(laid, known, shape, example_first=False, help_text=_HELP)
    if card is None:
        return Order(shape, refusal=None if shape is None else catalogue.why_none_fits(known, shape))
    entry, reason = choose_explainer(laid, [card])
    _choose_class(laid, card)
    if entry is None:
        return Order(shape, (card,), refusal=reason)
    setting = laid.setting(entry.name, entry.first_preset)
    refusal = reason or choose_region(laid, [card], entry, setting)
    setting = show_settings(laid, entry, cards=[card], shape=shape or (), disabled=reason is not None)
    return Order(shape, (card,), entry, setting, refusal if shape is not None else _NO_SCAN)


def _choose_class(laid: ExplainDesk, card: Card) -> None:
    if laid.target not in card.classes and laid.scan is not None and card.classes:
        # the first question is why the model says what it says
        laid.target = predictions.most_likely(laid.scan, card)
    choose_class(laid, card, "Class to explain", "The explanation says what speaks for this class.")
