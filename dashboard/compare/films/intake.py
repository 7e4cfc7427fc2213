"""The left side of Compare for all films: cohort, networks, and the settings of the study."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import streamlit as st

from core.cohorts.library import cohort_cards
from core.cohorts.selection import Selection
from core.errors import LightboxError
from core.models.card import Card
from dashboard.backend import pool
from dashboard.compare import networks, questions
from dashboard.compare.desk import CompareDesk
from dashboard.compare.picking import pick_networks
from dashboard.compare.questions import CohortFacts
from dashboard.intake.catalogue import ExplainerEntry
from dashboard.intake.parameters import show_settings
from dashboard.intake.widgets import Control, read_schema
from dashboard.look import text

#: The study that this half of the page shows.
STUDY = "anatomy"
#: Under these names the desk keeps the study's settings.
SETTINGS, FIRST_PRESET = f"study {STUDY}", "default"
#: Networks that one study asks: more do not fit into its tables.
_MOST = 8
#: What the page sets by other means, or leaves as ``cohort.yaml`` says.
_WITHOUT = frozenset({"others", *Selection.model_fields})


@dataclass(frozen=True)
class Order:
    """Everything that is chosen. `refusal` says why it cannot be studied as it stands."""

    cohort: CohortFacts | None = None
    cards: tuple[Card, ...] = ()
    entry: ExplainerEntry | None = None
    refusal: str | None = None


#: Settings that are folded away: they matter for cohorts without splits, and for other explainers.
_RARE = frozenset({"classes", "test", "validation", "seed", "layer", "explainer"})
_TITLES = {"films": "films of each class (0: all)", "part": "split"}


def show_intake(laid: CompareDesk) -> Order:
    """Draw what can be chosen; returns what is."""
    titles = {name: card.title for name, card in cohort_cards().items()}
    if laid.cohort not in titles:
        laid.cohort = next(iter(titles), None)
    key = f"compare cohort:{laid.revision}:{len(titles)}:{laid.cohort}"
    st.selectbox(
        "Cohort",
        list(titles),
        index=list(titles).index(laid.cohort) if laid.cohort is not None else None,
        format_func=lambda name: titles.get(name, name),
        placeholder="No cohort in the library",
        key=key,
        on_change=_cohort_chosen,
        args=(laid, key),
        help="Folders of films with labels. LIGHTBOX_COHORTS_DIR adds your own.",
    )
    if laid.cohort is None:
        return Order()
    try:
        facts = _facts(laid.cohort)
        entry = _entry()
    except LightboxError as problem:
        return Order(refusal=str(problem))
    cards = _choose_networks(laid, facts)
    if not cards:
        return Order(facts, refusal=_no_network(facts))
    show_settings(laid, entry, without=tuple(_WITHOUT))
    return Order(facts, cards, entry)


@st.cache_data(ttl=60, max_entries=16, show_spinner=False)
def _facts(cohort: str) -> CohortFacts:
    return pool.ask(questions.cohort_facts, cohort)


@st.cache_data(max_entries=1, show_spinner=False)
def _entry() -> ExplainerEntry:
    """The study's settings in the form that explainers' have: one panel draws both."""
    schema = pool.ask(questions.study_schema, STUDY)
    return ExplainerEntry(
        name=SETTINGS,
        title="Anatomy study",
        summary="",
        reference="",
        presets={FIRST_PRESET: {}},
        controls=tuple(_shown(control) for control in read_schema(schema) if control.name not in _WITHOUT),
    )


def _shown(control: Control) -> Control:
    """As this page shows it: what few need is folded away."""
    return replace(
        control,
        title=_TITLES.get(control.name, control.title),
        group="",
        advanced=control.advanced or control.name in _RARE,
        # a list is written with commas between its names
        default=", ".join(control.default) if isinstance(control.default, list) else control.default,
    )


def _cohort_chosen(laid: CompareDesk, key: str) -> None:
    laid.cohort, laid.candidates = st.session_state[key], None
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
