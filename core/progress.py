"""How long work tells where it is, and how it learns that it should stop."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np


@dataclass(frozen=True, eq=False)
class Progress:
    """One report of a long computation.

    Parameters
    ----------
    fraction : float
        Share of the work done, 0..1.
    message : str
        What is being done now, for people ("iteration 12 of 60").
    history : Mapping[str, float], optional
        One new row of the live curves: name → value. Rows with the same names form one table.
    preview : numpy.ndarray, optional
        The map as it stands, in **model space** (spatial shape of the model's grid), float32.
    """

    fraction: float
    message: str = ""
    history: Mapping[str, float] = field(default_factory=dict)
    preview: np.ndarray | None = None


#: Called often by long work. May raise `core.errors.Cancelled`, which the work lets pass.
Report = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """Report that goes nowhere; the default of everything that takes a `Report`."""


def part_of(report: Report, start: float, end: float) -> Report:
    """Report for one stage of longer work: its fractions 0..1 become `start`..`end` of the whole."""

    def inner(progress: Progress) -> None:
        report(replace(progress, fraction=start + (end - start) * progress.fraction))

    return inner
