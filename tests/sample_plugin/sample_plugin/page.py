"""A page with one sentence and a button that leads to the product's own."""

import streamlit as st

from dashboard.desk import desk
from dashboard.frame.pages import Page


def draw() -> None:
    """Draw it."""
    st.markdown("### Sample")
    st.write("A page from outside.")
    st.button("To the models", on_click=lambda: setattr(desk(), "go_to", "models"))


PAGE = Page("sample", "Sample", place=100, draw=draw)
