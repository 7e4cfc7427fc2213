"""Benchmarks: ratios against named baselines, measured in one run.

A benchmark is a module with ``run() -> dict`` that returns ``{"name", "rows": [{"what", "value", "baseline", "ratio",
"unit", "error"}]}``. Those of this folder need no screen; those that do, and those of plug-ins, are found by their
entry points. None is imported before it runs.
"""

from typing import Any

from core.registry import NamedModules

__all__ = ["BENCHES", "bench_names", "run_bench"]


def _complaint(target: Any) -> str | None:
    """Why something cannot be a benchmark, as the end of a sentence."""
    return None if callable(_work_of(target)) else "it has no function run()"


def _work_of(target: Any) -> Any:
    """What is called: an entry point may name the function itself."""
    return target if callable(target) else getattr(target, "run", None)


BENCHES = NamedModules("benches", "benchmark", __name__, judge=_complaint)


def bench_names() -> list[str]:
    """Every benchmark there is, in alphabetical order."""
    return BENCHES.names()


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
        When it cannot run here.
    """
    result: dict[str, Any] = _work_of(BENCHES.get(name))()
    return result
