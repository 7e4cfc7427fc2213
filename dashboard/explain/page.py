"""The Explain page: what is chosen on the left, the images in the middle, the answer above and around them."""

from functools import partial

import streamlit as st

from core.errors import LightboxError
from core.reports.explanation import StoredExplanation
from core.runs import Run, Status
from core.scans.scan import Scan
from dashboard.backend.questions import Prediction
from dashboard.desk import shelf
from dashboard.explain import earlier as before
from dashboard.explain import everything
from dashboard.explain.desk import ExplainDesk, explain_desk
from dashboard.explain.intake import show_intake
from dashboard.explain.stage import VIEWER_KEY, Stage
from dashboard.frame import opening
from dashboard.frame.pages import RUN, Page
from dashboard.intake import predictions
from dashboard.intake.order import Order
from dashboard.intake.request import changed_since, request
from dashboard.look import text
from dashboard.results import actions, answer, downloads, gate, headline, landmark_views, parts
from dashboard.results.landmarks import landmark_desk
from dashboard.results.layers import show_form
from dashboard.results.pinned import tray
from dashboard.results.watch import watch, while_going

#: Session key of the scan that the page showed last.
_HUNG = "scan on screen"
_OPEN = "Choose a scan on the left, or open one of your own: NIfTI, DICOM, PNG and others are read."


def show(page: Page) -> None:
    """Draw the page."""
    laid = explain_desk()
    waiting = st.empty()
    # only for a scan that is not on screen yet: a line that came and went at every slider would make the page jump
    if laid.scan is None or st.session_state.get(_HUNG) != laid.scan:
        text.show(text.quiet("Hanging the scan and asking the model…"), place=waiting)
    with st.sidebar:
        order = show_intake(laid)
        prediction, refusal = _ask(laid, order)
        refused = prediction is not None and prediction.refused
        actions.start_button(
            laid, "Explain", key="explain", order=order, on_click=_start, refused=refused,
            more=partial(everything.show, laid, order),
        )  # fmt: skip
    if laid.scan is None or order.shape is None:
        waiting.empty()
        text.show(text.nothing_loaded(_OPEN))
        return
    scan = shelf().scan(laid.scan)
    waiting.empty()
    st.session_state[_HUNG] = laid.scan
    run = laid.current()
    shown = {RUN: laid.run} if laid.run else {}
    opening.write_address(page, laid, shown)
    _headline(laid, order, prediction, run, opening.address(page, shown))
    gate.show_refusal(prediction)
    middle = _Middle(laid, scan, order, prediction, refusal or order.refusal)
    watch(laid.current, middle.draw, while_going)


def _ask(laid: ExplainDesk, order: Order) -> tuple[Prediction | None, str | None]:
    """What the model says of the scan, or why it cannot be asked."""
    if laid.scan is None or order.shape is None:
        return None, None
    return (None, order.refusal) if order.card is None else predictions.predict(laid.scan, order.card)


