"""Explain: one scan, one model, one explainer."""
