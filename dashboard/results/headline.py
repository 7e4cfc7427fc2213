"""The line above the images: what is shown, how it came to be so, and what must be known of it."""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain

import streamlit as st

from core.models.card import Card
from dashboard.backend.questions import Prediction
from dashboard.desk import shelf
from dashboard.intake import demo
from dashboard.look import text
from dashboard.look.text import Markup
from dashboard.results import gate

_CHANGED = "settings changed since this result"


def of_scan(scan: str, titles: Iterable[str], cards: Sequence[Card], said: Iterable[Prediction] = ()) -> list[Markup]:
    """Pieces of the line for a page about a stored scan.

    Parameters
    ----------
    scan : str
        Content hash.
    titles : iterable of str
        What it is asked with.
    cards : sequence of Card
        Models that are asked.
    said : iterable of Prediction
        What they say: how the scan was made to fit them, and what does not.
    """
    meta, shipped = shelf().scan_meta(scan), demo.shipped_as(scan)
    pieces = [text.bold(meta["label"])]
    if shipped is not None:
        pieces.append(text.beside(shipped.description))
    pieces += [text.beside(title) for title in titles]
    pieces += synthetic(shipped is not None and shipped.synthetic, cards)
    said = list(said)
    notes = dict.fromkeys(chain(meta["notes"], *(one.notes for one in said)))
    warnings = dict.fromkeys(chain.from_iterable((*one.warnings, *gate.unknown(one)) for one in said))
    return [*pieces, *map(text.tag, notes), *map(warning, warnings)]


def synthetic(data: bool, cards: Sequence[Card]) -> list[Markup]:
    """The tag that says what was made by a program: the data; or only models, while the scan may be of a person."""
    if data:
        return [text.tag("synthetic data", "synthetic")]
    if not any(card.synthetic for card in cards):
        return []
    return [text.tag("model of synthetic data" if len(cards) == 1 else "networks of synthetic data", "synthetic")]


def warning(words: str) -> Markup:
    """Something that must be known."""
    return text.tag(words, "warning")


def changed(since: bool) -> list[Markup]:
    """The tag that says that the result on screen was asked for with other settings."""
    return [warning(_CHANGED)] if since else []


def show(pieces: Iterable[Markup], keep: Callable[[], None]) -> None:
    """Draw the line, and at its end the menu of what leaves the page, drawn by `keep`."""
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        text.show(text.facts(pieces))
        keep()
