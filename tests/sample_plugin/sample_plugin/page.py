"""A page with one sentence and a button that leads to one of the product's own."""

import streamlit as st

from dashboard.frame import opening
from dashboard.frame.pages import Page


class SamplePage(Page):
    """A sentence and a button."""

    name = "sample"
    title = "Sample"

    def show(self) -> None:
        """Draw it."""
        st.markdown("### Sample")
        st.write("A page from outside.")
        st.button("To the models", on_click=opening.go_to, args=("models",))
