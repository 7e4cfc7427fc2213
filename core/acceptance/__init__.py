"""The acceptance gate: whether a model can read a scan, said before its answer is shown.

Names are imported when first used: a verdict is read without paying for torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

from core.acceptance.verdict import HEADING, Acceptance, Sign

if TYPE_CHECKING:
    from core.acceptance.gate import judge
    from core.acceptance.statistics import learn, read_statistics, write_statistics

__all__ = ["HEADING", "Acceptance", "Sign", "judge", "learn", "read_statistics", "write_statistics"]

_HOME = {"judge": "gate", "learn": "statistics", "read_statistics": "statistics", "write_statistics": "statistics"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
