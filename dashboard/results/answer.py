"""What the Explain page says: the answer in one line, then where, how sure, how it got there, and the small print."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.reports.explanation import StoredExplanation
from core.runs import Live, Run, Status
from dashboard.backend.questions import Prediction
from dashboard.intake import catalogue
from dashboard.look import figures, text, theme
from dashboard.look.text import escape, probability
from dashboard.results import filters

#: What is left is not said below this, seconds: it is over before it is read.
_NOTHING_LEFT = 0.5


def prediction_line(prediction: Prediction, target: str | None) -> str:
    """What the model says before anything is explained."""
    if not prediction.probabilities or target is None:
        return _line("", "Press Explain to see what the answer rests on.", quiet=True)
    value = prediction.probabilities[target]
    figure = f"<small>P({html.escape(target)})</small><span>{escape(probability(value))}</span>"
    return _line(figure, "What the model says. Press Explain to see what it rests on.", quiet=True)


def result_line(explanation: StoredExplanation) -> str:
    """Probability before and after, and the sentence."""
    scores, target = explanation.scores or {}, explanation.target
    before, after = scores.get("before") or {}, scores.get("after") or {}
    figure = ""
    if target in before:
        figure = f"<small>P({html.escape(str(target))})</small>"
        if target in after:
            figure += (
                f"<span class='before'>{escape(probability(before[target]))}</span><span class='arrow'>→</span>"
                f"<span class='after'>{escape(probability(after[target]))}</span>"
            )
        else:
            figure += f"<span>{escape(probability(before[target]))}</span>"
    return _line(figure, explanation.sentence)


def quiet_line(sentence: str) -> str:
    """What to do next, where an answer would stand."""
    return _line("", sentence, quiet=True)


def sentence_line(sentence: str) -> str:
    """An answer that is a sentence and no figure."""
    return _line("", sentence)


def ended_line(run: Run, next_step: str = "Press Explain to start again.") -> str:
    """A run that ended without a result, and what to do."""
    if run.status is Status.CANCELLED:
        after = f" after {text.duration(run.seconds)}" if run.seconds else ""
        return _line("Cancelled", f"Stopped{after}; nothing was kept. {next_step}", quiet=True)
    word = "Failed" if run.status is Status.FAILED else "Interrupted"
    return _line(word, run.message or f"It was cut off. {next_step}")


def progress_text(run: Run, live: Live) -> str:
    """Where a run stands, for beside its bar."""
    if run.cancelling:
        return "Stopping"
    if run.status is Status.QUEUED:
        return "Waiting for its turn" if run.position <= 1 else f"Waiting, {run.position - 1} before it"
    message = (live.message or "starting")[:1].upper() + (live.message or "starting")[1:]
    if live.eta_seconds is None or live.eta_seconds < _NOTHING_LEFT:
        return message
    return f"{message} · about {text.duration(live.eta_seconds)} left"


def show_where(explanation: StoredExplanation, landmarks: bool = False) -> None:
    """Regions of the atlas, ranked; a sentence where there is none, unless `landmarks` say where."""
    st.markdown("##### Where")
    regions = [region for region in explanation.regions if region["share"] > 0]
    if not explanation.regions and landmarks:
        return
    if not explanation.regions:
        st.html(text.quiet("The scan is not in MNI space or is a single image: there is no atlas to name regions by."))
    elif not regions:
        st.html(text.quiet("The map is empty: no region holds any of it."))
    else:
        chart = figures.region_bars(regions, theme.explainer_color(explanation.explainer))
        st.plotly_chart(chart, theme=None, config=figures.CONFIG, key="regions")
        st.html(text.quiet(f"Share of the map in each region. Atlas: {explanation.record.get('atlas') or 'none'}."))


def show_how_sure(explanation: StoredExplanation) -> None:
    """Probabilities before and after, and what the checks say."""
    st.markdown("##### How sure")
    _how_sure(explanation)


def show_path(explanation: StoredExplanation) -> None:
    """How the map came about: its curves, or the filters it was made of."""
    st.markdown("##### How it got there")
    colour = theme.explainer_color(explanation.explainer)
    if filters.is_of_filters(explanation):
        _filters(explanation, colour)
    else:
        _history(explanation.history, colour)


def _filters(explanation: StoredExplanation, colour: str) -> None:
    """A map of filters has no history: how strong each of them is says what it was made of."""
    st.html(text.quiet(filters.layer_sentence(explanation)))
    chart = figures.score_bars(filters.scores_of(explanation), colour)
    st.plotly_chart(chart, theme=None, config=figures.CONFIG, key="scores")


def show_live_curves(history: Mapping[str, Sequence[float | None]], explainer: str) -> None:
    """The curves of a run that is still going on."""
    if any(len(values) > 1 for values in history.values()):
        known = {name: [float("nan") if v is None else v for v in values] for name, values in history.items()}
        _history(known, theme.explainer_color(explainer))


def _history(history: Mapping[str, Sequence[float]], colour: str) -> None:
    if not history:
        st.html(text.quiet("Nothing was optimised: there is no history."))
        return
    st.plotly_chart(figures.history_curves(history, colour), theme=None, config=figures.CONFIG, key="history")


def _how_sure(explanation: StoredExplanation) -> None:
    scores = explanation.scores or {}
    if scores.get("before"):
        chart = figures.probability_bars(scores["before"], scores.get("after"), explanation.target)
        st.plotly_chart(chart, theme=None, config=figures.CONFIG, key="probabilities")
    marks = {True: ("pass", "✓"), False: ("fail", "!"), None: ("info", "·")}
    rows = "".join(
        f"<i class='{marks[check['passed']][0]}'>{marks[check['passed']][1]}</i>"
        f"<div><b>{html.escape(check['title'])}</b><br>{html.escape(check['sentence'])}</div>"
        for check in explanation.checks
    )
    st.html(
        f"<div class='checks'>{rows}</div>" if rows else text.quiet("This explainer comes with no check of its own.")
    )


def show_details(explanation: StoredExplanation, run: Run) -> None:
    """Parameters, figures, timings and versions, folded away."""
    record = explanation.record
    with st.expander("Details"):
        left, middle, right = st.columns(3, gap="large")
        with left:
            st.markdown("###### Parameters")
            rows = [(name, str(value)) for name, value in record["parameters"].items()]
            st.html(text.numbers([("preset", str(record.get("preset"))), *rows]))
        with middle:
            st.markdown("###### Figures")
            st.html(text.numbers(_number_rows(record["numbers"])))
            st.markdown("###### Reading and fitting")
            lines = [*record.get("notes", ()), *record.get("warnings", ())]
            st.html("".join(text.quiet(line) for line in lines) or text.quiet("Nothing had to be changed."))
        with right:
            st.markdown("###### Run")
            st.html(text.numbers(_run_rows(explanation, run)))


def _number_rows(numbers: Mapping[str, Any]) -> list[tuple[str, str]]:
    known = [(name, value) for name, value in numbers.items() if isinstance(value, int | float)]
    return [(name.replace("_", " "), f"{value:.4g}") for name, value in known]


def _run_rows(explanation: StoredExplanation, run: Run) -> list[tuple[str, str]]:
    record = explanation.record
    waited = run.started - run.created if run.started else 0.0
    return [
        ("run", run.id),
        ("explainer", catalogue.explainer_title(explanation.explainer)),
        ("model", explanation.model),
        ("computed in", text.duration(record["seconds"])),
        ("with start and saving", text.duration(run.seconds or 0.0)),
        ("waited", text.duration(waited)),
        *((name, str(value)) for name, value in record["versions"].items()),
        *((f"{name} hash", str(value)[:16]) for name, value in record["hashes"].items()),
    ]


def _line(figure: str, sentence: str, quiet: bool = False) -> str:
    return (
        f"<div class='answer'>{f'<div class=figure>{figure}</div>' if figure else ''}"
        f"<div class='sentence {'quiet' if quiet else ''}'>{html.escape(sentence)}</div></div>"
    )
