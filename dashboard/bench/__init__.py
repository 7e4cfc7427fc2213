"""Benchmarks that need the running app and a browser: ``python -m dashboard.bench NAME``, or ``python -m core bench``.

Each is a module with a function ``run() -> dict`` that returns ``{"name", "rows": [{"what", "value", "baseline",
"ratio", "unit", "error"}]}``; value and baseline are measured in the same run. A new
one is a file here and a line among the entry points of pyproject.toml.
"""
