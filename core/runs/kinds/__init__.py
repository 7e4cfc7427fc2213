"""Kinds of runs, one a file; `core.runs.spec.kinds` finds them."""
