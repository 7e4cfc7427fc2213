"""Which networks can be compared with each other, and what they say about a scan."""

from collections.abc import Mapping, Sequence

from core.models.card import Card
from core.wording import without_shared_lead
from dashboard.backend.questions import Prediction
from dashboard.compare.desk import MOST_NETWORKS
from dashboard.intake import catalogue
from dashboard.intake.predictions import predict

#: The networks of paper 3, in the paper's order.
PAPERS_THREE = ("anatomy-shallow", "anatomy-deeper", "anatomy-augmented")
#: How many are compared unless the person chooses more.
_AT_FIRST = 3


def classifiers() -> dict[str, Card]:
    """Card of every classifier of the library by name, the paper's three first and in its order."""
    known = {name: card for name, card in catalogue.cards().items() if card.task == "classification"}
    first = [name for name in PAPERS_THREE if name in known]
    return {name: known[name] for name in (*first, *(name for name in known if name not in first))}


def fitting(cards: Mapping[str, Card], shape: Sequence[int]) -> list[str]:
    """Names of those that read a scan of `shape` (channels first), the ones that suit it first."""
    names = [name for name, card in cards.items() if catalogue.why_model_unfit(card, tuple(shape)) is None]
    return catalogue.nearest_first(names, cards, tuple(shape))


def shared_classes(cards: Sequence[Card]) -> tuple[str, ...]:
    """Classes that all of them know, in the order of the first."""
    if not cards:
        return ()
    return tuple(name for name in cards[0].classes if all(name in card.classes for card in cards))


def comparable(first: str, names: Sequence[str], cards: Mapping[str, Card]) -> list[str]:
    """Those of `names` that share at least two classes with `first`, itself in front."""
    others = [name for name in names if name != first and len(shared_classes([cards[first], cards[name]])) > 1]
    return [first, *others]


def preferred(names: Sequence[str], cards: Mapping[str, Card], model: str | None) -> tuple[str, ...]:
    """The networks that a scan is compared with unless others are chosen.

    Parameters
    ----------
    names : sequence of str
        Those that fit the scan.
    cards : mapping of str to Card
        By name.
    model : str, optional
        A network that the scan is a good example for, or that the person has in use. One of the paper's three brings
        the other two.

    Returns
    -------
    tuple of str
        Empty where `names` is.
    """
    if not names:
        return ()
    first = model if model is not None and model in names else names[0]
    alike = comparable(first, names, cards)
    three = [name for name in PAPERS_THREE if name in alike]
    if three and (first in three or set(cards[first].classes) == set(cards[three[0]].classes)):
        return tuple(three)
    return tuple(alike[:_AT_FIRST])


def keep_comparable(chosen: Sequence[str], names: Sequence[str], cards: Mapping[str, Card]) -> tuple[str, ...]:
    """Those of `chosen` that are in `names` and can stand beside the first of them, at most `MOST_NETWORKS`."""
    there = [name for name in chosen if name in names]
    if not there:
        return ()
    alike = comparable(there[0], names, cards)
    return tuple(name for name in there if name in alike)[:MOST_NETWORKS]


def predictions(scan: str, cards: Sequence[Card]) -> dict[str, Prediction | str]:
    """What each network says about a stored scan, by name; a sentence where it cannot be asked."""
    asked = {card.name: predict(scan, card) for card in cards}
    return {name: found if found is not None else refusal or "" for name, (found, refusal) in asked.items()}


def briefly_titled(cards: Sequence[Card]) -> tuple[Card, ...]:
    """The cards with what all their titles begin with left out: beside each other there is no room for it."""
    titles = without_shared_lead([card.title for card in cards])
    return tuple(card.model_copy(update={"title": title}) for card, title in zip(cards, titles, strict=True))
