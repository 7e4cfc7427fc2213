"""The Trace page: what is chosen on the left, the two sides of the model in the middle, figures below."""

import hashlib
import time
from concurrent.futures import Future
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import streamlit as st

from core.errors import LightboxError
from core.explainers import explainers
from core.explainers.base import Side
from core.runs import Run, Status
from core.scans.scan import Scan
from dashboard.backend import pool
from dashboard.backend import questions as asking
from dashboard.callbacks import whole
from dashboard.components.viewer import painted, publish
from dashboard.desk import owner, shelf
from dashboard.frame import opening
from dashboard.frame.pages import RUN, Page
from dashboard.intake import catalogue
from dashboard.look import text
from dashboard.results import actions, answer, downloads, gate, headline
from dashboard.results.pinned import tray
from dashboard.results.watch import watch
from dashboard.trace import questions, stage
from dashboard.trace.desk import Sketch, TraceDesk, history, trace_desk
from dashboard.trace.findings import show_findings
from dashboard.trace.intake import Order, show_intake

#: Seconds between two looks at a run that is going on: it is over in a few of them.
POLL = 0.25
#: Seconds between two looks at one that takes long: each draws the page, and that takes time from the run.
_SLOW_POLL, _LONG_RUN = 1.0, 5.0
#: Seconds that the page waits for a coarse map before it shows that the run goes on.
_PATIENCE = 0.8
#: A coarse map that took longer than this, in seconds, is not asked for again on the same scan.
_TOO_SLOW = 4.0
_OPEN = (
    "Choose a scan on the left. Then paint a few pixels: on the input to see what they change, or on the output to "
    "see what it rests on."
)
_HOW = (
    "Paint on the input to see what those pixels change in the output, or on the output to see what it rests on. "
    "? lists the keys."
)


def show(page: Page) -> None:
    """Draw the page."""
    laid = trace_desk()
    _start_backend()
    waiting = st.empty()
    # only for what is not on screen yet: a line that came and went at every slider would make the page jump
    if laid.hung != (laid.scan, laid.model):
        text.show(text.quiet("Hanging the scan and asking the model…"), place=waiting)
    with st.sidebar:
        order = show_intake(laid)
    if laid.scan is None or order.shape is None:
        waiting.empty()
        text.show(text.nothing_loaded(_OPEN))
        return
    scan = shelf().scan(laid.scan)
    if order.card is None:
        waiting.empty()
        st.warning(text.as_markdown(order.refusal or ""))
        return
    _Middle(page, laid, scan, order).show()
    waiting.empty()
    laid.hung = (laid.scan, laid.model)


@dataclass(frozen=True)
class Tools:
    """What the row under the images stands at.

    Parameters
    ----------
    outlines : bool
        Draw the pieces that the map is made of, where it is (superpixels).
    spread : bool
        Show how far the map varies over a group, in its place.
    beside : {"", "truth", "error"}
        What the third panel shows.
    window : str
        A name of `stage.WINDOWS`, or nothing.
    """

    outlines: bool
    spread: bool
    beside: str
    window: str


