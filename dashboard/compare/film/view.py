"""Compare, one film: the same question asked of several networks, their maps in one linked row."""

from collections.abc import Mapping
from functools import partial

import streamlit as st

from core.errors import LightboxError
from core.reports.explanation import StoredExplanation
from core.runs import Run, Status
from core.scans.scan import Scan
from dashboard.backend.questions import Prediction
from dashboard.callbacks import whole
from dashboard.compare import link
from dashboard.compare.desk import CompareDesk
from dashboard.compare.film import findings as film_findings
from dashboard.compare.film import stage as film_stage
from dashboard.compare.film.findings import Row
from dashboard.compare.film.intake import Order, show_intake
from dashboard.compare.wording import listed
from dashboard.desk import shelf
from dashboard.frame.pages import Page
from dashboard.look import text
from dashboard.results import actions, answer, gate, headline
from dashboard.results.layers import show_form
from dashboard.results.watch import watch, while_any_goes

_OPEN = (
    "Choose a scan on the left, or open one of your own. Then press Compare to see what each network uses, side by "
    "side."
)
_FORM = "compare form"
_ONE_SCALE = "compare one scale"


def show(page: Page, laid: CompareDesk) -> None:
    """Draw this half of the page."""
    with st.sidebar:
        order = show_intake(laid)
        actions.start_button(laid, "Compare", key="compare", order=order, on_click=_start, args=(laid,))
    if laid.scan is None or order.shape is None:
        text.show(text.nothing_loaded(_OPEN))
        return
    scan = shelf().scan(laid.scan)
    if not order.cards:
        st.warning(text.as_markdown(order.refusal or ""))
        film_stage.show_scan(scan, laid.scan)
        return
    _Middle(page, laid, scan, order).show()


def _start(laid: CompareDesk) -> None:
    try:
        laid.compare()
    except LightboxError as problem:
        laid.problem = str(problem)


class _Middle:
    """Headline, images, and what they say."""

    def __init__(self, page: Page, laid: CompareDesk, scan: Scan, order: Order) -> None:
        self._page, self._laid, self._scan, self._order = page, laid, scan, order

    def show(self) -> None:
        """Draw it."""
        watch(self._laid.runs, self._draw, lambda runs: while_any_goes(runs.values()))
        runs = self._laid.runs()
        if runs and not _going(runs):
            film_findings.show_parts(self._scan, self._laid.scan or "", self._order.cards, runs, _done(runs))

    def _draw(self, runs: Mapping[str, Run]) -> None:
        link.write(self._page, self._laid)
        self._headline()
        found = _done(runs)
        rows = self._rows(found)
        with st.container(key="compare-line"):
            self._line(runs, rows, found)
        signed = st.session_state.get(_FORM) == "signed"
        previews = {name: shelf().preview(run.id) for name, run in runs.items() if name not in found}
        known = {name: preview for name, preview in previews.items() if preview is not None}
        film_stage.show_row(
            self._scan, self._laid.scan or "", self._order.cards, found, runs, known, signed,
            one_scale=bool(st.session_state.get(_ONE_SCALE)),
        )  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            if film_stage.is_signed([explanation.arrays["map"] for explanation in found.values()]):
                show_form(True, _FORM)
            if len(found) > 1:
                st.toggle(
                    "One scale for all maps",
                    key=_ONE_SCALE,
                    help="The same colour is the same value in every map of one unit. Off: each on a scale of its own.",
                )
        self._findings(rows, found)

    def _rows(self, found: Mapping[str, StoredExplanation]) -> list[Row]:
        scan = self._laid.scan or ""
        said = self._order.said
        return [
            Row(
                card,
                said.get(card.name, ""),
                film_findings.held_in(scan, found[card.name]) if card.name in found else {},
            )
            for card in self._order.cards
        ]

    def _headline(self) -> None:
        order, said = self._order, [said for said in self._order.said.values() if isinstance(said, Prediction)]
        titles = [order.entry.title] if order.entry is not None else []
        pieces = headline.of_scan(self._laid.scan or "", titles, order.cards, said)
        headline.show(pieces, partial(link.show, self._page, self._laid))
        known = {card.title: order.said.get(card.name) for card in order.cards}
        gate.show_refusals({title: one for title, one in known.items() if isinstance(one, Prediction)})

    def _line(self, runs: Mapping[str, Run], rows: list[Row], found: Mapping[str, StoredExplanation]) -> None:
        """Where things stand, in one line above the images."""
        if self._order.refusal:
            st.warning(text.as_markdown(self._order.refusal))
        elif not runs:
            text.show(answer.quiet_line(f"{film_findings.sentence(rows, {})} Press Compare to see what they rest on."))
        elif _going(runs):
            self._progress(runs)
        else:
            ended = {name: run for name, run in runs.items() if run.status is not Status.DONE}
            if found:
                text.show(answer.sentence_line(film_findings.sentence(rows, found)))
            self._ended(ended)

    def _progress(self, runs: Mapping[str, Run]) -> None:
        titles = {card.name: card.title for card in self._order.cards}
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            for name, run in runs.items():
                live = shelf().progress(run.id)
                words = "done" if run.status is Status.DONE else answer.progress_text(run, live).lower()
                fraction = 1.0 if run.status.final else live.fraction
                st.progress(fraction, text=f"{titles.get(name, name)}: {words}")
            st.button(
                "Cancel", icon=":material/stop_circle:", key="cancel comparison", on_click=whole(_cancel), args=(runs,)
            )

    def _ended(self, runs: Mapping[str, Run]) -> None:
        """Runs that brought no map, and what to do."""
        titles = {card.name: card.title for card in self._order.cards}
        cancelled = [titles.get(name, name) for name, run in runs.items() if run.status is Status.CANCELLED]
        if cancelled:
            text.show(answer.quiet_line(f"Cancelled: {listed(cancelled)}. Press Compare to start again."))
        for name, run in runs.items():
            if run.status is not Status.CANCELLED:
                st.error(
                    text.as_markdown(
                        f"{titles.get(name, name)}: {run.message or 'it was cut off. Press Compare to start again.'}"
                    )
                )

    def _findings(self, rows: list[Row], found: Mapping[str, StoredExplanation]) -> None:
        left, right = st.columns([1.5, 1], gap="large")
        with left:
            marked = bool(shelf().landmarks(self._laid.scan or ""))
            film_findings.show_table(rows, self._laid.target, marked)
        with right:
            if len(found) > 1:
                film_findings.show_likeness(self._order.cards, found)


def _going(runs: Mapping[str, Run]) -> bool:
    return any(not run.status.final for run in runs.values())


def _done(runs: Mapping[str, Run]) -> dict[str, StoredExplanation]:
    return {name: shelf().explanation(run.id) for name, run in runs.items() if run.status is Status.DONE}


def _cancel(runs: Mapping[str, Run]) -> None:
    for run in runs.values():
        shelf().cancel(run.id)
