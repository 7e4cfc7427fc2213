"""Compare, all films: a study of a cohort as a stored run, and its result."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial

import streamlit as st

from core.errors import LightboxError
from core.runs import Run, Status
from core.studies.anatomy.stored import AnatomyResult, anatomy_of
from core.wording import without_shared_lead
from dashboard.compare import link
from dashboard.compare.desk import CompareDesk
from dashboard.compare.films import cells as cell_films
from dashboard.compare.films import detail as film_detail
from dashboard.compare.films import results
from dashboard.compare.films.intake import FIRST_PRESET, SETTINGS, STUDY, Order, no_cohort, show_intake
from dashboard.desk import owner, shelf
from dashboard.frame.pages import Page
from dashboard.look import text
from dashboard.results import actions, answer

#: Seconds between two looks at a study that is going on.
_POLL = 1.0


def show(page: Page, laid: CompareDesk) -> None:
    """Draw this half of the page."""
    with st.sidebar:
        order = show_intake(laid)
        _button(laid, order)
    link.write(page, laid)
    if laid.cohort is None:
        text.show(no_cohort())
        return
    run = laid.current_study()
    _headline(page, laid, order, run)
    if order.refusal:
        st.warning(order.refusal)
    _watch(run)
    if run is not None and run.status is Status.DONE:
        try:
            study = _study(run.id, owner())
        except LightboxError as problem:
            st.error(str(problem))
            return
        _show_result(laid, run, study)
    elif run is None and not order.refusal:
        text.show(_nothing_yet())


def _button(laid: CompareDesk, order: Order) -> None:
    ready = bool(order.cards) and order.entry is not None and order.refusal is None
    actions.start_button(laid, "Run", key="start study", ready=ready, on_click=_start, args=(laid,))


def _start(laid: CompareDesk) -> None:
    try:
        laid.study_cohort(STUDY, FIRST_PRESET, SETTINGS)
    except LightboxError as problem:
        laid.problem = str(problem)


def _headline(page: Page, laid: CompareDesk, order: Order, run: Run | None) -> None:
    pieces = []
    if order.cohort is not None:
        pieces.append(text.bold(order.cohort.title))
        pieces.append(text.beside(f"{order.cohort.films} films of {len(order.cohort.classes)} classes"))
    if (order.cohort is not None and order.cohort.synthetic) or any(card.synthetic for card in order.cards):
        pieces.append(text.tag("synthetic data", "synthetic"))
    if run is not None and run.status is Status.DONE and _changed_since(laid, run):
        pieces.append(text.tag("settings changed since this result", "warning"))
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        text.show(text.facts(pieces))
        link.show(page, laid)
    if order.cohort is not None:
        _small_print([order.cohort.description, *order.cohort.notes])


def _small_print(sentences: Sequence[str]) -> None:
    lines = [sentence for sentence in sentences if sentence]
    if lines:
        text.show(text.quiet_lines(lines))


def _changed_since(laid: CompareDesk, run: Run) -> bool:
    if run.request.get("cohort") != laid.cohort:
        return True
    then = run.request["model"], dict(run.request["parameters"])
    return laid.study_request(FIRST_PRESET, SETTINGS) != then


def _watch(run: Run | None) -> None:
    """How far the study is, drawn again by itself as long as it goes on; how it ended, where it has no result."""
    if run is None or run.status is Status.DONE:
        return
    if run.status.final:
        text.show(answer.ended_line(run, "Press Run to start again."))
        return
    st.fragment(_progress, run_every=_POLL)(run.id)


def _progress(run_id: str) -> None:
    run = shelf().run(run_id)
    if run.status.final:
        st.rerun()
    actions.progress_row(run, key="cancel study", on_cancel=partial(actions.cancel, run_id))
    text.show(text.quiet("It goes on when this page is left or closed; the Runs page leads back to it."))


def _nothing_yet() -> text.Markup:
    return text.empty(
        "Not studied yet",
        "Press Run: every network is asked about every film, and what its maps lie on is measured. It is stored, and "
        "can be left and reopened.",
    )


@lru_cache(maxsize=8)
def _study(run_id: str, whose: str) -> AnatomyResult:
    """A finished study, read once: it never changes, and its rows may be a megabyte."""
    study = anatomy_of(shelf(whose).study(run_id))
    titles = without_shared_lead([network.title for network in study.networks.values()])
    brief = zip(study.networks.items(), titles, strict=True)
    return replace(study, networks={name: replace(network, title=title) for (name, network), title in brief})


def _show_result(laid: CompareDesk, run: Run, study: AnatomyResult) -> None:
    text.show(answer.sentence_line(study.stored.sentence))
    results.show_networks(study)
    _small_print(study.stored.notes)
    st.markdown("##### Confusion")
    network = results.choose_network(laid, study)
    with results.beside(study) as (left, right):
        with left:
            results.show_matrix(laid, study, network)
        with right:
            cell_films.show(laid, run, study)
    film_detail.show(laid, run, study)
    results.show_landmarks(study)
    results.show_means(laid, run, study)
