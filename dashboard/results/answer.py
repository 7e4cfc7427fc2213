"""What a result says on any page: the answer in one line, where, how sure, how it got there, and the small print."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.acceptance.verdict import Acceptance
from core.explainers import Curve, Parts, explainers
from core.reports.explanation import StoredExplanation
from core.runs import Live, Run, Status
from core.wording import percent, spelled_out
from dashboard.backend.questions import Prediction
from dashboard.intake import catalogue
from dashboard.look import figures, text, theme
from dashboard.look.text import Markup, joined, probability
from dashboard.results import gate, verdicts

#: What is left is not said below this, seconds: it is over before it is read.
_NOTHING_LEFT = 0.5


#: Most classes that are named beside what the model says.
_MOST_CLASSES = 10


def prediction_line(prediction: Prediction) -> Markup:
    """What the model says before anything is explained: its class first, then all of them."""
    said = prediction.most_likely
    if said is None:
        return text.answer("", "Press Explain to see what the answer rests on.", quiet=True)
    figure = Markup("<span class='said'>{}</span> <span class='probability'>{}</span>").format(
        spelled_out(said), percent(prediction.probabilities[said])
    )
    end = "Press Explain to see what it rests on."
    if prediction.refused:
        figure, end = text.struck(figure), "For this scan the number means nothing."
    figure = Markup("<small>The model says</small>{}").format(figure)
    return text.answer(figure, f"{all_classes(prediction.probabilities)}. {end}", quiet=True)


def said_line(probabilities: Mapping[str, float], refused: bool) -> Markup:
    """The same in one quiet line, above what was explained."""
    if not probabilities:
        return Markup()
    said = max(probabilities, key=probabilities.__getitem__)
    words = Markup("The model says <b>{}</b>, {}").format(spelled_out(said), percent(probabilities[said]))
    shown = text.struck(words) if refused else words
    return Markup("<div class='said-line'>{} <span>{}</span></div>").format(shown, all_classes(probabilities))


def all_classes(probabilities: Mapping[str, float]) -> str:
    """Every class with its probability, the most likely first."""
    ranked = sorted(probabilities.items(), key=lambda pair: -pair[1])
    named = ", ".join(f"{name} {percent(value)}" for name, value in ranked[:_MOST_CLASSES])
    left = len(ranked) - _MOST_CLASSES
    return f"{named} and {left} more" if left > 0 else named


def result_line(explanation: StoredExplanation, refused: bool = False) -> Markup:
    """Probability before and after, the sentence, and whether it holds; `refused`: the model cannot read the scan."""
    scores, target = explanation.scores or {}, explanation.target
    before, after = scores.get("before") or {}, scores.get("after") or {}
    figure = Markup()
    if target in after and target in before:
        figure = Markup(
            "<small>P({})</small><span class='before'>{}</span>"
            "<span class='arrow'>→</span><span class='after'>{}</span>"
        ).format(target, probability(before[target]), probability(after[target]))
    elif target in before:
        figure = Markup("<small>P({})</small><span>{}</span>").format(target, probability(before[target]))
    figure = text.struck(figure) if figure and (refused or explanation.verdict.withheld) else figure
    said = text.answer(figure, explanation.sentence)
    # an explainer without checks has nothing to be judged by
    return joined([said, verdicts.line(explanation.verdict)]) if explanation.checks else said


def quiet_line(sentence: str) -> Markup:
    """What to do next, where an answer would stand."""
    return text.answer("", sentence, quiet=True)


def sentence_line(sentence: str) -> Markup:
    """An answer that is a sentence and no figure."""
    return text.answer("", sentence)


def ended_line(run: Run, next_step: str = "Press Explain to start again.") -> Markup:
    """A run that ended without a result, and what to do."""
    if run.status is Status.CANCELLED:
        after = f" after {text.duration(run.seconds)}" if run.seconds else ""
        return text.answer("Cancelled", f"Stopped{after}; nothing was kept. {next_step}", quiet=True)
    word = "Failed" if run.status is Status.FAILED else "Interrupted"
    return text.answer(word, run.message or f"It was cut off. {next_step}")


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


def show_where(explanation: StoredExplanation, landmarks: bool = False, refused: bool = False) -> None:
    """Regions of the atlas, ranked; a sentence where there is none, unless `landmarks` say where.

    Of a scan that the model cannot read (`refused`) none is named: a record of before that was looked at may hold some.
    """
    st.markdown("## Where")
    regions = [region for region in explanation.regions if region["share"] > 0]
    if refused and (regions or not explanation.regions):
        text.show(text.quiet("No region is named: this scan is not what the model was made for."))
        return
    if not explanation.regions and landmarks:
        return
    if not explanation.regions:
        text.show(
            text.quiet("The scan is not in MNI space or is a single image: there is no atlas to name regions by.")
        )
    elif explanation.verdict.withheld:
        text.show(text.quiet("No region is named: there is no result."))
    elif not regions:
        text.show(text.quiet("The map is empty: no region holds any of it."))
    else:
        holds = explanation.verdict.state != "fails"
        if not holds:
            text.show(text.quiet("The explanation does not hold: these regions are where its map lies, and no answer."))
        colour = theme.CHART if holds else theme.TEXT_MUTED
        chart = figures.region_bars(regions, colour)
        st.plotly_chart(chart, theme=None, config=figures.CONFIG, key="regions")
        text.show(text.quiet(f"Share of the map in each region. Atlas: {explanation.record.get('atlas') or 'none'}."))


def show_how_sure(explanation: StoredExplanation) -> None:
    """Probabilities before and after, and what the checks say."""
    st.markdown("## How sure")
    _how_sure(explanation)


def show_path(explanation: StoredExplanation) -> None:
    """How the map came about: its curves, or the parts it was made of."""
    st.markdown("## How it got there")
    colour = theme.explainer_color(explanation.explainer)
    if explanation.history or explanation.parts is None:
        _history(explanation.history, explanation.curves, colour)
    if explanation.parts is not None:
        _parts(explanation.parts, colour)


def _parts(parts: Parts, colour: str) -> None:
    """How strong each of them is says what the map was made of."""
    if parts.sentence:
        text.show(text.quiet(parts.sentence))
    if any(part.score is not None for part in parts.members):
        st.plotly_chart(figures.score_bars(parts, colour), theme=None, config=figures.CONFIG, key="scores")


def show_live_curves(history: Mapping[str, Sequence[float | None]], explainer: str) -> None:
    """The curves of a run that is still going on."""
    if any(len(values) > 1 for values in history.values()):
        known = {name: [float("nan") if v is None else v for v in values] for name, values in history.items()}
        cls = explainers().get(explainer)
        _history(known, cls.curves if cls is not None else {}, theme.explainer_color(explainer))


def _history(history: Mapping[str, Sequence[float]], curves: Mapping[str, Curve], colour: str) -> None:
    if not history:
        text.show(text.quiet("Nothing was optimised: there is no history."))
        return
    chart = figures.history_curves(history, curves, colour)
    st.plotly_chart(chart, theme=None, config=figures.CONFIG, key="history")


def _how_sure(explanation: StoredExplanation) -> None:
    scores = explanation.scores or {}
    if scores.get("before"):
        chart = figures.probability_bars(scores["before"], scores.get("after"), explanation.target)
        st.plotly_chart(chart, theme=None, config=figures.CONFIG, key="probabilities")
    if not explanation.checks:
        text.show(text.quiet("This explainer comes with no check of its own."))
        return
    row = Markup("<i class='{}'>{}</i><div><b>{}</b><br>{}</div>")
    rows = joined(row.format(*verdicts.mark(check), check["title"], check["sentence"]) for check in explanation.checks)
    text.show(Markup("<div class='checks'>{}</div>").format(rows))


def show_details(explanation: StoredExplanation, run: Run, acceptance: Acceptance | None = None) -> None:
    """Parameters, figures, timings and versions, and what was looked at before the answer, folded away."""
    record = explanation.record
    with st.expander("Details"):
        gate.show_signs(acceptance or explanation.acceptance)
        left, middle, right = st.columns(3, gap="large")
        with left:
            st.markdown("### Parameters")
            rows = [(name, str(value)) for name, value in record["parameters"].items()]
            text.show(text.numbers([("preset", str(record.get("preset"))), *rows]))
        with middle:
            st.markdown("### Figures")
            text.show(text.numbers(_number_rows(record["numbers"])))
            st.markdown("### Reading and fitting")
            lines = [*record.get("notes", ()), *record.get("warnings", ())]
            text.show(text.quiet_lines(lines or ["Nothing had to be changed."]))
        with right:
            st.markdown("### Run")
            text.show(text.numbers(_run_rows(explanation, run)))


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
