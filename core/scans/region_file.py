"""Regions that come as files."""

from pathlib import Path

import numpy as np

from core.errors import BadInput
from core.scans.collect import Upload
from core.scans.limits import Limits
from core.scans.loading import load_scan, load_upload
from core.scans.scan import Scan

_NUMPY = b"\x93NUMPY"


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
    if not path.exists():
        raise BadInput(f"The region {path.name} is not there: check the spelling.")
    marks = _read_array(path, f"The region {path.name} cannot be read: save it with numpy.save, or as NIfTI.")
    return np.asarray(marks > 0)


def load_uploaded_mask(upload: Upload, scan: Scan) -> np.ndarray:
    """Values of a mask that came through the browser, told apart by content: nothing in it is trusted.

    Parameters
    ----------
    upload : core.scans.Upload
        An image or volume in the scan's own space, or a NumPy array in the order of `Scan.array`.
    scan : Scan
        What it belongs to.

    Returns
    -------
    numpy.ndarray, real
        Of the scan's spatial shape.

    Raises
    ------
    BadInput
        When it cannot be read, is in colour, has another shape than the scan, or lies elsewhere in space.
    """
    if _is_array(upload.path):
        values = _uploaded_array(upload.path)
        _check_shape(values.shape, scan)
        return np.array(values)
    marked = load_upload([upload])
    _check_shape(marked.shape, scan)
    if marked.colours is not None:
        raise BadInput("The mask is in colour: save it as a grey image, 0 where nothing is marked.")
    if scan.dimensions == 3 and not marked.grid.same_as(scan.grid, tolerance_mm=1e-2):
        raise BadInput("The mask lies elsewhere in space than the scan: draw it on this scan.")
    return np.asarray(marked.array[0])


def load_uploaded_region(upload: Upload) -> np.ndarray:
    """A region that came through the browser and belongs to no scan yet: every sample above 0 is marked.

    Parameters
    ----------
    upload : core.scans.Upload
        An image or volume, or a NumPy array in the order of `Scan.array`.

    Returns
    -------
    numpy.ndarray, bool
        2D or 3D. Whoever uses it checks its shape.

    Raises
    ------
    BadInput
        When it cannot be read, is neither 2D nor 3D, or marks nothing.
    """
    values = _uploaded_array(upload.path) if _is_array(upload.path) else load_upload([upload]).array[0]
    if values.ndim not in (2, 3):
        raise BadInput(f"The region has {values.ndim} dimensions: save it with those of the scan, 2 or 3.")
    marked = np.asarray(values > 0)
    if not marked.any():
        raise BadInput("The region marks nothing: no sample of it is above 0.")
    return marked


def _is_array(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_NUMPY)) == _NUMPY


def _uploaded_array(path: Path) -> np.ndarray:
    values = _read_array(path, "The mask cannot be read: save it with numpy.save, as PNG or as NIfTI.", numbers=False)
    if values.dtype.kind not in "biuf":
        raise BadInput("The mask holds no real numbers: save it as 0 and 1.")
    return values


def _read_array(path: Path, refusal: str, numbers: bool = True) -> np.ndarray:
    """An array that `numpy.save` wrote, mapped: a header that promises more than the file holds takes no memory.

    Raises
    ------
    BadInput
        `refusal`, when it is anything else (`numbers`: also when it holds no real numbers), or the limit it is above.
    """
    limits = Limits.current()
    try:
        if not path.is_file() or not _is_array(path):
            raise ValueError("not what numpy.save writes")
        values: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
        if numbers and values.dtype.kind not in "biuf":
            raise ValueError("not real numbers")
    except Exception:
        # NumPy takes the header for Python: ValueError, TypeError, SyntaxError, TokenError, RecursionError …
        raise BadInput(refusal) from None
    limits.check_array(*values.shape)
    return values


def _check_shape(shape: tuple[int, ...], scan: Scan) -> None:
    if shape != scan.shape:
        sizes = ["×".join(str(n) for n in found) or "no" for found in (shape, scan.shape)]
        raise BadInput(f"The mask has {sizes[0]} samples and the scan {sizes[1]}: draw it on this scan.")
