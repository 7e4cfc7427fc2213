"""The left side of Compare for all films: cohort, networks, and the settings of the study."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from core.errors import LightboxError
from core.models.card import Card
from dashboard.backend.cohorts import CohortFacts
from dashboard.compare import networks
from dashboard.compare.desk import CompareDesk
from dashboard.intake import order as common
from dashboard.intake.cohorts import choose_cohort, cohort_facts, cohort_titles
from dashboard.intake.parameters import show_settings
from dashboard.intake.picking import pick_networks
from dashboard.intake.studies import settings_key, study_entry
from dashboard.look import text

#: The study that this half of the page shows.
STUDY = "anatomy"
#: Under these names the desk keeps the study's settings.
SETTINGS, FIRST_PRESET = settings_key(STUDY), "default"
#: Networks that one study asks: more do not fit into its tables.
_MOST = 8


@dataclass(frozen=True)
class Order(common.Order):
    """Everything that is chosen to be studied on all films.

    Parameters
    ----------
    cohort : CohortFacts, optional
        The films.
    """

    cohort: CohortFacts | None = None


def show_intake(laid: CompareDesk) -> Order:
    """Draw what can be chosen; returns what is."""
    titles = cohort_titles()
    if laid.cohort not in titles:
        laid.cohort = next(iter(titles), None)
    choose_cohort(laid.cohort, f"compare cohort:{laid.revision}", partial(_cohort_chosen, laid))
    if laid.cohort is None:
        return Order()
    try:
        facts = cohort_facts(laid.cohort)
    except LightboxError as problem:
        return Order(refusal=str(problem))
    study = study_entry(STUDY)
    if study is None:
        return Order(cohort=facts, refusal=f"The study {STUDY} is not installed: no new one can be started.")
    cards = _choose_networks(laid, facts)
    if not cards:
        return Order(refusal=_no_network(facts), cohort=facts)
    setting = show_settings(laid, study.settings)
    return Order(cards=cards, entry=study.settings, setting=setting, cohort=facts)


def _cohort_chosen(laid: CompareDesk, cohort: str | None) -> None:
    laid.cohort, laid.candidates = cohort, None
    laid.show_study(None)


def candidates(cards: Mapping[str, Card], facts: CohortFacts) -> list[str]:
    """Networks that know at least two of a cohort's classes."""
    return [name for name, card in cards.items() if len(set(card.classes) & set(facts.classes)) > 1]


def _choose_networks(laid: CompareDesk, facts: CohortFacts) -> tuple[Card, ...]:
    known = networks.classifiers()
    names = candidates(known, facts)
    if laid.candidates is None:
        laid.candidates = networks.preferred(names, known, None)
    laid.candidates = tuple(name for name in laid.candidates if name in names)
    offered = networks.comparable(laid.candidates[0], names, known) if laid.candidates else names
    laid.candidates = tuple(name for name in laid.candidates if name in offered)
    pick_networks(
        offered,
        laid.candidates,
        known,
        key=f"compare candidates:{laid.revision}:{laid.cohort}",
        most=_MOST,
        nothing="No network knows these classes",
        help_text="Classifiers that know classes of this cohort, in the order chosen.",
        on_pick=partial(setattr, laid, "candidates"),
    )
    return tuple(known[name] for name in laid.candidates)


def _no_network(facts: CohortFacts) -> str:
    if candidates(networks.classifiers(), facts):
        return "Choose at least one network on the left."
    return (
        f"No network of the library knows two of this cohort's classes ({', '.join(facts.classes[:8])}): train one "
        "with python -m core train anatomy, or set LIGHTBOX_MODELS_DIR to a folder of models."
    )


def no_cohort() -> text.Markup:
    """The frame where results would be, without a cohort."""
    return text.empty(
        "No cohort in the library",
        "Put a folder with participants.tsv and films, or one folder of films a class, into a folder of cohorts and "
        "set LIGHTBOX_COHORTS_DIR to it; Help says how, under Cohorts. make assets brings a synthetic one.",
    )
