"""The Study page: one question asked of many scans, as a stored run, and what came of it."""

from functools import lru_cache, partial

import streamlit as st

from core.cohorts.library import cohort_cards
from core.cohorts.selection import as_names
from core.errors import LightboxError
from core.runs import Run, Status
from core.studies.reading import StoredStudy
from core.wording import without_shared_lead
from dashboard.callbacks import whole
from dashboard.desk import owner, shelf
from dashboard.frame import opening
from dashboard.frame.pages import Page
from dashboard.intake import catalogue
from dashboard.intake.studies import study_titles
from dashboard.look import text
from dashboard.look.text import Markup
from dashboard.results import actions, answer, headline, opened
from dashboard.results.watch import watch, while_going
from dashboard.study import details, keep, link
from dashboard.study.desk import StudyDesk, study_desk
from dashboard.study.figures import show_figures
from dashboard.study.intake import Order, show_intake
from dashboard.study.maps import show_maps
from dashboard.study.tables import opened_row, show_tables


def show(page: Page) -> None:
    """Draw the page."""
    laid = study_desk()
    with st.sidebar:
        order = show_intake(laid)
        actions.start_button(laid, "Run", key="start any study", order=order, on_click=_start, args=(laid, order))
    opening.write_address(page, laid, link.query(laid))
    run = laid.current()
    study, trouble = _result(run)
    _headline(page, laid, order, run, study)
    if order.refusal:
        st.warning(text.as_markdown(order.refusal))
    if trouble:
        st.error(text.as_markdown(trouble))
    if run is None and not order.refusal:
        text.show(_nothing_yet(order))
    elif run is not None:
        _watch(run)
        if study is not None:
            _show_result(laid, run, study)


def _start(laid: StudyDesk, order: Order) -> None:
    if order.study is None:
        return
    try:
        laid.start(order.study)
    except LightboxError as problem:
        laid.problem = str(problem)


def _result(run: Run | None) -> tuple[StoredStudy | None, str]:
    """The result of a run that is done, or what is wrong with it."""
    if run is None or run.status is not Status.DONE:
        return None, ""
    try:
        return _study(run.id, owner()), ""
    except LightboxError as problem:
        return None, str(problem)


@lru_cache(maxsize=8)
def _study(run_id: str, whose: str) -> StoredStudy:
    """A finished study, read once: it never changes, and its record may be a megabyte."""
    return shelf(whose).study(run_id)


def _headline(page: Page, laid: StudyDesk, order: Order, run: Run | None, study: StoredStudy | None) -> None:
    headline.show(_facts(laid, order, run, study), partial(_leave, page, laid, run, study))
    if order.cohort is not None and run is None:
        text.show(text.quiet_lines(line for line in (order.cohort.description, *order.cohort.notes) if line))


def _leave(page: Page, laid: StudyDesk, run: Run | None, study: StoredStudy | None) -> None:
    """At the end of the headline: the study's own page, where it has one, and what can be kept."""
    own = opening.page_of(run) if run is not None else None
    if run is not None and own is not None and own.name != page.name:
        st.button(
            f"Open in {own.title}", icon=":material/open_in_new:", key="open own page",
            on_click=whole(opened.turn_to), args=(run.id,), help="This study has a page of its own.",
        )  # fmt: skip
    keep.show(run, study, opening.address(page, link.query(laid)))


def _facts(laid: StudyDesk, order: Order, run: Run | None, study: StoredStudy | None) -> list[Markup]:
    """What the page is about: of a run what was asked then, before there is one what is chosen."""
    known = catalogue.cards()
    name, cohort, models = laid.study, laid.cohort, laid.models or ()
    if run is not None:
        name, cohort = str(run.request["study"]), run.request.get("cohort")
        models = (str(run.request["model"]), *as_names((run.request.get("parameters") or {}).get("others") or ()))
    title = study.title if study is not None else study_titles().get(name or "", name or "No study")
    pieces = [text.bold(title)]
    card = cohort_cards().get(cohort) if cohort else None
    if cohort:
        pieces.append(text.beside(card.title if card is not None else cohort))
    if models:
        titles = without_shared_lead([known[each].title if each in known else each for each in models])
        pieces.append(text.beside(", ".join(titles)))
    cards = [known[each] for each in models if each in known]
    # a record says it of model or scans: what a person may take for a finding is the scans' alone
    pieces += headline.synthetic(card is not None and card.synthetic, cards)
    return pieces + headline.changed(run is not None and run.status is Status.DONE and _changed_since(laid, order, run))


def _changed_since(laid: StudyDesk, order: Order, run: Run) -> bool:
    if order.study is None:
        return False
    wanted = {"study": order.study.name, **laid.request(order.study)}
    return any(run.request.get(name) != value for name, value in wanted.items())


def _watch(run: Run) -> None:
    """How far the study is, drawn again by itself as long as it goes on; how it ended, where it has no result."""
    if run.status is Status.DONE:
        return
    if run.status.final:
        text.show(answer.ended_line(run, "Press Run to start again."))
        return
    watch(partial(shelf().run, run.id), _progress, while_going)


def _progress(run: Run) -> None:
    actions.progress_row(run, key="cancel any study", on_cancel=partial(actions.cancel, run.id))
    text.show(text.quiet("It goes on when this page is left or closed; the Runs page leads back to it."))


def _nothing_yet(order: Order) -> Markup:
    if order.study is None:
        return text.empty("No study chosen", "Choose one on the left: one question, asked of many scans.")
    return text.empty(
        "Not studied yet",
        "Press Run: every scan of the cohort is asked, and what was found is stored. It can be left and reopened.",
    )


def _show_result(laid: StudyDesk, run: Run, study: StoredStudy) -> None:
    text.show(answer.sentence_line(study.sentence))
    text.show(text.quiet_lines(study.notes))
    show_figures(laid, study)
    if study.parts.tables:
        st.markdown("## Tables")
        table = show_tables(laid, study)
        row = opened_row(laid.opened, table)
        if table is not None and row is not None and laid.opened is not None:
            about = table.opening(row, laid.opened.column)
            if about is not None:
                known = catalogue.cards().get(about.model)
                title = known.title if known is not None else about.model
                shown = opened.Opened(about, title, "study opened", partial(_close, laid))
                opened.show(shown, run, study, laid.explained)
    show_maps(laid, study)
    details.show(run, study)


def _close(laid: StudyDesk) -> None:
    laid.opened = None
