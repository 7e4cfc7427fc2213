"""PNG, JPEG and TIFF at 8 and 16 bits, as 2D scans."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from core.errors import BadInput
from core.scans.limits import MAX_IMAGE_PIXELS, Limits
from core.scans.samples import RGB_NOTE, FiniteFilter, luminance
from core.scans.scan import Scan
from core.scans.sources import Source

if TYPE_CHECKING:
    from PIL.Image import Image

_FORMATS = ("PNG", "JPEG", "TIFF")
_MAX_PAGES = 2000
_EIGHT_BITS = frozenset({"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"})
_BAD_IMAGE = "The image is damaged or of an unusual kind: open it in an image program and save it again as PNG."


@dataclass(frozen=True)
class RasterFile:
    """An image file whose header was read.

    Parameters
    ----------
    source : Source
        The file.
    format : str
        PNG, JPEG or TIFF.
    shape : tuple of int
        Rows and columns, as hung (EXIF orientation counted).
    pages : int
        Number of pages or frames.
    """

    source: Source
    format: str
    shape: tuple[int, int]
    pages: int


def open_raster_file(source: Source, limits: Limits) -> RasterFile:
    """Read the header and refuse what is too large, before anything is unpacked.

    Raises
    ------
    BadInput
    """
    limits.check_file(source.size)
    with source.open() as stream, _image(stream) as image:
        _check_size(image, source.size, limits)
        columns, rows = image.size
        if _exif_orientation(image) >= 5:
            rows, columns = columns, rows
        return RasterFile(source, str(image.format or "image"), (rows, columns), _count_pages(image))


def read_raster(file: RasterFile, limits: Limits, page: int | None = None) -> Scan:
    """Read one page of an image file.

    Parameters
    ----------
    file : RasterFile
        From `open_raster_file`.
    limits : Limits
        Largest sizes.
    page : int, optional
        Which page of a TIFF, from 0; the first when not given, and a note says so.

    Returns
    -------
    Scan
        One channel ``(1, rows, columns)``, values as stored, affine the identity (a picture has no millimetres).
        A picture whose colours differ keeps them beside their luminance.

    Raises
    ------
    BadInput
    """
    from PIL import ImageOps

    index = page or 0
    if not 0 <= index < file.pages:
        raise BadInput(f"There is no page {index}: the file holds {file.pages}, counted from 0.")
    notes: list[str] = []
    with file.source.open() as stream, _image(stream) as image:
        image.seek(index)
        _check_size(image, file.source.size, limits)
        units = _units(image, notes)
        upright = image
        if _exif_orientation(image) > 1:
            upright = ImageOps.exif_transpose(image)
            notes.append("Turned upright as its EXIF orientation says.")
        values, colours = _values(upright, notes)
    finite = FiniteFilter()
    array = np.ascontiguousarray(finite(values))[None]
    notes.extend(finite.notes())
    if file.pages > 1:
        chosen = "the first one was taken" if page is None else f"page {page} was taken"
        notes.append(f"The file holds {file.pages} pages: {chosen} (counted from 0).")
    return Scan(array, np.eye(4), units=units, notes=tuple(notes), colours=colours)


@contextmanager
def _image(stream: BinaryIO) -> Iterator["Image"]:
    """Open an image with Pillow; whatever Pillow raises on damaged data becomes one sentence."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(stream, formats=_FORMATS) as image:
                yield image
        except BadInput:
            raise
        except Image.DecompressionBombError:
            raise _too_many_pixels() from None
        except Exception:
            # OSError, ValueError, SyntaxError, struct.error, KeyError … depending on where the damage lies
            raise BadInput(_BAD_IMAGE) from None


def _too_many_pixels() -> BadInput:
    return BadInput(
        f"The image has more than {MAX_IMAGE_PIXELS // 10**6} million pixels: crop it or make it smaller first."
    )


def _check_size(image: "Image", file_size: int, limits: Limits) -> None:
    columns, rows = image.size
    if columns < 1 or rows < 1:
        raise BadInput("The image has a size of zero along one axis: export it again.")
    if columns * rows > MAX_IMAGE_PIXELS:
        raise _too_many_pixels()
    limits.check_array(rows, columns)
    samples = {"RGB": 3, "CMYK": 4, "RGBA": 4, "I": 4, "F": 4}.get(image.mode, 1)
    limits.check_expanded(rows * columns * samples, None if image.format == "JPEG" else file_size)


def _count_pages(image: "Image") -> int:
    if not getattr(image, "is_animated", False) and image.format != "TIFF":
        return 1
    pages = 1
    try:
        while pages <= _MAX_PAGES:
            image.seek(pages)
            pages += 1
    except EOFError:
        return pages
    raise BadInput(f"The file holds more than {_MAX_PAGES} pages: save the ones you need as separate images.")


def _exif_orientation(image: "Image") -> int:
    orientation = image.getexif().get(0x0112, 1)
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def _units(image: "Image", notes: list[str]) -> str | None:
    """What full scale is, and a note where Pillow gives fewer bits than the file has."""
    if image.mode in _EIGHT_BITS:
        if _stored_bits(image) > 8:
            notes.append("16-bit colour or transparency read at 8 bits: save it as 16-bit grey to keep the precision.")
        return "8-bit"
    return "16-bit" if image.mode.startswith("I;16") else None


def _stored_bits(image: "Image") -> int:
    if image.format == "PNG":
        raw_modes = [str(tile[3][0] if isinstance(tile[3], tuple) else tile[3]) for tile in getattr(image, "tile", ())]
        return 16 if any(";16" in mode for mode in raw_modes) else 8
    bits = getattr(image, "tag_v2", {}).get(258, (8,))
    return int(max(bits)) if isinstance(bits, tuple) else int(bits)


def _values(image: "Image", notes: list[str]) -> tuple[np.ndarray, np.ndarray | None]:
    """Pixels as one grey channel, values as stored; and the colours (3, rows, columns) where they differ."""
    mode = image.mode
    if mode in ("I", "F", "L") or mode.startswith("I;16"):
        values = np.asarray(image)
        if mode.startswith("I;16") and getattr(image, "tag_v2", {}).get(262) == 0:
            notes.append("White is stored as zero: inverted, larger is brighter.")
            values = 65535 - values
        return values, None
    if mode == "1":
        return np.asarray(image, dtype=np.uint8) * np.uint8(255), None
    if mode.upper() in ("LA", "PA", "RGBA") or "transparency" in image.info:
        notes.append("Transparency was left out.")
    if mode.upper() == "LA":
        return np.asarray(image.convert("LA"))[..., 0], None
    colours = np.asarray(image.convert("RGBA") if mode in ("P", "PA") else image.convert("RGB"))[..., :3]
    if (colours[..., 0] == colours[..., 1]).all() and (colours[..., 1] == colours[..., 2]).all():
        return colours[..., 0], None
    notes.append(RGB_NOTE)
    return luminance(colours), np.ascontiguousarray(np.moveaxis(colours, -1, 0), dtype=np.float32)
