"""The Explain page: what is chosen on the left, the images in the middle, the answer above and around them."""

from functools import partial

import streamlit as st

from core.errors import BadInput, LightboxError
from core.reports.explanation import StoredExplanation
from core.runs import Run, Status
from core.scans.scan import Scan
from dashboard.backend.questions import Prediction
from dashboard.desk import Desk, shelf
from dashboard.explain.desk import explain_desk
from dashboard.explain.intake import Order, show_intake
from dashboard.frame import opening
from dashboard.frame.pages import RUN, Page
from dashboard.intake import demo, predictions
from dashboard.intake.request import request
from dashboard.look import text
from dashboard.results import actions, answer, downloads, landmark_views, parts, stage
from dashboard.results.landmarks import landmark_desk

#: Seconds between two looks at a run that is going on.
POLL = 1.0
#: Session key of the scan that the page showed last.
_HUNG = "scan on screen"


def show(page: Page) -> None:
    """Draw the page."""
    laid = explain_desk()
    waiting = st.empty()
    # only for a scan that is not on screen yet: a line that came and went at every slider would make the page jump
    if laid.scan is None or st.session_state.get(_HUNG) != laid.scan:
        text.show(text.quiet("Hanging the scan and asking the model…"), place=waiting)
    with st.sidebar:
        order = show_intake()
        _explain_button(laid, order)
    if order.scan is None or laid.scan is None:
        waiting.empty()
        _nothing_loaded()
        return
    scan = shelf().scan(laid.scan)
    prediction, refusal = (None, order.refusal) if order.card is None else predictions.predict(laid.scan, order.card)
    waiting.empty()
    st.session_state[_HUNG] = laid.scan
    run = _current_run(laid)
    shown = {RUN: laid.run} if laid.run else {}
    opening.write_address(page, laid, shown)
    _headline(laid, order, prediction, run, opening.address(page, shown))
    _Watch(scan, order, prediction, refusal).show(run)
    text.show(text.disclaimer())


class _Watch:
    """The answer, the images and what is found in them: drawn again by themselves as long as a run is going on."""

    def __init__(self, scan: Scan, order: Order, prediction: Prediction | None, refusal: str | None) -> None:
        self._scan = scan
        self._order = order
        self._prediction = prediction
        self._refusal = refusal
        self._landmarks = landmark_desk(order.scan or "")
        # a 2D model that takes one plane of a volume: that plane is the one to look at
        self._plane = (order.card.input.plane if order.card is not None else None) or "axial"

    def show(self, run: Run | None) -> None:
        """Draw what there is to see of `run`."""
        going = run is not None and not run.status.final
        # one fragment for every state: the viewer stays the same component while previews turn into a result, and a
        # stroke of the brush draws the figures below anew
        st.fragment(self._draw, run_every=POLL if going else None)(run.id if run else None, going)

    def _draw(self, run_id: str | None, was_going: bool) -> None:
        run = shelf().run(run_id) if run_id else None
        if was_going and run is not None and run.status.final:
            st.rerun()
        line, images, below = st.container(), st.container(), st.container()
        marks = landmark_views.marks_of(self._landmarks, self._scan)
        if run is None:
            self._draw_waiting(line, images, marks)
        elif not run.status.final:
            self._draw_going(run, line, images, below, marks)
            return
        elif run.status is Status.DONE:
            with below:
                signed = self._tools(run)
            explanation = shelf().explanation(run.id)
            with line:
                text.show(answer.result_line(explanation))
            with images:
                stage.show_result(self._scan, self._plane, run.id, explanation, signed, marks)
            with below:
                self._draw_findings(run, explanation)
            return
        else:
            with line:
                text.show(answer.ended_line(run))
            with images:
                stage.show_scan(self._scan, self._plane, marks)
        with below:
            self._tools()
            landmark_views.show_landmarks(self._landmarks, None)

    def _tools(self, run: Run | None = None) -> bool:
        """The row under the images; returns whether a signed map is to be shown with its signs."""
        signed = True
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="explain-tools"):
            if run is not None:
                explanation = shelf().explanation(run.id)
                main = explanation.arrays["map"]
                # of many parts' maps over each other the sizes say where; what a sign says is seen in a single one
                heat = explanation.parts is not None
                signed = stage.show_form(main.diverging, f"form of the map {run.id}", heat)
            landmark_views.show_tools(self._landmarks)
        return signed

    def _draw_findings(self, run: Run, explanation: StoredExplanation) -> None:
        """Everything below the images of a finished run."""
        if explanation.parts is not None:
            left, right = st.columns([1.6, 1], gap="large", wrap=False)
            with left:
                parts.show_heading(explanation.parts)
                parts.show_parts(self._scan, parts.Source(run.id, explanation), "parts", self._landmarks)
            where = sure = path = right
        else:
            where, sure, path = st.columns([1.15, 1, 1.15], gap="large", wrap=False)
        with where:
            answer.show_where(explanation, landmarks=bool(self._landmarks.all))
            landmark_views.show_landmarks(self._landmarks, str(explanation.arrays["map"].path))
        with sure:
            answer.show_how_sure(explanation)
        with path:
            answer.show_path(explanation)
        answer.show_details(explanation, run)

    def _draw_waiting(
        self,
        line: st.delta_generator.DeltaGenerator,
        images: st.delta_generator.DeltaGenerator,
        marks: stage.Marks,
    ) -> None:
        with line:
            if self._refusal or self._order.refusal:
                st.warning(self._refusal or self._order.refusal or "")
            elif self._prediction is not None:
                text.show(answer.prediction_line(self._prediction, explain_desk().target))
        with images:
            stage.show_scan(self._scan, self._plane, marks)

    def _draw_going(
        self,
        run: Run,
        line: st.delta_generator.DeltaGenerator,
        images: st.delta_generator.DeltaGenerator,
        below: st.delta_generator.DeltaGenerator,
        marks: stage.Marks,
    ) -> None:
        live = shelf().progress(run.id)
        with line:
            actions.progress_row(run, key="cancel run", on_cancel=partial(actions.cancel, run.id))
        with images:
            stage.show_preview(self._scan, self._plane, run.id, shelf().preview(run.id), marks)
        with below:
            self._tools()
            answer.show_live_curves(live.history, run.request["explainer"])


