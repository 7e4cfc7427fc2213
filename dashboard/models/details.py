"""One card in full, and which explainers fit it."""

import logging

import streamlit as st

from core.errors import LightboxError
from core.models.card import Card
from core.wording import sentence_case
from dashboard.backend import pool, questions
from dashboard.callbacks import whole
from dashboard.frame import opening
from dashboard.frame.pages import Page, pages, told
from dashboard.intake import catalogue
from dashboard.look import text
from dashboard.models import words

_LOG = logging.getLogger(__name__)


def show_card(card: Card) -> None:
    """Draw it; whatever is wrong with it is said in a sentence."""
    try:
        _show_card(card)
    except Exception:
        _LOG.warning("the card of %s cannot be shown", card.name, exc_info=True)
        st.error(text.as_markdown(f"The card of {card.name} cannot be shown: mend its card.yaml."))


def show_verbs(card: Card) -> None:
    """A button for each page that does something with a model."""
    for page in pages().values():
        if verb := told(page, lambda page: page.verb(card), ""):
            st.button(
                f"{verb} with it",
                key=f"{page.name} {card.name}",
                icon=":material/play_arrow:",
                on_click=whole(_use),
                args=(page, card),
            )


def _show_card(card: Card) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        tags = [text.tag(f"{card.input.dimensions}D {card.task}")]
        if card.synthetic:
            tags.append(text.tag("trained on synthetic data", "synthetic"))
        text.show(text.facts([text.title(card.title), *tags]))
        show_verbs(card)
    if card.description:
        # plain words: Markdown of a stranger's card could fetch a picture from anywhere
        text.show(text.paragraphs(words.shortened(card.description, words.LONGEST_TEXT)))
    left, middle, right = st.columns(3, gap="large")
    with left:
        st.markdown("## What it must be fed")
        text.show(text.numbers(words.contract_rows(card)))
    with middle:
        st.markdown("## How good it is")
        for heading, rows in words.metric_tables(card.metrics, card.classes):
            text.show(text.numbers(rows, heading))
        if not card.metrics:
            text.show(text.quiet("The card gives no metrics."))
    with right:
        st.markdown("## Where it comes from")
        text.show(text.numbers(words.training_rows(card)))
    _show_explainers(card)
    _show_layers(card)
    details = [
        (words.words(name), words.value_in_words(value))
        for name, value in card.training.details.items()
        if value is not None
    ]
    if details:
        with st.expander("Training settings"):
            text.show(text.numbers(words.first_rows(details)))


def _use(page: Page, card: Card) -> None:
    page.begin_with(card)
    opening.go_to(page.name)


def _show_explainers(card: Card) -> None:
    st.markdown("## Explainers and their presets")
    try:
        reasons = catalogue.unfit_explainers(card)
        seen = catalogue.seen_of(card)
    except LightboxError as problem:
        st.warning(text.as_markdown(str(problem)))
        return
    for sentence in seen:
        st.warning(text.as_markdown(sentence_case(sentence, start=True)))
    pieces = []
    for entry in catalogue.explainer_entries().values():
        reason = reasons.get(entry.name)
        if reason is None:
            pieces.append(text.tag(f"{entry.title}: {', '.join(entry.presets)}"))
        else:
            pieces.append(text.tag(f"{entry.title} does not fit: {reason}", "warning"))
    text.show(text.facts(pieces))


def _show_layers(card: Card) -> None:
    name = text.as_markdown(words.shortened(card.architecture.name))
    with st.expander(f"Architecture: {name}", on_change="rerun", key=f"layers {card.name}") as folded:
        if not folded.open:
            return
        arguments = ", ".join(
            f"{key} = {words.value_in_words(value)}" for key, value in card.architecture.arguments.items()
        )
        if arguments:
            text.show(text.quiet(arguments))
        try:
            with st.spinner("Loading the network"):
                layers = pool.ask(questions.layers, card.name, catalogue.content_of(card.name))
        except LightboxError as problem:
            st.error(text.as_markdown(str(problem)))
            return
        st.dataframe(
            [
                {"layer": name, "what": what, "weights": weights, "offered for Grad-CAM": name in card.feature_layers}
                for name, what, weights in layers
            ],
            hide_index=True,
            height="content",
        )