class _Middle:
    """Headline, images and figures."""

    def __init__(self, page: Page, laid: TraceDesk, scan: Scan, order: Order) -> None:
        assert order.card is not None
        self._page, self._laid, self._scan, self._order = page, laid, scan, order
        self._card, self._sides = order.card, order.rule.sides if order.rule is not None else ()
        self._content = catalogue.content_of(order.card.name)

    def show(self) -> None:
        """Ask for what is laid out, and draw it."""
        watch(self._follow, self._draw, _pace, draw_first=True)
        self._get_ready()

    def _get_ready(self) -> None:
        """Prepare for the first stroke on this scan, once its picture was asked for."""
        laid = self._laid
        wanted = f"{laid.scan}:{self._content}:{laid.explainer}"
        if laid.ready != wanted and self._sides:
            laid.ready = wanted
            asked = laid.scan or "", owner(), self._card.name, self._content, laid.explainer or ""
            pool.start_same(questions.get_ready, *asked)

    def _follow(self) -> Run | None:
        if self._sides:
            self._laid.ask()
        return self._laid.current()

    def _draw(self, run: Run | None) -> None:
        laid = self._laid
        opening.turn_page()
        going = run is not None and not run.status.final
        address = {RUN: laid.traced} if laid.traced else {}
        opening.write_address(self._page, laid, address)
        self._headline(run, opening.address(self._page, address))
        if laid.problem:
            st.error(text.as_markdown(laid.problem))
            laid.problem = None
        line, images, row = st.container(key="trace-line"), st.container(), st.container()
        with row:
            tools = self._tools(run)
        explanation = None
        shown = outlines = None
        if run is not None and run.status is Status.DONE:
            explanation = shelf().explanation(run.id)
            shown = stage.exact_map(self._scan, run.id, explanation, tools.spread)
            outlines = explanation.pieces if tools.outlines else None
        elif run is not None and going:
            preview = shelf().preview(run.id)
            shown = stage.forming_map(run, preview, self._sketch(), self._map_side())
        with images:
            self._stage(tools).show(shown, outlines, self._painted)
        with line:
            self._line(run, shown)
        channel = self._order.channel("output")
        show_findings(laid, self._card, self._content, run, explanation, self._order.truth, channel)

    def _map_side(self) -> Side:
        """Where the map of what is painted will lie."""
        rule, side = self._order.rule, self._laid.side
        return rule.maps.get(side, "input") if rule is not None and side is not None else "input"

    def _stage(self, tools: Tools) -> stage.Stage:
        order = self._order
        return stage.Stage(
            scan=self._scan,
            card=self._card,
            content=self._content,
            laid=self._laid,
            input_channel=order.channel("input"),
            output_channel=order.channel("output"),
            plane=self._card.input.plane or "axial",
            sides=self._sides,
            truth=order.truth,
            beside=tools.beside,
            window=stage.WINDOWS.get(tools.window),
        )

    def _painted(self) -> None:
        """A stroke ended. A callback, so that the map that follows is asked for before anything is drawn."""
        laid = self._laid
        event = painted(stage.key_of(laid.scan or ""), self._scan.shape, self._sides)
        laid.problem = event.problem
        if event.problem is None:
            laid.select(event.region, event.surface)

    def _sketch(self) -> Sketch | None:
        """A coarse map from the process that is warm already; asked once a request, where it comes soon enough."""
        laid = self._laid
        if laid.asked is None:
            return None
        if laid.sketch is None or laid.sketch.asked != laid.asked:
            quick = laid.slow != laid.ready
            laid.sketch = Sketch(laid.asked, self._start_sketch(laid.asked) if quick else None)
        found = laid.sketch.arrived(_PATIENCE)
        if found is not None and laid.sketch.reference is None:
            if found.seconds > _TOO_SLOW:
                laid.slow = laid.ready  # the run's own previews are there sooner
            name = f"sketch:{self._content}:{hashlib.sha256(laid.asked.encode()).hexdigest()}"
            laid.sketch.filled = int(np.count_nonzero(found.values))
            laid.sketch.reference = publish(found.values, self._scan.affine, owner=owner(), name=name)
        return laid.sketch

    def _start_sketch(self, asked: str) -> Future[questions.QuickMap | None] | None:
        scan = self._laid.scan or ""
        return pool.start_same(questions.quick_map, scan, owner(), self._card.name, self._content, asked)

    def _headline(self, run: Run | None, link: str) -> None:
        said, problems = self._fitting()
        pieces = headline.of_scan(self._laid.scan or "", [self._card.title], [self._card], said)
        pieces += map(headline.warning, (*problems, *_caveat(run)))
        headline.show(pieces, partial(downloads.show, run, link, stage.key_of(self._laid.scan or "")))
        gate.show_refusal(said[0] if said else None)

    def _fitting(self) -> tuple[list[asking.Prediction], list[str]]:
        """How the scan was made to fit the model, or why it cannot be."""
        try:
            return [_fitted(self._laid.scan or "", owner(), self._card.name, self._content)], []
        except LightboxError as problem:
            return [], [str(problem)]

    def _line(self, run: Run | None, shown: stage.Shown | None) -> None:
        """Where things stand, in one line above the images."""
        if self._order.refusal:
            st.warning(text.as_markdown(self._order.refusal))
        elif run is None:
            text.show(answer.quiet_line(_how(self._order)))
        elif run.status is Status.DONE:
            text.show(answer.result_line(shelf().explanation(run.id), self._card))
        elif not run.status.final:
            first = "Coarse map on screen · " if shown is not None else ""
            actions.progress_row(run, key="cancel trace", on_cancel=self._laid.stop, first=first)
        else:
            with st.container(horizontal=True, vertical_alignment="center", wrap=False):
                text.show(answer.ended_line(run, "Paint on, or press Again."))
                st.button("Again", icon=":material/refresh:", key="trace again", on_click=whole(self._laid.again))

    def _tools(self, run: Run | None) -> Tools:
        """History, outlines, spread, window and the third panel, in one row under the images."""
        steps = history(self._laid)
        here = steps.index(self._laid.traced) if self._laid.traced in steps else None
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="trace-tools"):
            self._step("‹", "earlier", "J", steps, (len(steps) if here is None else here) - 1)
            place = "–" if here is None else str(here + 1)
            text.show(text.quiet_word(f"Selection {place} of {len(steps)}"), width="content")
            self._step("›", "later", "K", steps, -1 if here is None else here + 1)
            found = Tools(
                outlines=st.toggle(
                    "Outlines",
                    key="trace outlines",
                    help="The pieces that a map is made of: the superpixels of IBIX, backward.",
                ),
                spread=self._several(run)
                and st.toggle("Spread", key="trace spread", help="Standard deviation of the map over the scans."),
                beside=self._third_panel(),
                window=self._ct_window(),
            )
            tray.show(run, "trace")
            return found

    @staticmethod
    def _several(run: Run | None) -> bool:
        return run is not None and bool(run.request.get("others"))

    def _third_panel(self) -> str:
        if self._order.truth is None:
            return ""
        names = {"": "Two panels", "truth": "Ground truth", "error": "Error map"}
        return _one_of("Third panel", names, "trace beside") or ""

    def _ct_window(self) -> str:
        output = self._card.output
        if output is None or output.units != "HU":
            return ""
        names = {name: name for name in stage.WINDOWS}
        return _one_of("Window of the CT (right-drag on it for any other)", names, "trace window") or ""

    def _step(self, label: str, word: str, key: str, steps: list[str], wanted: int) -> None:
        possible = 0 <= wanted < len(steps)
        st.button(
            label,
            key=f"trace {word}",
            help=f"The {word} selection ({key})",
            shortcut=key,
            disabled=not possible,
            on_click=whole(_open),
            args=(steps[wanted] if possible else "",),
        )


