"""Regions that come as files."""

from pathlib import Path

import numpy as np

from core.errors import BadInput
from core.scans.loading import load_scan
from core.scans.scan import Scan


def load_region(path: Path, scan: Scan) -> np.ndarray:
    """Read a region: every sample above 0 is marked.

    Parameters
    ----------
    path : pathlib.Path
        ``.npy`` in the order of `Scan.array`, or an image in the scan's own space.
    scan : Scan
        What it was drawn on.

    Returns
    -------
    numpy.ndarray, bool
        Whoever uses it checks its shape.

    Raises
    ------
    BadInput
        When it cannot be read, or lies elsewhere in space.
    """
    if path.suffix != ".npy":
        marked = load_scan(path)
        if marked.shape == scan.shape and not marked.grid.same_as(scan.grid, tolerance_mm=1e-2):
            raise BadInput(f"The region {path.name} lies elsewhere in space than the scan: draw it on this scan.")
        return np.asarray(marked.array[0] > 0)
    try:
        marks = np.asarray(np.load(path, allow_pickle=False))
        if marks.dtype.kind not in "biuf":
            raise ValueError("not real numbers")
        return np.asarray(marks > 0)
    except FileNotFoundError as error:
        raise BadInput(f"The region {path.name} is not there: check the spelling.") from error
    except (OSError, ValueError, EOFError) as error:
        raise BadInput(f"The region {path.name} cannot be read: save it with numpy.save, or as NIfTI.") from error
