"""Maps that leave: in the scan's own space as NIfTI (3D), as ``.npy`` with a picture to look at (2D)."""

import gzip
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import BadInput
from core.files import write_array, write_atomically
from core.reports.colours import WINDOW_PERCENTILES, Kind, colour_table, display_range, largest_size, sizes
from core.scans.orientation import file_view
from core.scans.scan import Scan, SourceSpace

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Header

#: nifti1.h's name of what the values are; an image is no statistic
_INTENTS = {"attribution": "estimate", "mask": "estimate", "labels": "label"}
#: nifti1.h's ``NIFTI_XFORM_*``: what it gives a meaning, and what is aligned to another file
_CODES = range(1, 6)
#: Letters that nifti1.h has for a description, without the zero at its end
_DESCRIPTION = 79
_ALIGNED = 2
#: Pixels whose sides differ by less are square to the eye; a picture that would be larger keeps its own.
_SQUARE, _MOST_PIXELS = 1.01, 50_000_000
#: Directions that are written with four or five digits are as far from right angles.
_RIGID = 1e-4


def write_map(
    values: np.ndarray,
    scan: Scan,
    folder: Path,
    name: str,
    kind: Kind = "attribution",
    neutral: float | None = None,
    caution: str = "",
) -> str:
    """Write a map so that it lies exactly on the file the scan was read from.

    Parameters
    ----------
    values : numpy.ndarray
        Map in scan space (the scan's spatial shape, RAS+), any real dtype.
    scan : Scan
        What the map belongs to; its `source` says how the file stores it.
    folder : pathlib.Path
        Where to write; must exist.
    name : str
        File name without its ending.
    kind : {"attribution", "mask", "image", "answer", "labels"}
        For the picture of a 2D map: images and answers are grey, the others magma.
    neutral : float, optional
        For the picture: colours diverge around this value.
    caution : str
        What must be known before the map is believed; written into the file (``descrip``) and the picture.

    Returns
    -------
    str
        Name of the main file: ``NAME.nii.gz``, or ``NAME.npy`` beside ``NAME.png``.

    Raises
    ------
    BadInput
        When `values` has not the scan's shape.
    """
    if scan.dimensions == 3:
        content = nifti_bytes(values, scan, kind, neutral, caution)
        write_atomically(folder / f"{name}.nii.gz", lambda file: file.write(content))
        return f"{name}.nii.gz"
    _check_shape(values, scan)
    picture = png_bytes(values, kind, neutral, caution=caution, spacing_mm=scan.spacing_mm)
    write_array(folder / f"{name}.npy", _storable(values))
    write_atomically(folder / f"{name}.png", lambda file: file.write(picture))
    return f"{name}.npy"


def nifti_bytes(
    values: np.ndarray, scan: Scan, kind: Kind = "attribution", neutral: float | None = None, caution: str = ""
) -> bytes:
    """A 3D map as the bytes of a ``.nii.gz`` in the scan's own space: the file's axis order, shape and affine.

    The header says what kind of values they are (``intent_code``: 1002 of labels, 1001 of what was estimated), between
    which of them a viewer should begin (``cal_min``, ``cal_max``: the range on screen), and refers to what the scan's
    own header refers to (``sform_code``, ``qform_code``).

    Parameters
    ----------
    values : numpy.ndarray
        Map in scan space (the scan's spatial shape, RAS+). Whole numbers stay whole, the rest becomes float32.
    scan : Scan
        What the map belongs to.
    kind : {"attribution", "mask", "image", "answer", "labels"}
        What its values are.
    neutral : float, optional
        Value that means nothing, of a map with signs.
    caution : str
        Put into ``descrip``, which holds 79 letters.

    Returns
    -------
    bytes
        The same for the same map: no time is stored.

    Raises
    ------
    BadInput
        When `values` has not the scan's shape, or the scan is a 2D image.
    """
    from nibabel.nifti1 import Nifti1Image

    _check_shape(values, scan)
    if scan.dimensions != 3:
        raise BadInput("A map of a 2D image has no NIfTI form: save it as PNG or .npy.")
    space = scan.source or SourceSpace(scan.affine, scan.shape)
    image = Nifti1Image(file_view(_storable(values), space), space.affine)
    image.header.set_xyzt_units("mm")
    _refer(image.header, space)
    if kind in _INTENTS:
        image.header.set_intent(_INTENTS[kind], name=kind)
    image.header["descrip"] = caution.encode("ascii", "replace")[:_DESCRIPTION]
    low, high = display_range(values, kind, neutral)
    if high > low:
        image.header["cal_min"], image.header["cal_max"] = low, high
    return gzip.compress(image.to_bytes(), compresslevel=5, mtime=0)


