"""Explain: one scan, one model, one explainer."""

from dashboard.frame.pages import Page, declare

PAGE = declare(Page("explain", "Explain", place=20, help="how-to/explain-a-scan"))
