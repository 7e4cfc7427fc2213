"""Lightbox without a screen: scans, models, explainers, and everything that is kept of them."""

#: Written into every record; `pyproject.toml` has the same.
VERSION = "0.1.0"
