"""The box of MNI152 space that volumes are laid on."""

import numpy as np

from core.scans.grid import Grid

#: Corner of lowest coordinates and extent of the usual MNI box, RAS+ millimetres.
BOX_FROM_MM = np.array([-90.0, -126.0, -72.0])
BOX_SIZE_MM = np.array([180.0, 216.0, 180.0])


def mni_grid(spacing_mm: float) -> Grid:
    """Grid of `spacing_mm` on the usual MNI box: 121×145×121 at 1.5 mm, 61×73×61 at 3 mm, 41×49×41 at 4.5 mm."""
    shape = tuple(int(n) for n in np.round(BOX_SIZE_MM / spacing_mm) + 1)
    affine = np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])
    affine[:3, 3] = BOX_FROM_MM
    return Grid(shape, affine)
