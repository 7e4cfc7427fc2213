"""Figures of the acceptance gate: ``python -m tests.foreign_scans DATA_FOLDER [MODEL ...]``."""
