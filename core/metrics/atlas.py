"""Atlases: a label volume with names, and the coarse one that is built in."""

from dataclasses import dataclass

import numpy as np

from core.models.inputs import PreparedInput


@dataclass(frozen=True, eq=False)
class Atlas:
    """Labels on a grid with names: `labels` int32, 0 for none; `names` label → region name."""

    title: str
    labels: np.ndarray
    names: dict[int, str]


def atlas_for(prepared: PreparedInput) -> Atlas | None:
    """The configured (or built-in) atlas on the model's grid; None where the scan is not in MNI space."""
    return None
