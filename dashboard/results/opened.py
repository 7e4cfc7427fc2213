"""What a cell of a study opens: a scan of its cohort, explained, as a run of its own."""

from collections.abc import Callable, Hashable, MutableMapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import streamlit as st

from core.errors import BadInput, LightboxError
from core.models.card import Card
from core.reports.explanation import StoredArray, StoredExplanation
from core.runs import ExplanationSpec, Run, Status
from core.scans.scan import Scan
from core.studies.reading import StoredStudy
from core.studies.record import Opening
from dashboard.backend import cohorts, pool
from dashboard.callbacks import whole
from dashboard.components.viewer import Layer, Panel, publish, viewer
from dashboard.desk import owner, shelf
from dashboard.frame import opening as pages
from dashboard.frame.pages import Page
from dashboard.frame.pages import pages as all_pages
from dashboard.intake import catalogue
from dashboard.look import text
from dashboard.results import answer, gate, landmarks, parts, verdicts
from dashboard.results.layers import map_layer, scan_layer, show_form
from dashboard.results.watch import watch, while_going

_HEIGHT = 340
NO_PICTURE = "These scans were made for the study and not kept: there is no picture of them to show."


@dataclass(frozen=True)
class Opened:
    """A cell that is open.

    Parameters
    ----------
    opening : Opening
        What it is about.
    title : str
        What stands above it.
    key : str
        Prefix of widget keys, a page's own.
    close : callable
        Puts it away.
    words : callable, optional
        A sentence on a finished explanation; by default its own.
    """

    opening: Opening
    title: str
    key: str
    close: Callable[[], None]
    words: Callable[[Run, StoredExplanation], str] = lambda run, explanation: explanation.sentence


def show(opened: Opened, study: Run, stored: StoredStudy, explained: MutableMapping[Hashable, str]) -> None:
    """The scan with the map of it, from the moment it is asked for.

    Parameters
    ----------
    opened : Opened
        What is open.
    study, stored : Run, StoredStudy
        The study that it belongs to.
    explained : mapping
        Where a session remembers the run of what it opened before.
    """
    cohort = study.request.get("cohort")
    if cohort is None:
        text.show(text.quiet(NO_PICTURE))
        return
    try:
        if not opened.opening.explainer:
            _show_scan(opened, str(cohort), stored)
            return
        run_id = _asked(opened, study.id, str(cohort), stored, explained)
    except LightboxError as problem:
        st.error(text.as_markdown(str(problem)))
        return
    run = shelf().run(run_id)
    _head(opened, run)
    if not _has_parts(run):
        watch(partial(shelf().run, run_id), partial(_draw, opened), while_going)
        return
    left, right = st.columns([1.15, 1], gap="medium")
    with left:
        watch(partial(shelf().run, run_id), partial(_draw, opened), while_going)
    with right:
        _parts(run, opened.key)


def _asked(
    opened: Opened, study: str, cohort: str, stored: StoredStudy, explained: MutableMapping[Hashable, str]
) -> str:
    """The run that explains it, asked for once in this session; one that ran before is found again."""
    opening = opened.opening
    wanted = (study, opening.scan, opening.model, opening.explainer, opening.target, repr(opening.parameters))
    known = _still_there(explained.get(wanted))
    if known is not None:
        return known
    explained[wanted] = shelf().submit(
        ExplanationSpec(
            scan=stored_scan(opening, cohort, stored),
            model=opening.model,
            explainer=opening.explainer,
            target=opening.target,
            preset=opening.preset,
            parameters=opening.parameters,
            region=_region(opening, stored),
        )
    )
    return explained[wanted]


def stored_scan(opening: Opening, cohort: str, stored: StoredStudy) -> str:
    """The scan in the store, read from the cohort where it is not there yet; its content hash."""
    title = f"{stored.record.get('cohort') or cohort} · {opening.title or opening.scan}"
    with st.spinner("Opening the scan"):
        return pool.ask(cohorts.store_scan, cohort, opening.scan, title, owner())


def _region(opening: Opening, stored: StoredStudy) -> str | None:
    if not opening.region:
        return None
    marked = np.load(stored.path(opening.region), allow_pickle=False)
    return shelf().add_region(np.asarray(marked > 0))


def _still_there(run_id: str | None) -> str | None:
    try:
        return None if run_id is None else shelf().run(run_id).id
    except BadInput:
        return None