def _pace(run: Run | None) -> float | None:
    """Seconds until the next look at a run; None where nothing goes on."""
    if run is None or run.status.final:
        return None
    return POLL if time.time() - run.created < _LONG_RUN else _SLOW_POLL


def _how(order: Order) -> str:
    """What to do while nothing is painted."""
    sides = order.rule.sides if order.rule is not None else ()
    if len(sides) > 1:
        return _HOW
    title = order.entry.title if order.entry is not None else ""
    return f"Paint on the {''.join(sides)}: {title} explains what is marked there. ? lists the keys."


def _caveat(run: Run | None) -> list[str]:
    """What must be known of a finished map before anything else."""
    if run is None or run.status is not Status.DONE:
        return []
    explanation = shelf().explanation(run.id)
    cls = explainers().get(explanation.explainer)
    found = cls.caveat(explanation.record["parameters"], explanation.record["numbers"]) if cls is not None else ""
    return [found] if found else []


def _one_of(label: str, names: dict[str, str], key: str) -> str | None:
    """A few choices beside each other, the first of them at first."""
    chosen: str | None = st.segmented_control(
        label, list(names), default=next(iter(names)), required=True,
        format_func=lambda name: text.as_markdown(names[name]),
        key=key, label_visibility="collapsed",
    )  # fmt: skip
    return chosen


@lru_cache(maxsize=1)
def _start_backend() -> None:
    pool.start_same(asking.get_ready)


@st.cache_data(max_entries=256, show_spinner=False)
def _fitted(scan: str, whose: str, model: str, content: str) -> asking.Prediction:
    return pool.ask_same(asking.predict, scan, whose, model, content)


def _open(run_id: str) -> None:
    try:
        trace_desk().adopt(shelf().run(run_id))
    except LightboxError as problem:
        trace_desk().problem = str(problem)
