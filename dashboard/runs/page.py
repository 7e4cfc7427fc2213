"""Runs: everything that ran, with live progress, cancel, delete, and a way back into each."""

import streamlit as st

from dashboard.results.run_list import show_runs

#: Most runs that are listed.
_MOST = 200


def show() -> None:
    """Draw the page."""
    st.markdown("## Runs")
    show_runs(_MOST)
