"""What a result says on any page: the answer in one line, where, how sure, how it got there, and the small print."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.acceptance.verdict import Acceptance
from core.explainers import Curve, Parts, explainers
from core.models.card import Card
from core.reports.explanation import StoredExplanation
from core.runs import Live, Run, Status
from core.wording import percent, sentence_case, spelled_out
from dashboard.backend.questions import Prediction
from dashboard.frame import help
from dashboard.intake import catalogue
from dashboard.look import figures, text, theme
from dashboard.look.text import Markup, joined
from dashboard.results import gate, verdicts

#: What is left is not said below this, seconds: it is over before it is read.
_NOTHING_LEFT = 0.5


#: Most classes that are named beside what the model says.
_MOST_CLASSES = 10


def prediction_line(prediction: Prediction, card: Card | None = None) -> Markup:
    """What the model says before anything is explained: its class first, then all of them."""
    if prediction.most_likely is None:
        return text.answer("", "Press Explain to see what the answer rests on.", quiet=True)
    end = "Press Explain to see what it rests on."
    if prediction.refused:
        end = "For this scan the number means nothing."
    figure = said(prediction.probabilities, card, struck=prediction.refused)
    row = Markup("<div class='figure'>{}</div>").format(figure)
    words = f"{all_classes(prediction.probabilities, card)}. {end}"
    return Markup("<div class='answer result'>{}<div class='sentence quiet'>{}</div></div>").format(row, words)


def said(probabilities: Mapping[str, float], card: Card | None = None, struck: bool = False) -> Markup:
    """What the model says: the likeliest class in words, and how likely that is; `struck` where it means nothing."""
    name = max(probabilities, key=probabilities.__getitem__)
    words = Markup("{} <span class='probability'>({})</span>").format(
        called(name, card, "said"), percent(probabilities[name])
    )
    return Markup("<span class='part'><small>The model says:</small> {}</span>").format(
        text.struck(words) if struck else words
    )


def called(name: str, card: Card | None = None, kind: str = "") -> Markup:
    """A class in words, with its name on the card behind it where that is another."""
    title = spelled_out(name) if card is None else card.title_of(name)
    words = Markup("<span class='{}'>{}</span>").format(kind, title)
    return words if title == name else Markup("{} <span class='code'>{}</span>").format(words, name)


def all_classes(probabilities: Mapping[str, float], card: Card | None = None) -> str:
    """Every class with its probability, the most likely first."""
    ranked = sorted(probabilities.items(), key=lambda pair: -pair[1])
    titles = {name: spelled_out(name) if card is None else card.title_of(name) for name in probabilities}
    named = ", ".join(f"{titles[name]} {percent(value)}" for name, value in ranked[:_MOST_CLASSES])
    left = len(ranked) - _MOST_CLASSES
    return sentence_case(f"{named} and {left} more" if left > 0 else named, start=True)


def result_line(explanation: StoredExplanation, card: Card | None = None, refused: bool = False) -> Markup:
    """Whether it holds, what the model says and what that became; the sentence, how it was computed, and the checks.

    Parameters
    ----------
    explanation : StoredExplanation
        What was found.
    card : Card, optional
        The model's, for what its classes are called.
    refused : bool
        The model cannot read the scan: no number of it means anything.
    """
    figure = _figures(explanation, card, refused)
    # an explainer without checks has nothing to be judged by
    chip = verdicts.chip(explanation.verdict, refused) if explanation.checks or refused else Markup()
    row = Markup("<div class='figure'>{}{}</div>").format(chip, figure) if chip or figure else Markup()
    below = Markup("<div class='technical'>{}</div>").format(explanation.technical) if explanation.technical else ""
    words = Markup("<div class='sentence'>{}</div>{}").format(explanation.sentence, below)
    checks = verdicts.unfolding(explanation.verdict, explanation.checks)
    return Markup("<div class='answer result'>{}{}{}</div>").format(row, words, checks)


def _figures(explanation: StoredExplanation, card: Card | None, refused: bool) -> Markup:
    """What the model says, the class that is asked about where that is another, and what was made of it."""
    scores, target = explanation.scores or {}, explanation.target
    before, after = scores.get("before") or {}, scores.get("after") or {}
    if target is None or target not in before:
        return Markup()
    struck = refused or explanation.verdict.withheld
    parts = [said(before, card, struck=refused)]
    asked = target != max(before, key=before.__getitem__)
    if asked:
        parts.append(_part(Markup("Asked about {}:").format(called(target, card)), percent(before[target]), refused))
    done = _done(explanation)
    if target in after and done:
        parts.append(_part(Markup("{}:").format(sentence_case(done, start=True)), percent(after[target]), struck))
    return joined(parts)


def _part(words: Markup, figure: str, struck: bool) -> Markup:
    number = Markup("<span class='after'>{}</span>").format(figure)
    number = text.struck(number) if struck else number
    return Markup("<span class='part'><small>{}</small> {}</span>").format(words, number)


def _done(explanation: StoredExplanation) -> str:
    """What lies between both scores; also of an explainer that is no longer there."""
    cls, record = explainers().get(explanation.explainer), explanation.record
    return "after the change" if cls is None else cls.done(record.get("parameters") or {}, record.get("numbers") or {})


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
    st.markdown("## Where", help=_how_to_read(explanation))
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


def show_how_sure(explanation: StoredExplanation, card: Card | None = None) -> None:
    """Probabilities before and after, and what the checks say together."""
    st.markdown("## How sure", help=_how_to_read(explanation))
    _how_sure(explanation, card)


def has_path(explanation: StoredExplanation) -> bool:
    """Whether there is anything to be said of how the map came about."""
    return bool(explanation.history) or explanation.parts is not None


def _how_to_read(explanation: StoredExplanation) -> str | None:
    """A way to what the documentation says of this explainer's maps."""
    page = help.page_of_explainer(explanation.explainer)
    return f"[How to read this]({help.address_of(page)})" if page else None


def show_path(explanation: StoredExplanation) -> None:
    """How the map came about: its curves, or the parts it was made of; for what `has_path`."""
    st.markdown("## How it got there", help=_how_to_read(explanation))
    colour = theme.explainer_color(explanation.explainer)
    if explanation.history:
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
    chart = figures.history_curves(history, curves, colour)
    st.plotly_chart(chart, theme=None, config=figures.CONFIG, key="history")


def _how_sure(explanation: StoredExplanation, card: Card | None) -> None:
    scores = explanation.scores or {}
    if scores.get("before"):
        titles = {} if card is None else {name: card.title_of(name) for name in card.classes}
        chart = figures.probability_bars(scores["before"], scores.get("after"), explanation.target, titles)
        st.plotly_chart(chart, theme=None, config=figures.CONFIG, key="probabilities")
    if not explanation.checks:
        text.show(text.quiet("This explainer comes with no check of its own."))
    else:
        text.show(verdicts.line(explanation.verdict))


def show_details(explanation: StoredExplanation, run: Run, acceptance: Acceptance | None = None) -> None:
    """Parameters, figures, timings and versions, and what was looked at before the answer, folded away."""
    record = explanation.record
    with st.expander("Details"):
        gate.show_signs(acceptance or explanation.acceptance)
        left, middle, right = st.columns(3, gap="large")
        with left:
            st.markdown("### Parameters")
            rows = catalogue.settings_in_words(explanation.explainer, record["parameters"])
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
