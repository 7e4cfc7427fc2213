"""Benchmarks that need the running app and a browser: ``python -m dashboard.bench NAME [--json]``.

Each is a module with a function ``run() -> dict`` that returns ``{"name", "rows": [{"what", "value", "baseline",
"ratio", "unit", "error"}]}``; value and baseline are measured in the same run.
"""

#: Name → module. A new benchmark is a new file and a line here.
BENCHES = {"start": "dashboard.bench.start", "trace": "dashboard.bench.trace", "viewer": "dashboard.bench.viewer"}