def _explain_button(laid: Desk, order: Order) -> None:
    ready = order.scan is not None and order.entry is not None and order.refusal is None
    actions.start_button(laid, "Explain", key="explain", ready=ready, on_click=_start)


def _start() -> None:
    """Ask for a run. A callback, so that it cannot be lost, and from the desk, so that it asks for what is shown."""
    laid = explain_desk()
    asked = request(laid)
    if asked is None:
        return
    try:
        laid.run = shelf().submit(asked)
    except LightboxError as problem:
        laid.problem = str(problem)


def _current_run(laid: Desk) -> Run | None:
    if laid.run is None:
        return None
    try:
        return shelf().run(laid.run)
    except BadInput:
        laid.forget(laid.run)
        return None


def _headline(laid: Desk, order: Order, prediction: Prediction | None, run: Run | None, link: str) -> None:
    meta = shelf().scan_meta(laid.scan or "")
    pieces = [text.bold(meta["label"])]
    shipped = next((scan for scan in demo.scans() if scan.title == meta["label"]), None)
    if shipped is not None:
        pieces.append(text.beside(shipped.description))
    if order.card is not None:
        pieces.append(text.beside(order.card.title))
    if shipped is not None and shipped.synthetic:
        pieces.append(text.tag("synthetic data", "synthetic"))
    elif order.card is not None and order.card.synthetic:  # the scan itself may be of a person
        pieces.append(text.tag("model of synthetic data", "synthetic"))
    pieces += [text.tag(note) for note in meta["notes"]]
    if prediction is not None:
        pieces += [text.tag(note) for note in prediction.notes]
        pieces += [text.tag(warning, "warning") for warning in prediction.warnings]
    if run is not None and run.status is Status.DONE and order.setting is not None and _changed_since(run, order):
        pieces.append(text.tag("settings changed since this result", "warning"))
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        text.show(text.facts(pieces))
        downloads.show(run, link)


def _changed_since(run: Run, order: Order) -> bool:
    assert order.entry is not None and order.setting is not None
    then = {**order.entry.values(run.request.get("preset") or order.entry.first_preset), **run.request["parameters"]}
    return then != {**order.entry.values(order.setting.preset), **order.setting.changes}


def _nothing_loaded() -> None:
    text.show(
        text.empty(
            "Nothing on the lightbox yet",
            "Choose a scan on the left, or open one of your own: NIfTI, DICOM, PNG and others are read.",
        )
    )
