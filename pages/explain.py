"""Explain: one scan, one model, one explainer."""

from dashboard import explain

explain.show()