class _Middle:
    """The answer, the images and what is found in them."""

    def __init__(
        self, laid: ExplainDesk, scan: Scan, order: Order, prediction: Prediction | None, refusal: str | None
    ) -> None:
        self._laid = laid
        self._scan = scan
        self._order = order
        self._prediction = prediction
        self._refusal = refusal
        self._refused = prediction is not None and prediction.refused
        self._landmarks = landmark_desk(laid.scan or "")
        self._offered = self._regions()
        self._earlier: before.Earlier | None = None

    def _regions(self) -> list[str]:
        """Landmarks that the left side offers as regions: of those that are finished, where the explainer takes one."""
        takes = self._order.entry is not None and self._order.entry.takes_region
        if not takes or self._landmarks.drawing is not None:
            return []
        return [landmark.region for landmark in self._landmarks.all]

    def draw(self, run: Run | None) -> None:
        """Draw what there is to see of `run`."""
        if self._regions() != self._offered:
            st.rerun()  # a stroke draws this part of the page alone, and the left side has to offer what was drawn
        opening.turn_page()
        self._earlier = before.earlier_of(self._laid)
        line, images, below = st.container(key="explain-line"), st.container(), st.container()
        marks = landmark_views.marks_of(self._landmarks, self._scan, VIEWER_KEY)
        if run is not None and not run.status.final:
            self._draw_going(run, line, images, below, marks)
        elif run is not None and run.status is Status.DONE:
            with below:
                signed = self._tools(run)
            explanation = shelf().explanation(run.id)
            with line:
                if self._laid.back == run.id:
                    text.show(text.quiet("Cancelled: the result before is back."))
                text.show(answer.result_line(explanation, self._order.card, self._refused))
            with images:
                self._stage().result(run.id, explanation, signed, marks)
            with below:
                self._draw_findings(run, explanation)
            self._laid.stood = run.id
        else:
            with line:
                self._draw_waiting(run)
            with images:
                self._stage(self._earlier).scan_alone(marks)
            with below:
                self._tools()
                landmark_views.show_landmarks(self._landmarks, None)

    def _stage(self, earlier: before.Earlier | None = None) -> Stage:
        changes = self._order.entry is not None and self._order.entry.changes_scan
        return Stage(self._scan, self._laid.scan or "", self._order.card, earlier, changes)

    def _tools(self, run: Run | None = None) -> bool:
        """The row under the images; returns whether a signed map is to be shown with its signs."""
        signed = True
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="explain-tools"):
            if run is not None:
                explanation = shelf().explanation(run.id)
                main = explanation.arrays["map"]
                # of many parts' maps over each other the sizes say where; what a sign says is seen in a single one
                heat = explanation.parts is not None
                signed = show_form(main.diverging, f"form of the map {run.id}", heat)
            landmark_views.show_tools(self._landmarks)
            if self._landmarks.drawing is None:
                tray.show(run, "explain")
        return signed

    def _draw_findings(self, run: Run, explanation: StoredExplanation) -> None:
        """Everything below the images of a finished run."""
        gallery = explanation.parts is not None and parts.has_gallery(self._scan, explanation.parts)
        if gallery and explanation.parts is not None:
            left, right = st.columns([1.6, 1], gap="large", wrap=False)
            with left:
                parts.show_heading(explanation.parts)
                parts.show_parts(self._scan, parts.Source(run.id, explanation), "parts", self._landmarks)
            where = sure = path = right
        elif answer.has_path(explanation):
            where, sure, path = st.columns([1.15, 1, 1.15], gap="large", wrap=False)
        else:  # nothing was optimised: no column for what there is not
            where, sure = st.columns([1.35, 1], gap="large", wrap=False)
            path = None
        with where:
            answer.show_where(explanation, landmarks=bool(self._landmarks.all), refused=self._refused)
            landmark_views.show_landmarks(self._landmarks, str(explanation.arrays["map"].path))
        with sure:
            answer.show_how_sure(explanation, self._order.card)
        if path is not None:
            with path:
                answer.show_path(explanation)
                if explanation.parts is not None and not gallery:
                    text.show(text.quiet(parts.why_no_gallery(explanation.parts)))
        answer.show_details(explanation, run, self._prediction.acceptance if self._prediction is not None else None)

    def _draw_waiting(self, run: Run | None) -> None:
        """What the model says, or why nothing can be asked; how a run ended that has no result."""
        if run is not None:
            text.show(answer.ended_line(run))
        if self._refusal:
            st.warning(text.as_markdown(self._refusal))
        elif run is None and self._prediction is not None:
            text.show(answer.prediction_line(self._prediction, self._order.card))

    def _draw_going(
        self,
        run: Run,
        line: st.delta_generator.DeltaGenerator,
        images: st.delta_generator.DeltaGenerator,
        below: st.delta_generator.DeltaGenerator,
        marks: landmark_views.Marks,
    ) -> None:
        live = shelf().progress(run.id)
        with line:
            actions.progress_row(run, key="cancel run", on_cancel=partial(actions.cancel, run.id))
            if self._earlier is not None:
                text.show(before.line(self._earlier))
        with images:
            self._stage(self._earlier).preview(run.id, shelf().preview(run.id), marks)
        with below:
            self._tools()
            answer.show_live_curves(live.history, run.request["explainer"])


def _start() -> None:
    """Ask for a run. A callback, so that it cannot be lost, and from the desk, so that it asks for what is shown."""
    laid = explain_desk()
    asked = request(laid)
    if asked is None:
        return
    try:
        laid.ask(asked)
    except LightboxError as problem:
        laid.problem = str(problem)


def _headline(laid: ExplainDesk, order: Order, prediction: Prediction | None, run: Run | None, link: str) -> None:
    titles = [order.card.title] if order.card is not None else []
    said = [prediction] if prediction is not None else []
    pieces = headline.of_scan(laid.scan or "", titles, order.cards, said)
    if run is not None and run.status is Status.DONE and order.entry is not None and order.setting is not None:
        pieces += headline.changed(changed_since(laid, order.entry, order.setting, run))
    headline.show(pieces, partial(downloads.show, run, link, VIEWER_KEY))
