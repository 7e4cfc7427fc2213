"""What was computed where the network looks, before it was carried to the scan: so that scores can be found again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import BadInput
from core.explainers.extras import OnModelGrid
from core.files import write_array
from core.reports.colours import Kind
from core.reports.nifti import write_map
from core.scans.grid import Grid
from core.scans.scan import Scan

#: Lead of the files' names.
_LEAD = "model-grid-"


@dataclass(frozen=True, eq=False)
class StoredOnModelGrid:
    """Arrays on the model's grid, in a store; read when they are asked for.

    Parameters
    ----------
    folder : pathlib.Path
        Where they lie.
    record : Mapping
        ``shape``, ``affine`` and ``files`` (array name → file name).
    """

    folder: Path
    record: Mapping[str, Any]

    def loaded(self) -> OnModelGrid:
        """The arrays and their grid.

        Raises
        ------
        BadInput
            When a file is gone.
        """
        grid = Grid(tuple(self.record["shape"]), np.asarray(self.record["affine"], dtype=np.float64))
        try:
            arrays = {
                name: np.load(self.folder / file, allow_pickle=False) for name, file in self.record["files"].items()
            }
        except FileNotFoundError as error:
            raise BadInput("This result is no longer in the store: run it again.") from error
        return OnModelGrid(grid, arrays)


def write_stored(found: OnModelGrid | None, folder: Path) -> dict[str, Any] | None:
    """Write the store's form, one ``.npy`` an array; returns what the record says of them."""
    if found is None:
        return None
    files = {}
    for name, values in found.arrays.items():
        files[name] = f"{_LEAD}{name}.npy"
        write_array(folder / files[name], np.asarray(values, dtype=np.float32))
    return _record(found.grid, files)


def write_leaving(found: OnModelGrid | None, folder: Path, caution: str = "") -> dict[str, Any] | None:
    """Write the form that leaves: NIfTI with the model grid's affine (3D), ``.npy`` and a picture (2D)."""
    if found is None:
        return None
    files = {}
    for name, values in found.arrays.items():
        scan = Scan(np.asarray(values, dtype=np.float32)[None], found.grid.affine)
        kind: Kind = "mask" if name == "map" else "image"
        files[name] = write_map(scan.array[0], scan, folder, f"{_LEAD}{name}", kind, caution=caution)
    return _record(found.grid, files)


def _record(grid: Grid, files: Mapping[str, str]) -> dict[str, Any]:
    return {"shape": list(grid.shape), "affine": grid.affine.tolist(), "files": dict(files)}
