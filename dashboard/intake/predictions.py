"""What models say about scans, asked once each."""

import streamlit as st

from core.errors import LightboxError
from core.models.card import Card
from dashboard.backend import pool, questions
from dashboard.backend.questions import Prediction
from dashboard.desk import owner
from dashboard.intake import catalogue


def predict(scan: str, card: Card) -> tuple[Prediction | None, str | None]:
    """What a model says about a stored scan, and why it cannot be asked."""
    try:
        content = catalogue.content_of(card.name)
        with st.empty(), st.spinner("Asking the model"):
            return predicted(scan, owner(), card.name, content), None
    except LightboxError as problem:
        return None, str(problem)


def most_likely(scan: str, card: Card) -> str | None:
    """The class that a model gives a stored scan; None where it cannot be asked."""
    found, _ = predict(scan, card)
    return found.most_likely if found is not None else None


@st.cache_data(max_entries=256, show_spinner=False)
def predicted(scan: str, whose: str, model: str, content: str) -> Prediction:
    """`dashboard.backend.questions.predict`, kept for as long as the model's folder has this content."""
    return pool.ask(questions.predict, scan, whose, model, content)
