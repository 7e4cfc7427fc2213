"""PNG, JPEG and TIFF as 2D scans."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from core.errors import BadInput
from core.scans.budget import check_memory, spend
from core.scans.limits import MAX_IMAGE_PIXELS, Limits
from core.scans.pictures.depth import depth_of
from core.scans.pictures.jpeg import MOST_PIXELS_A_BYTE, is_arithmetic, unread_kind
from core.scans.pictures.pixels import Pixels, fine_colours, grey_levels, numbers, pixels_of
from core.scans.pictures.tiff import colour_page, number_page
from core.scans.samples import FiniteFilter
from core.scans.scan import Scan
from core.scans.sniff import Kind, sniff
from core.scans.sources import Source

if TYPE_CHECKING:
    from PIL.Image import Image

_FORMATS = ("PNG", "JPEG", "TIFF")
_MAX_PAGES = 2000
_GREY = frozenset({"1", "L", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"})
#: Modes of colours that may have more bits than the 8 that Pillow gives.
_FINE, _PILLOWS_BITS = frozenset({"RGB", "RGBA", "RGBX"}), 8
#: What reading takes: as Pillow holds it, as it is turned into numbers, and what is kept.
_BYTES_A_GREY_PIXEL, _BYTES_A_COLOURED_PIXEL = 10, 24
_DAMAGED = "The image is damaged: copy or export it again, or save it as PNG in a program that still opens it."
_UNREAD_JPEG = "This is a JPEG {}, which is not read: open it in an image program and save it as PNG."


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
    numbers : bool
        Whether it is a TIFF of numbers that are no grey levels (floating-point, signed …).
    """

    source: Source
    format: str
    shape: tuple[int, int]
    pages: int
    numbers: bool = False


def open_raster_file(source: Source, limits: Limits) -> RasterFile:
    """Read the header and refuse what is too large, before anything is unpacked.

    Raises
    ------
    BadInput
    """
    limits.check_file(source.size)
    try:
        with source.open() as stream, _image(stream) as image:
            _check_size(image, stream, source.size, limits)
            columns, rows = image.size
            # of a TIFF Pillow gives the size as hung, of other pictures the size as stored
            if _exif_orientation(image) >= 5 and image.format != "TIFF":
                rows, columns = columns, rows
            return RasterFile(source, str(image.format or "image"), (rows, columns), _count_pages(image))
    except _Unreadable:
        return _open_unusual(source, limits)


def _open_unusual(source: Source, limits: Limits) -> RasterFile:
    """What Pillow does not know is of another kind, or damaged.

    Raises
    ------
    BadInput
    """
    kind = sniff(source.head())
    page = number_page(source, limits) if kind is Kind.TIFF else None
    if page is None:
        raise _refusal(source)
    _check_pages(page.pages)
    return RasterFile(source, "TIFF", page.shape, page.pages, numbers=True)


def _refusal(source: Source) -> BadInput:
    """What to say of a picture that cannot be read: damaged, but where it is known to be of a kind that is not read."""
    unread = None
    if sniff(source.head()) is Kind.JPEG:
        with source.open() as stream:
            unread = unread_kind(stream)
    return BadInput(_UNREAD_JPEG.format(unread) if unread else _DAMAGED)


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
    index = page or 0
    if not 0 <= index < file.pages:
        raise BadInput(f"There is no page {index}: the file holds {file.pages}, counted from 0.")
    notes: list[str] = []
    pixels = _read_numbers(file, limits, index, notes) if file.numbers else _read_levels(file, limits, index, notes)
    finite = FiniteFilter()
    array = np.ascontiguousarray(finite(pixels.values))[None]
    notes.extend(finite.notes())
    if file.pages > 1:
        chosen = "the first one was taken" if page is None else f"page {page} was taken"
        notes.append(f"The file holds {file.pages} pages: {chosen} (counted from 0).")
    return Scan(array, np.eye(4), units=pixels.units, notes=tuple(notes), colours=pixels.colours)


class _Unreadable(BadInput):
    """Pillow cannot read it: it is damaged, or of a kind that Pillow does not know."""


