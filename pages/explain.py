"""Explain: one scan, one model, one explainer."""

from dashboard.frame.opening import show_page

show_page("explain")
