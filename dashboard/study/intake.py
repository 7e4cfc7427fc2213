"""The left side of the Study page: study, cohort, models, region and settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from core.errors import LightboxError
from core.models.card import Card
from dashboard.backend.cohorts import CohortFacts
from dashboard.callbacks import whole
from dashboard.intake import catalogue
from dashboard.intake import order as common
from dashboard.intake.cohorts import choose_cohort, cohort_facts, cohort_titles
from dashboard.intake.parameters import show_settings
from dashboard.intake.picking import pick_networks, titles_apart
from dashboard.intake.studies import StudyEntry, study_entry, study_titles
from dashboard.look import text
from dashboard.study.desk import StudyDesk
from dashboard.study.region import choose_region

#: Models that one study asks: more do not fit into its tables.
_MOST = 8


@dataclass(frozen=True)
class Order(common.Order):
    """Everything that is chosen to be studied.

    Parameters
    ----------
    study : StudyEntry, optional
        The study; `entry` are its settings.
    cohort : CohortFacts, optional
        The scans.
    """

    study: StudyEntry | None = None
    cohort: CohortFacts | None = None


def show_intake(laid: StudyDesk) -> Order:
    """Draw what can be chosen; returns what is."""
    entry = _choose_study(laid)
    if entry is None:
        return Order(refusal=None if laid.study is None else _gone(laid.study))
    text.show(text.quiet(entry.summary))
    facts = _choose_cohort(laid, entry)
    cards = _choose_models(laid, entry, facts)
    if entry.region is not None:
        choose_region(laid)
    setting = show_settings(laid, entry.settings, cards=cards)
    refusal = _refusal(laid, entry, cards)
    return Order(cards=cards, entry=entry.settings, setting=setting, refusal=refusal, study=entry, cohort=facts)


def _choose_study(laid: StudyDesk) -> StudyEntry | None:
    titles = study_titles()
    if laid.study is None:
        laid.study = next(iter(titles), None)
    key = f"study name:{laid.revision}"
    st.selectbox(
        "Study",
        list(titles),
        index=list(titles).index(laid.study) if laid.study in titles else None,
        format_func=lambda name: titles.get(name, name),
        placeholder="Choose a study",
        key=key,
        on_change=whole(_study_chosen),
        args=(laid, key),
        help="One question asked of many scans. Other packages add theirs.",
    )
    return study_entry(laid.study) if laid.study is not None else None


def _study_chosen(laid: StudyDesk, key: str) -> None:
    laid.study, laid.models = st.session_state[key], None
    laid.show_result(None)


def _gone(study: str) -> str:
    return f"The study {study} is not installed here: its results can be read, and no new one can be started."


def _choose_cohort(laid: StudyDesk, entry: StudyEntry) -> CohortFacts | None:
    titles = cohort_titles()
    if not laid.cohort_chosen or laid.cohort not in (*titles, *([] if entry.needs_cohort else [None])):
        laid.cohort = next(iter(titles), None)
    key = f"study cohort:{laid.revision}:{entry.name}"
    choose_cohort(laid.cohort, key, partial(_cohort_chosen, laid), or_none=not entry.needs_cohort)
    if laid.cohort is None:
        return None
    try:
        return cohort_facts(laid.cohort)
    except LightboxError as problem:
        # a study that only wants scans can do without labels: it has the last word
        text.show(text.quiet(str(problem)))
        return None


def _cohort_chosen(laid: StudyDesk, cohort: str | None) -> None:
    laid.cohort, laid.cohort_chosen, laid.models = cohort, True, None
    laid.show_result(None)


def offered_models(cards: Mapping[str, Card], entry: StudyEntry, classes: Sequence[str]) -> list[str]:
    """Names of the models that a study can ask, those that know classes of the cohort first."""
    names = [name for name, card in cards.items() if not entry.task or card.task == entry.task]
    return sorted(names, key=lambda name: len(set(cards[name].classes) & set(classes)) < 2)


def _choose_models(laid: StudyDesk, entry: StudyEntry, facts: CohortFacts | None) -> tuple[Card, ...]:
    known = catalogue.cards()
    names = offered_models(known, entry, facts.classes if facts is not None else ())
    chosen = names[:1] if laid.models is None else [name for name in laid.models if name in names]
    laid.models = tuple(chosen if entry.models is not None else chosen[:1])
    if entry.models is not None:
        pick_networks(
            names,
            laid.models,
            known,
            key=f"study models:{laid.revision}:{entry.name}:{laid.cohort}",
            most=_MOST,
            nothing="No model can be asked",
            help_text="Models of the library, in the order chosen; the first is the study's own.",
            on_pick=partial(setattr, laid, "models"),
        )
    else:
        key = f"study model:{laid.revision}:{entry.name}:{laid.cohort}"
        titles = titles_apart(names, known)
        st.selectbox(
            "Model",
            names,
            index=names.index(laid.models[0]) if laid.models else None,
            format_func=lambda name: titles.get(name, name),
            placeholder="No model can be asked",
            key=key,
            on_change=whole(_model_chosen),
            args=(laid, key),
            help="Models of the library; their cards are on the Models page.",
        )
    return tuple(known[name] for name in laid.models)


def _model_chosen(laid: StudyDesk, key: str) -> None:
    laid.models = (st.session_state[key],)


def _refusal(laid: StudyDesk, entry: StudyEntry, cards: Sequence[Card]) -> str | None:
    if laid.cohort is None and entry.needs_cohort:
        return "This study needs a cohort: set LIGHTBOX_COHORTS_DIR to a folder of cohorts, or run make assets."
    if not cards:
        return "Choose at least one model on the left." if catalogue.cards() else catalogue.why_none_fits((), ())
    if entry.region is not None and laid.region is None:
        return "This study asks about a marked region: choose one on the left."
    return None
