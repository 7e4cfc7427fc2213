"""How long nothing takes."""

from typing import Any


def run() -> dict[str, Any]:
    """Measure."""
    row = {"what": "nothing", "value": 1.0, "baseline": 2.0, "ratio": 0.5, "unit": "s", "error": None}
    return {"name": "sample", "rows": [row]}
