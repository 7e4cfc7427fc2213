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
from dashboard.results import actions, answer, headline
from dashboard.results.watch import watch, while_going


def show(page: Page, laid: CompareDesk) -> None:
    """Draw this half of the page."""
    with st.sidebar:
        order = show_intake(laid)
        actions.start_button(laid, "Run", key="start study", order=order, on_click=_start, args=(laid,))
    link.write(page, laid)
    if laid.cohort is None:
        text.show(no_cohort())
        return
    run = laid.current_study()
    _headline(page, laid, order, run)
    if order.refusal:
        st.warning(text.as_markdown(order.refusal))
    _watch(run)
    if run is not None and run.status is Status.DONE:
        try:
            study = _study(run.id, owner())
        except LightboxError as problem:
            st.error(text.as_markdown(str(problem)))
            return
        _show_result(laid, run, study)
    elif run is None and not order.refusal:
        text.show(_nothing_yet())


def _start(laid: CompareDesk) -> None:
    try:
        laid.study_cohort(STUDY, FIRST_PRESET, SETTINGS)
    except LightboxError as problem:
        laid.problem = str(problem)


def _headline(page: Page, laid: CompareDesk, order: Order, run: Run | None) -> None:
    cohort, pieces = order.cohort, []
    if cohort is not None:
        pieces = [text.bold(cohort.title), text.beside(f"{cohort.films} films of {len(cohort.classes)} classes")]
    made = cohort is not None and cohort.synthetic
    pieces += headline.synthetic(made, order.cards)
    pieces += headline.changed(run is not None and run.status is Status.DONE and _changed_since(laid, run))
    headline.show(pieces, partial(link.show, page, laid))
    if cohort is not None:
        _small_print([cohort.description, *cohort.notes])


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
    watch(partial(shelf().run, run.id), _progress, while_going)


def _progress(run: Run) -> None:
    actions.progress_row(run, key="cancel study", on_cancel=partial(actions.cancel, run.id))
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
    st.markdown("## Confusion")
    network = results.choose_network(laid, study)
    with results.beside(study) as (left, right):
        with left:
            results.show_matrix(laid, study, network)
        with right:
            cell_films.show(laid, run, study)
    film_detail.show(laid, run, study)
    results.show_landmarks(study)
    results.show_means(laid, run, study)
