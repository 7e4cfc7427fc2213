"""What the Trace page says below the images: what leaks where, how far from the truth, and how it was computed."""

from collections.abc import Sequence

import streamlit as st

from core.errors import LightboxError
from core.explainers import explainers
from core.models.card import Card
from core.reports.explanation import StoredExplanation
from core.runs import Run
from core.wording import percent
from dashboard.backend import pool
from dashboard.desk import owner
from dashboard.look import figures, text, theme
from dashboard.look.text import Markup
from dashboard.trace import group, questions
from dashboard.trace.desk import TraceDesk
from dashboard.trace.truth import Truth

#: Points of the leakage curve.
_POINTS = 41


def show_findings(
    laid: TraceDesk,
    card: Card,
    content: str,
    run: Run | None,
    explanation: StoredExplanation | None,
    truth: Truth | None,
    channel: int,
) -> None:
    """Three columns below the images; only what there is to say."""
    going = run is not None and not run.status.final
    if explanation is None and truth is None and not going:
        return
    left, middle, right = st.columns([1.25, 1, 1.1], gap="large")
    # while a map is on its way the columns stay: nothing should jump when it arrives
    if going or explanation is not None:
        with left:
            st.markdown("## What leaks where")
            if explanation is not None and run is not None:
                _leakage(laid, card, content, run, explanation)
            else:
                text.show(text.quiet("Measured on the exact map."))
        with right:
            st.markdown("## How it was computed")
            if explanation is not None:
                _computed(explanation)
            else:
                text.show(text.quiet("The exact map is on its way."))
    with middle if going or explanation is not None else left:
        if truth is not None:
            st.markdown("## Output and ground truth")
            _difference(laid, card, content, truth, channel)
        elif card.output is not None:
            st.markdown("## Output and ground truth")
            text.show(text.quiet("No ground truth is chosen: pick one on the left to see where the output is wrong."))
        elif explanation is not None:
            st.markdown("## Effect on each class")
            _classes(explanation, card)


def _leakage(laid: TraceDesk, card: Card, content: str, run: Run, explanation: StoredExplanation) -> None:
    region = run.request.get("region")
    values = explanation.arrays["map"]
    if not region:
        return
    found = _leak_curve(run.id, laid.scan or "", owner(), card.name, content, str(values.path), region)
    if not found.shares:
        text.show(text.quiet("The map is zero everywhere: nothing leaks."))
        return
    if not any(found.shares):
        text.show(text.quiet("All of the map lies on the selection itself: there is nothing that leaks."))
        return
    unit = found.unit
    step = found.distances[1]
    chosen = st.slider(
        f"Farther from the selection than ({unit})",
        0.0,
        found.distances[-1],
        value=min(max(step, round(5.0 / step) * step), found.distances[-1]),
        step=step,
        format="%.4g",
        key=f"leak distance {unit} {found.distances[-1]:g}",
    )
    share = found.shares[min(round(chosen / step), len(found.shares) - 1)]
    figure = Markup("<span class='after'>{}</span>").format(percent(share))
    text.show(text.answer(figure, f"of the map lies more than {chosen:.4g} {unit} from the selection.", quiet=True))
    chart = figures.leak_curve(
        found.distances, found.shares, unit, chosen, theme.explainer_color(explanation.explainer)
    )
    st.plotly_chart(chart, theme=None, config=figures.CONFIG, key="leakage")


@st.cache_data(max_entries=256, show_spinner=False)
def _leak_curve(
    run: str, scan: str, whose: str, model: str, content: str, path: str, region: str
) -> questions.LeakCurve:
    return pool.ask_same(questions.leak_curve_of, scan, whose, model, content, path, region, _POINTS)


def _difference(laid: TraceDesk, card: Card, content: str, truth: Truth, channel: int) -> None:
    try:
        found = _compared(laid.scan or "", owner(), card.name, content, truth, channel)
    except LightboxError as problem:
        st.warning(text.as_markdown(str(problem)))
        return
    text.show(text.numbers(found.rows))
    _small_print(found.notes)


@st.cache_data(max_entries=64, show_spinner=False)
def _compared(scan: str, whose: str, model: str, content: str, truth: Truth, channel: int) -> questions.Difference:
    return pool.ask_same(questions.compare, scan, whose, model, content, truth.name, channel, truth.path)


def _classes(explanation: StoredExplanation, card: Card) -> None:
    cls = explainers().get(explanation.explainer)
    effects = cls.effects(explanation.record["numbers"]) if cls is not None else {}
    rows = [(name, f"{effects[name]:.4g}") for name in card.classes if name in effects]
    if rows:
        text.show(text.numbers(rows))
        text.show(text.quiet("Change of the score for one unit of change in the marked pixels."))
    else:
        text.show(text.quiet(explanation.sentence))


def _computed(explanation: StoredExplanation) -> None:
    record = explanation.record
    numbers, cls = record["numbers"], explainers().get(explanation.explainer)
    rows = [("map", explanation.arrays["map"].title)]
    if group.size(explanation) > 1:
        rows.append(("scans", f"{group.size(explanation)}, mean of their maps"))
        rows.append(("spread over scans", f"{percent(numbers['relative_spread'])} of the map's mass"))
    rows += cls.told(record["parameters"], numbers) if cls is not None else ()
    rows.append(("computed in", text.duration(record["seconds"])))
    text.show(text.numbers(rows))
    checks = [check["sentence"] for check in explanation.checks]
    _small_print([*checks, *record.get("warnings", ()), *record.get("notes", ())])


def _small_print(lines: Sequence[str]) -> None:
    if lines:  # Streamlit refuses to write nothing
        text.show(text.quiet_lines(f"{line[:1].upper()}{line[1:].rstrip('.')}." for line in lines))