def _head(opened: Opened, run: Run) -> None:
    """What is open and what can be done: outside the fragment, whose buttons would draw nothing but itself again."""
    page = pages.page_of(run)
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        _title(opened)
        if page is not None:
            st.button(
                f"Open in {page.title}",
                icon=":material/open_in_new:",
                key=f"{opened.key} open",
                on_click=whole(turn_to),
                args=(run.id,),
            )
        st.button("Close", icon=":material/close:", key=f"{opened.key} close", on_click=whole(opened.close))


def _title(opened: Opened) -> None:
    opening = opened.opening
    explainer = catalogue.explainer_title(opening.explainer) if opening.explainer else ""
    beside = [words for words in (opened.title, explainer) if words]
    text.show(text.facts([text.title(opening.title or opening.scan), *(text.beside(words) for words in beside)]))


def turn_to(run_id: str) -> None:
    """Lay a stored run out where it is shown and turn to that page; for callbacks."""
    try:
        pages.go_to(pages.open_run(run_id).name)
    except LightboxError as problem:
        st.toast(text.as_markdown(str(problem)))


def _show_scan(opened: Opened, cohort: str, stored: StoredStudy) -> None:
    """The scan alone, where a cell names no explainer."""
    name = stored_scan(opened.opening, cohort, stored)
    card = catalogue.cards().get(opened.opening.model)
    page = next((page for page in all_pages().values() if card is not None and page.verb(card)), None)
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        _title(opened)
        if page is not None:
            st.button(
                f"Open in {page.title}",
                icon=":material/open_in_new:",
                key=f"{opened.key} open",
                on_click=whole(_begin),
                args=(page, name, card),
            )
        st.button("Close", icon=":material/close:", key=f"{opened.key} close", on_click=whole(opened.close))
    scan = shelf().scan(name)
    viewer([Panel("scan", "Scan", [scan_layer(scan)])], key=f"{opened.key} viewer", height=_HEIGHT)


def _begin(page: Page, scan: str, card: Card) -> None:
    """Turn to a page with a scan and the model that was asked about it."""
    page.begin_with(card)
    laid = page.desk()
    if laid is not None:
        laid.scan = laid.model_for = scan
    pages.go_to(page.name)


def _draw(opened: Opened, run: Run) -> None:
    if run.status is Status.DONE:
        _result(run, opened)
    elif run.status.final:
        text.show(answer.ended_line(run, "Close it and open it again."))
    else:
        live = shelf().progress(run.id)
        st.progress(live.fraction, text=answer.progress_text(run, live))


def _result(run: Run, opened: Opened) -> None:
    explanation = shelf().explanation(run.id)
    name = str(run.request["scan"])
    main = explanation.arrays["map"]
    gate.show_banner(explanation.acceptance)
    text.show(text.quiet(opened.words(run, explanation)))
    scan = shelf().scan(name)
    marks = landmarks.outlines(scan, name)
    signed = show_form(main.diverging, f"{opened.key} form")
    shown = replace(map_layer(scan, run.id, "map", main, signed), name="map")
    made = explanation.arrays.get("answer") if main.side == "output" else None
    below = scan_layer(scan) if made is None else _answer_layer(scan, run.id, made)
    verdict = explanation.verdict
    title = verdicts.titled("Map" if made is None else "Map over the answer", verdict)
    layers = [below, *([] if verdict.withheld else [shown]), *marks]
    panels = [
        Panel("scan", "Scan", [scan_layer(scan), *marks]),
        Panel("map", title, layers, struck=verdicts.struck(verdict)),
    ]
    viewer(panels, key=f"{opened.key} viewer", height=_HEIGHT)


def _answer_layer(scan: Scan, run: str, made: StoredArray) -> Layer:
    """The image that a model makes of the scan: what a map of its answer lies on."""
    reference = publish(lambda: made.values, scan.affine, owner=owner(), name=f"run:{run}:answer", units=made.unit)
    return Layer(reference, "image", name="answer", unit=made.unit)


def _has_parts(run: Run) -> bool:
    return run.status is Status.DONE and shelf().explanation(run.id).parts is not None


def _parts(run: Run, key: str) -> None:
    """What the map is made of, part by part."""
    name = str(run.request["scan"])
    explanation = shelf().explanation(run.id)
    if explanation.parts is not None:
        text.show(text.quiet(explanation.parts.sentence))
        source = parts.Source(run.id, explanation)
        parts.show_parts(shelf().scan(name), source, f"{key} parts", landmarks.LandmarkDesk(name))
