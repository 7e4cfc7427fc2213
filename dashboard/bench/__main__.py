"""``python -m dashboard.bench NAME [--json]``."""

import argparse
import json
import sys
from typing import Any

from core.bench import bench_names, run_bench
from core.errors import LightboxError


def main(arguments: list[str] | None = None) -> int:
    """Run one benchmark and print its rows.

    Returns
    -------
    int
        0 when it ran, 2 when it cannot run here (one sentence on stderr).
    """
    parser = argparse.ArgumentParser(prog="python -m dashboard.bench", description="Benchmarks of the running app.")
    parser.add_argument("name", choices=bench_names())
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    chosen = parser.parse_args(arguments)
    try:
        result = run_bench(chosen.name)
    except LightboxError as problem:
        print(problem, file=sys.stderr)
        return 2
    print(json.dumps(result, indent=2) if chosen.json else table(result))
    return 0


def table(result: dict[str, Any]) -> str:
    """The rows of a result as aligned text."""
    lines = [f"{'what':<24}{'value':>12}{'baseline':>12}{'ratio':>12}  unit"]
    for row in result["rows"]:
        numbers = [f"{row[key]:.4g}" if row[key] is not None else "-" for key in ("value", "baseline", "ratio")]
        lines.append(f"{row['what']:<24}{numbers[0]:>12}{numbers[1]:>12}{numbers[2]:>12}  {row['unit']}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