def _read_levels(file: RasterFile, limits: Limits, index: int, notes: list[str]) -> Pixels:
    from PIL import ImageOps

    try:
        with file.source.open() as stream, _image(stream) as image:
            for page in range(1, index + 1):
                spend()
                image.seek(page)
            _check_size(image, stream, file.source.size, limits)
            if _is_swapped(image):
                raise _Unreadable(_DAMAGED)
            depth = depth_of(image, stream)
            upright = image
            if _exif_orientation(image) > 1:
                upright = ImageOps.exif_transpose(image)
                notes.append("Turned upright as its EXIF orientation says.")
            if image.mode in _FINE and file.format == "TIFF" and depth.bits > _PILLOWS_BITS:
                colours = colour_page(file.source, limits, index)
                if colours is not None:
                    return fine_colours(colours, depth, image.mode != "RGB", notes)
            return pixels_of(upright, depth, notes)
    except _Unreadable:
        if file.format != "TIFF":
            raise _refusal(file.source) from None
        # Pillow knows such a header, and not how these pixels are packed
        return _read_numbers(file, limits, index, notes)


def _is_swapped(image: "Image") -> bool:
    """Whether Pillow gives numbers with their bytes turned round: libtiff has put them right, and it does so again."""
    packed = any(tile[0] == "libtiff" for tile in getattr(image, "tile", ()))
    order = getattr(getattr(image, "tag_v2", None), "prefix", None)
    return packed and image.mode in ("I", "F") and order == b"MM"


def _read_numbers(file: RasterFile, limits: Limits, index: int, notes: list[str]) -> Pixels:
    page = number_page(file.source, limits, index, values=True)
    if page is None or page.values is None:
        raise BadInput(_DAMAGED)
    if page.depth is not None:
        return grey_levels(page.values, page.depth, page.white_is_zero, notes)
    return numbers(page.values, page.white_is_zero, notes)


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
        except MemoryError:
            raise
        except Image.DecompressionBombError:
            raise _too_many_pixels() from None
        except Exception:
            # OSError, ValueError, SyntaxError, struct.error, KeyError … depending on where the damage lies
            raise _Unreadable(_DAMAGED) from None


def _too_many_pixels() -> BadInput:
    return BadInput(
        f"The image has more than {MAX_IMAGE_PIXELS // 10**6} million pixels: crop it or make it smaller first."
    )


def _check_size(image: "Image", stream: BinaryIO, file_size: int, limits: Limits) -> None:
    columns, rows = image.size
    if columns < 1 or rows < 1:
        raise BadInput("The image has a size of zero along one axis: export it again.")
    if columns * rows > MAX_IMAGE_PIXELS:
        raise _too_many_pixels()
    limits.check_array(rows, columns)
    if image.format == "JPEG":
        _check_jpeg(image, stream, file_size)
    check_memory(columns * rows * (_BYTES_A_GREY_PIXEL if image.mode in _GREY else _BYTES_A_COLOURED_PIXEL))
    samples = {"RGB": 3, "CMYK": 4, "RGBA": 4, "I": 4, "F": 4}.get(image.mode, 1)
    limits.check_expanded(rows * columns * samples, None if image.format == "JPEG" else file_size)


def _check_jpeg(image: "Image", stream: BinaryIO, file_size: int) -> None:
    """Refuse more pixels than the file can hold: the decoder would fill them with grey."""
    columns, rows = image.size
    if rows * columns > file_size * MOST_PIXELS_A_BYTE and not is_arithmetic(stream):
        raise BadInput(
            f"The header asks for {rows * columns / 1e6:.3g} million pixels and the file cannot hold that many: "
            "it was cut off or its header is wrong; copy or export it again."
        )


def _count_pages(image: "Image") -> int:
    if image.format == "PNG":
        # as its header says: going from frame to frame would decode each
        pages = int(getattr(image, "n_frames", 1))
        _check_pages(pages)
        return max(pages, 1)
    if not getattr(image, "is_animated", False) and image.format != "TIFF":
        return 1
    pages = 1
    try:
        while pages <= _MAX_PAGES:
            spend()
            image.seek(pages)
            pages += 1
    except EOFError:
        return pages
    _check_pages(pages)
    return pages


def _check_pages(pages: int) -> None:
    if pages > _MAX_PAGES:
        raise BadInput(f"The file holds more than {_MAX_PAGES} pages: save the ones you need as separate images.")


def _exif_orientation(image: "Image") -> int:
    orientation = image.getexif().get(0x0112, 1)
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1
