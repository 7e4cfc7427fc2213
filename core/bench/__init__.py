"""Benchmarks: ratios against named baselines, measured in one run.

A benchmark is a module with ``run() -> dict`` that returns ``{"name", "rows": [{"what", "value", "baseline", "ratio",
"unit", "error"}]}``. Those that need the running app live beside it, in ``dashboard/bench``.
"""

import importlib
import json
import subprocess
import sys
from typing import Any

from core.errors import BadInput, LightboxError
from core.settings import ROOT

#: Name → module, for benchmarks that need no screen.
BENCHES = {"deconvnet": "core.bench.deconvnet", "ibix": "core.bench.ibix", "mask": "core.bench.mask"}

#: Names that ``python -m dashboard.bench`` knows: the core may not import the dashboard.
SCREEN_BENCHES = ("start", "trace", "viewer")


def bench_names() -> list[str]:
    """Every benchmark there is, in alphabetical order."""
    return sorted((*BENCHES, *SCREEN_BENCHES))


def run_bench(name: str) -> dict[str, Any]:
    """Run one benchmark.

    Returns
    -------
    dict
        ``name`` and ``rows``.

    Raises
    ------
    BadInput
        When there is no such benchmark.
    LightboxError
        When it cannot run here; what it said stands on stderr.
    """
    if name in BENCHES:
        result: dict[str, Any] = importlib.import_module(BENCHES[name]).run()
        return result
    if name in SCREEN_BENCHES:
        return _run_beside(name)
    raise BadInput(f"There is no benchmark {name!r}; there are {', '.join(bench_names())}.")


def _run_beside(name: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "dashboard.bench", name, "--json"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 - our own
    if done.returncode:
        raise LightboxError(f"The benchmark {name} could not run: what it needs stands above.")
    result: dict[str, Any] = json.loads(done.stdout)
    return result
