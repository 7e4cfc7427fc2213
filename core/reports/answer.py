"""The image that a regressor made of a scan, as figures and as files."""

from pathlib import Path
from typing import Any

import numpy as np

from core.models.card import Card
from core.reports.nifti import write_map
from core.scans.scan import Scan


def figures_of(values: np.ndarray, card: Card) -> dict[str, Any]:
    """What to say of an answer in a few numbers.

    Parameters
    ----------
    values : numpy.ndarray, float32, shape (C_out, *scan shape)
        From `core.models.Model.generate`.
    card : Card
        The model's.
    """
    return {
        "channels": len(values),
        "shape": list(values.shape[1:]),
        "units": card.output.units if card.output else "",
        "low": float(values.min()),
        "mean": float(values.mean()),
        "high": float(values.max()),
    }


def write_answer(values: np.ndarray, scan: Scan, folder: Path) -> list[str]:
    """Write every channel of an answer so that it lies on the scan's file; returns the names of the files.

    Parameters
    ----------
    values : numpy.ndarray, float32, shape (C_out, *scan shape)
        From `core.models.Model.generate`.
    scan : Scan
        What it was made of.
    folder : pathlib.Path
        Must exist.
    """
    names = ["output"] if len(values) == 1 else [f"output-{number}" for number in range(1, len(values) + 1)]
    return [write_map(channel, scan, folder, name, "answer") for name, channel in zip(names, values, strict=True)]
