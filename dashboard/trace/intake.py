"""The left side of the Trace page: scan, model, explainer, ground truth and parameters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.errors import LightboxError
from core.explainers.base import Side
from core.models.card import Card
from core.runs import StoredScan
from dashboard.backend.questions import RegionRule
from dashboard.desk import Setting
from dashboard.intake import catalogue, predictions, scans
from dashboard.intake import order as common
from dashboard.intake.catalogue import ExplainerEntry
from dashboard.intake.explainers import choose_explainer
from dashboard.intake.models import choose_model
from dashboard.intake.parameters import choose_class, show_settings
from dashboard.intake.regions import rule_of
from dashboard.look import text
from dashboard.trace.desk import TraceDesk
from dashboard.trace.group import choose_others
from dashboard.trace.truth import Truth, choose_truth

_BY_ITSELF = "No button to press: Trace asks again by itself after every stroke and every change of a setting."
_HELP = "Trace is made for models that turn one image into another; of a classifier it shows what changes each class."


#: What is said where a scan looks right to no model.
_WHICH = "No model recognises this scan as one that it was made for: choose a model on the left to ask it anyway."


def _recognised(laid: TraceDesk) -> Callable[[Sequence[Card]], list[str]]:
    """Which models the scan looks right to; those of which nothing is known come after those that know it."""

    def names(cards: Sequence[Card]) -> list[str]:
        makers = [card for card in cards if card.task == "regression"] or list(cards)
        if len(makers) == 1:
            return [makers[0].name]  # there is nothing to choose: what does not fit, the page says
        states: dict[str, str] = {}
        for card in makers:
            found, _ = predictions.predict(laid.scan or "", card)
            if found is not None and found.acceptance is not None:
                states[card.name] = found.acceptance.state
        wanted = ("accepted", "unknown")
        return [name for state in wanted for name, said in states.items() if said == state]

    return names


@dataclass(frozen=True)
class Order(common.Order):
    """Everything that is chosen on the Trace page.

    Parameters
    ----------
    truth : Truth, optional
        Ground truth to compare with.
    rule : RegionRule, optional
        Where a region can be painted, and where the map of it lies; None where nothing can be traced.
    """

    truth: Truth | None = None
    rule: RegionRule | None = None

    def channel(self, side: Side) -> int:
        """The channel on screen, counted from 0."""
        controls = self.entry.controls if self.entry is not None else ()
        picked = next((control.name for control in controls if control.picks == f"{side}_channel"), None)
        chosen = self.setting.changes.get(picked, -1) if self.setting is not None and picked is not None else -1
        return max(int(chosen), 0)


def show_intake(laid: TraceDesk) -> Order:
    """Draw what can be chosen; returns what is."""
    cards = sorted(catalogue.cards().values(), key=lambda card: card.task != "regression")
    makers = [card for card in cards if card.task == "regression"]

    def fits(scan: StoredScan) -> bool:
        return scan.hash == laid.scan or any(catalogue.why_model_unfit(card, scan.shape) is None for card in makers)

    before = laid.scan
    scans.choose_scan(laid, catalogue.makes_images, fits)
    scans.upload(laid)
    shape = scans.shape_of(laid)
    if shape is None:
        return Order()
    card = choose_model(laid, cards, shape, example_first=True, help_text=_HELP, recognised=_recognised(laid))
    if card is None:
        asked = any(catalogue.why_model_unfit(known, shape) is None for known in cards)
        return Order(shape, refusal=_WHICH if asked else _no_model(makers, shape))
    entry, reason = choose_explainer(laid, [card], offered=lambda entry: entry.takes_region, alone=False)
    if before != laid.scan:
        laid.clear()
    choose_class(laid, card, "Class")
    truth = choose_truth(laid, card, shape)
    choose_others(laid, card, shape)
    if entry is None:
        return Order(shape, (card,), refusal=reason, truth=truth)
    setting = show_settings(laid, entry, cards=[card], shape=shape, disabled=reason is not None)
    text.show(text.quiet(_BY_ITSELF))
    rule, problem = (None, reason) if reason is not None else _rule(card, entry, setting)
    if rule is not None and laid.side is not None and laid.side not in rule.sides:
        laid.clear()
    return Order(shape, (card,), entry, setting, problem, truth, rule)


def _rule(card: Card, entry: ExplainerEntry, setting: Setting) -> tuple[RegionRule | None, str | None]:
    """Where a region can be painted, and why nothing can be traced."""
    try:
        rule = rule_of(card, entry, setting)
    except LightboxError as problem:
        return None, str(problem)
    if not rule.sides:
        return None, f"{entry.title} takes no region of {card.title}: choose another model."
    return rule, None


def _no_model(makers: Sequence[Card], shape: tuple[int, ...]) -> str:
    reasons = [catalogue.why_model_unfit(card, shape) for card in makers]
    told = " ".join(reason for reason in reasons if reason)
    return told or "There is no model that turns one image into another: run make assets, or train one."
