"""Compare, results: any explanation runs in one linked row, and below it what they have in common and what not."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from core.acceptance.verdict import HEADING
from core.errors import LightboxError
from core.runs import Run, Status
from dashboard.callbacks import whole
from dashboard.compare import link
from dashboard.compare.desk import CompareDesk
from dashboard.compare.side_by_side import export, findings, intake, members, progress, stage
from dashboard.compare.side_by_side.common import Common, common_of
from dashboard.compare.side_by_side.measuring import Likeness, can_be_asked, measure
from dashboard.compare.side_by_side.members import Comparison
from dashboard.frame import opening
from dashboard.frame.pages import Page
from dashboard.intake import catalogue
from dashboard.look import text
from dashboard.results import answer, headline
from dashboard.results.layers import show_form
from dashboard.results.pinned import tray
from dashboard.results.watch import watch, while_any_goes

_FORM, _LOCKED, _BESIDE, _ASK = "results form", "results locked", "results beside", "results ask"
#: So few pairs of explanations that networks are asked about them unless somebody does not want it.
_FEW = 3
_NOTHING = (
    "Pin two results on Explain or Trace and press Compare there, or tick two runs on Runs: they stand here side by "
    "side, whatever they are."
)


def show(page: Page, laid: CompareDesk) -> None:
    """Draw this part of the page."""
    runs = laid.side_by_side()
    try:
        reason = members.why_not(runs)
        comparison = members.comparison_of(runs) if reason is None else None
    except LightboxError as problem:
        reason, comparison = str(problem), None
    if comparison is None:
        _show_nothing(laid, runs, reason)
        return
    with st.sidebar:
        intake.show_intake(laid, comparison)
    watch(laid.side_by_side, partial(_draw, page, laid), while_any_goes)


def _show_nothing(laid: CompareDesk, runs: Sequence[Run], reason: str | None) -> None:
    if runs and reason:
        st.warning(text.as_markdown(reason))
    pinned = tray.pinned()
    text.show(text.empty("Nothing to compare yet", _NOTHING))
    if len(pinned) > 1:
        st.button(
            f"Compare {len(pinned)} pinned", type="primary", key="results compare pinned",
            on_click=whole(laid.put_side_by_side), args=(pinned,),
        )  # fmt: skip


def _draw(page: Page, laid: CompareDesk, runs: list[Run]) -> None:
    opening.turn_page()
    if members.why_not(runs) is not None:
        st.rerun()  # one was deleted meanwhile
    comparison = members.comparison_of(runs)
    common = common_of(comparison.done) if comparison.done else None
    link.write(page, laid)
    _headline(page, laid, comparison)
    _show_refused(comparison)
    line, images = st.container(key="compare-line"), st.container()
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        look = _look(comparison, common, laid.share)
    with images:
        stage.show_row(comparison, common, look)
    found = _measured(comparison, common, laid.share)
    with line:
        _line(laid, comparison, found)
    if common is not None and len(comparison.done) > 1 and common.notes:
        text.show(text.quiet_lines(common.notes))
    _findings(comparison, common, found, laid.share)


def _headline(page: Page, laid: CompareDesk, comparison: Comparison) -> None:
    """What all of them share; several scans have no one line of facts."""
    cards = [catalogue.cards().get(str(member.run.request["model"])) for member in comparison.members]
    known = list({card.name: card for card in cards if card is not None}.values())
    if len(comparison.scans) == 1:
        pieces = headline.of_scan(comparison.scans[0], [], known)
    else:
        pieces = [text.bold(f"{len(comparison.scans)} scans"), *headline.synthetic(False, known)]
    headline.show(pieces, partial(export.show, page, laid, comparison))


def _show_refused(comparison: Comparison) -> None:
    """A banner where a model cannot read its scan: beside the others such a result looks like one of them."""
    refused = [member for member in comparison.finished if member.refused]
    if refused:
        reasons = dict.fromkeys(f"{member.letter}: {member.refused[0]}" for member in refused)
        text.show(text.banner(f"{HEADING}.", [*reasons, "What the model says of it means nothing."]))


def _look(comparison: Comparison, common: Common | None, share: float) -> stage.Look:
    """The row under the images."""
    offered = stage.extras(comparison, common)
    first = [name for name in ("difference", "agreement") if name in offered]
    beside = st.pills(
        "Beside the maps", list(offered), selection_mode="multi", default=first, format_func=offered.__getitem__,
        key=f"{_BESIDE}:{','.join(offered)}", label_visibility="collapsed",
    )  # fmt: skip
    signed = show_form(any(member.main.diverging for member in comparison.done), _FORM)
    locked = st.toggle(
        "One scale for all",
        key=_LOCKED,
        help=(
            "Maps of one unit share scale, threshold and opacity, and the scans one window: the same colour is the "
            "same value. Off: each on its own."
        ),
    )
    return stage.Look(signed, locked, beside or (), share)


def _measured(comparison: Comparison, common: Common | None, share: float) -> list[Likeness]:
    if common is None or len(comparison.done) < 2:
        return []
    try:
        return measure(comparison.done, common, share, ask=bool(st.session_state.get(_ASK, _few(comparison))))
    except LightboxError as problem:
        st.warning(text.as_markdown(str(problem)))
        return []


def _few(comparison: Comparison) -> bool:
    return len(comparison.done) <= _FEW


def _line(laid: CompareDesk, comparison: Comparison, found: Sequence[Likeness]) -> None:
    """Where things stand, in one line above the images."""
    runs = [member.run for member in comparison.members]
    if any(not run.status.final for run in runs):
        progress.show(runs)
        return
    words = findings.sentence(comparison.finished, found)
    if words:
        text.show(answer.sentence_line(words))
    cancelled = [member.letter for member in comparison.members if member.run.status is Status.CANCELLED]
    if cancelled:
        text.show(
            text.quiet(f"Cancelled: {', '.join(cancelled)}. Leave them out on the left, or ask again on Explain.")
        )
    for name, reason in findings.ended(comparison).items():
        st.error(text.as_markdown(f"{name}: {reason}"))


def _findings(comparison: Comparison, common: Common | None, found: Sequence[Likeness], share: float) -> None:
    left, right = st.columns([1, 1.15], gap="large")
    with left:
        findings.show_results(comparison)
        findings.show_settings(comparison)
    with right:
        _show_likeness(comparison, common, found, share)
    findings.show_words(comparison)


def _show_likeness(comparison: Comparison, common: Common | None, found: Sequence[Likeness], share: float) -> None:
    if common is not None and found:
        asked = can_be_asked(comparison.done)
        if asked:
            st.toggle(
                "Ask each network about what the others hid",
                value=_few(comparison),
                key=_ASK,
                help="prob_CNN of paper 1: what one network says of the scan that another's mask left.",
            )
        unit = comparison.done[0].main.unit if common.values else ""
        findings.show_likeness(found, share, unit, asked and bool(st.session_state.get(_ASK)))