def png_bytes(
    values: np.ndarray,
    kind: Kind = "attribution",
    neutral: float | None = None,
    heat: bool = False,
    caution: str = "",
    spacing_mm: Sequence[float] = (1.0, 1.0),
) -> bytes:
    """A 2D map as a picture in the colours of the screen.

    The values at the two ends of the colours are kept in the PNG's text fields ``low`` and ``high``; what lies beyond
    has the colour of the end.

    Parameters
    ----------
    values : numpy.ndarray, shape (rows, columns)
        First row on top.
    kind : {"attribution", "mask", "image", "answer", "labels"}
        What they are, see `core.reports.colours`.
    neutral : float, optional
        Blue below, red above, the same distance to both ends.
    heat : bool
        Show how far a map with signs is from `neutral`, and not to which side.
    caution : str
        Kept in the text field ``caution``.
    spacing_mm : sequence of float
        How far rows and columns lie apart: programs that show pictures draw square pixels, so rows or columns of
        oblong ones are repeated until they look as they are (the text field ``pixels`` says how they were).
    """
    from matplotlib import colormaps
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    shown = np.asarray(values, dtype=np.float64)
    low, high = display_range(shown, kind, neutral)
    if heat and neutral is not None:
        shown = sizes(shown, neutral).astype(np.float64)
        low, high = 0.0, largest_size(float(np.percentile(shown, WINDOW_PERCENTILES[1])), float(shown.max()))
    colours = colormaps[colour_table(kind, signed=neutral is not None and not heat)]
    scaled = np.clip((shown - low) / (high - low), 0, 1) if high > low else np.zeros_like(shown)
    information = PngInfo()
    information.add_text("low", repr(low))
    information.add_text("high", repr(high))
    if caution:
        information.add_itxt("caution", caution)
    content, picture = io.BytesIO(), Image.fromarray(colours(scaled, bytes=True)[..., :3])
    rows, columns = square_size(values.shape, spacing_mm)
    if (rows, columns) != values.shape:
        information.add_text("pixels", f"{values.shape[0]} x {values.shape[1]}")
        picture = picture.resize((columns, rows), Image.Resampling.NEAREST)
    picture.save(content, format="PNG", pnginfo=information)
    return content.getvalue()


def square_size(shape: Sequence[int], spacing_mm: Sequence[float]) -> tuple[int, int]:
    """Rows and columns of a picture of square pixels that looks as one of `shape` and spacing; none is left out."""
    finest = min(spacing_mm)
    rows, columns = (max(round(n * step / finest), 1) for n, step in zip(shape, spacing_mm, strict=True))
    if max(spacing_mm) < _SQUARE * finest or rows * columns > _MOST_PIXELS:
        return shape[0], shape[1]
    return rows, columns


def _refer(header: "Nifti1Header", space: SourceSpace) -> None:
    """Let both forms of a map's header say what those of the source say.

    A file of another format says nothing in this form: its place is then one that is aligned to a file (code 2).
    """
    if space.forms is None:
        header.set_sform(space.affine, code=_ALIGNED)
        # a quaternion cannot hold shear (gantry tilt): readers then take the sform, which can
        rigid = _is_rigid(space.affine)
        header.set_qform(space.affine if rigid else None, code=_ALIGNED if rigid else 0)
        return
    for put, form in ((header.set_sform, space.forms.sform), (header.set_qform, space.forms.qform)):
        if form is None:
            put(None, code=0)
        else:
            put(form.affine, code=form.code if form.code in _CODES else _ALIGNED)


def _check_shape(values: np.ndarray, scan: Scan) -> None:
    if values.shape != scan.shape:
        raise BadInput(f"The map has shape {values.shape} and the scan {scan.shape}: maps leave in scan space.")


def _storable(values: np.ndarray) -> np.ndarray:
    """Type that every NIfTI reader knows: uint8 for truth values, int16 or int32 for whole numbers, else float32."""
    values = np.asarray(values)
    if values.dtype.kind == "b":
        return values.astype(np.uint8)
    if values.dtype.kind in "iu":
        return values if values.dtype in (np.uint8, np.int16, np.int32) else values.astype(np.int32)
    return values.astype(np.float32, copy=False)


def _is_rigid(affine: np.ndarray) -> bool:
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return bool(np.allclose(directions.T @ directions, np.eye(3), atol=_RIGID))
