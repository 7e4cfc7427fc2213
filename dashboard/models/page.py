"""Models: the library as a list, a line a model; a click shows the whole card."""

import logging
from collections.abc import Sequence

import streamlit as st

from core import plugins
from core.errors import LightboxError
from core.models import folders
from core.models.card import Card
from dashboard.backend import pool, questions
from dashboard.callbacks import whole
from dashboard.intake import catalogue
from dashboard.look import text
from dashboard.look.text import Markup
from dashboard.models import details, words

_LOG = logging.getLogger(__name__)
#: Part of the address that names the model whose card is shown.
_MODEL = "model"
#: From so many models on there is something to search.
_SEARCHED = 4


def show() -> None:
    """Draw the page."""
    cards = catalogue.cards()
    left_out = folders.left_out()
    if not cards and not left_out:
        text.show(
            text.empty(
                "The library is empty",
                "Run make assets for the demo models, or set LIGHTBOX_MODELS_DIR to a folder of model folders.",
            )
        )
        return
    asked = st.query_params.get(_MODEL)
    if asked in cards:
        st.button("All models", icon=":material/arrow_back:", key="all models", on_click=whole(_look_at), args=(None,))
        details.show_card(cards[asked])
        return
    if asked is not None:
        st.error(text.as_markdown(f"There is no model {words.shortened(asked)} in the library: these are all of them."))
    _show_list(list(cards.values()))
    if left_out:
        st.markdown("## Left out")
        text.show(text.quiet_lines(left.sentence for left in left_out))
    _show_plugins()


def _show_list(cards: Sequence[Card]) -> None:
    wanted = ""
    if len(cards) >= _SEARCHED:
        wanted = st.text_input(
            "Search models", placeholder="Search models", key="search models", label_visibility="collapsed", width=420
        )
    found = [card for card in cards if _matches(card, wanted)]
    if not found:
        text.show(text.quiet("No model has all these words in its name, description or classes."))
    with st.container(gap="xsmall"):
        for card in found:
            with st.container(border=True, key=f"model-{card.name}"):
                _show_row(card)


def _matches(card: Card, wanted: str) -> bool:
    """Whether every word that is searched for is somewhere in a card."""
    told = " ".join([card.name, card.title, card.description, card.task, *card.classes])
    return all(word in told.casefold() for word in wanted.casefold().split())


def _show_row(card: Card) -> None:
    """One model in a line; whatever is wrong with its card costs the others nothing."""
    try:
        line, figure = words.one_line(card), words.key_figure(card)
    except Exception:
        _LOG.warning("the card of %s cannot be shown", card.name, exc_info=True)
        st.error(text.as_markdown(f"The card of {card.name} cannot be shown: mend its card.yaml."))
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        row = Markup("<div class='model-row'><b>{}</b><span>{}</span><small>{}</small></div>")
        text.show(row.format(card.title, line, figure or "The card gives no metrics."), width="stretch")
        if card.synthetic:
            text.show(text.tag("trained on synthetic data", "synthetic"), width="content")
        details.show_verbs(card)
        st.button("Details", key=f"details {card.name}", on_click=whole(_look_at), args=(card.name,))


def _look_at(name: str | None) -> None:
    """Show a model's card, or all models."""
    if name is None:
        st.query_params.pop(_MODEL, None)
    else:
        st.query_params[_MODEL] = name


def _show_plugins() -> None:
    """Quietly, below everything: which plug-ins there are, and what is left out of them and why."""
    names = list(dict.fromkeys(plugin.origin for plugin in plugins.plugins() if not plugin.ours))
    if not names and not plugins.left_out():
        return
    st.markdown("## Plug-ins")
    try:
        with st.spinner("Looking at the plug-ins"):
            left_out = _left_out(tuple(names))
    except LightboxError as problem:
        st.warning(text.as_markdown(str(problem)))
        return
    text.show(text.quiet(", ".join(names)))
    for sentence in left_out:
        text.show(text.quiet(sentence))


@st.cache_data(max_entries=4, show_spinner=False)
def _left_out(names: tuple[str, ...]) -> list[str]:
    """Asked in the backend: some plug-ins bring torch along."""
    return pool.ask(questions.left_out_plugins)
