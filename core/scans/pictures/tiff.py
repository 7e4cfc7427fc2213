"""TIFF files of samples that Pillow does not know: packed bits, and numbers of any size and sign."""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import BadInput
from core.scans.limits import MAX_IMAGE_PIXELS, Limits
from core.scans.pictures.depth import Depth
from core.scans.samples import COLOURS
from core.scans.sources import Source

_ORIENTATION, _WHITE_IS_ZERO, _UNCOMPRESSED = 274, 0, 1
_RED_GREEN_BLUE, _SAMPLES_TOGETHER = 2, 1
#: of a grey level
_MOST_BITS = 16
_TURNS: dict[int, Any] = {
    1: lambda stored: stored,
    2: np.fliplr,
    3: lambda stored: np.rot90(stored, 2),
    4: np.flipud,
    5: lambda stored: stored.T,
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: np.rot90(stored, 2).T,
    8: np.rot90,
}
_UNUSUAL = (
    "The TIFF file is of a kind that is not read ({}): open it in an image program and save it as grey of 8 or 16 bits."
)


@dataclass(frozen=True, eq=False)
class NumberPage:
    """A page of numbers: one sample a pixel.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns, as hung.
    pages : int
        Number of pages in the file.
    values : numpy.ndarray, optional
        As hung, as stored; None where only the header was read.
    white_is_zero : bool
        Whether the smallest value is meant to be shown brightest.
    depth : Depth, optional
        Where the samples are grey levels (16 bits at most and no sign).
    """

    shape: tuple[int, int]
    pages: int
    values: np.ndarray | None = None
    white_is_zero: bool = False
    depth: Depth | None = None


def number_page(source: Source, limits: Limits, index: int = 0, values: bool = False) -> NumberPage | None:
    """Page `index` of a TIFF file; None where the file makes no sense as one, so that it is damaged.

    Parameters
    ----------
    source : Source
        The file.
    limits : Limits
        Largest sizes.
    index : int
        Which page, from 0.
    values : bool
        Whether to read the samples, too.

    Raises
    ------
    BadInput
        When the file is sound and of a kind that is not read.
    """
    from tifffile import TiffFile

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    try:
        with source.open() as stream, TiffFile(stream) as file:
            page: Any = file.pages[index]
            rows, columns = int(page.imagelength), int(page.imagewidth)
            kind = f"{page.dtype} samples, {page.samplesperpixel} a pixel, compression {page.compression.name}"
            if page.dtype is None or page.samplesperpixel != 1 or page.imagedepth != 1 or rows * columns < 1:
                raise BadInput(_UNUSUAL.format(kind))
            _check_size(rows, columns, page.dtype.itemsize, source, limits)
            turn = _orientation(page)
            shape = (columns, rows) if turn >= 5 else (rows, columns)
            if not values:
                return NumberPage(shape, len(file.pages))
            stored = _decoded(page, kind).reshape(rows, columns)
            white_is_zero = int(page.photometric) == _WHITE_IS_ZERO
            bits = int(page.bitspersample)
            depth = Depth(bits, bits) if page.dtype.kind == "u" and bits <= _MOST_BITS else None
            return NumberPage(shape, len(file.pages), _TURNS[turn](stored), white_is_zero, depth)
    except (BadInput, MemoryError):
        raise
    except Exception:
        # TiffFileError, struct.error, ValueError, IndexError … depending on where the damage lies
        return None


def colour_page(source: Source, limits: Limits, index: int = 0) -> np.ndarray | None:
    """Red, green and blue of page `index` at the 16 bits that they are stored with, which Pillow does not give.

    Parameters
    ----------
    source, limits, index
        As of `number_page`.

    Returns
    -------
    numpy.ndarray, uint16, shape (rows, columns, 3), or None
        As hung; None where the page has no such colours, or no decoder for its compression is there.

    Raises
    ------
    BadInput
        When it is too large.
    """
    from tifffile import TiffFile

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    try:
        with source.open() as stream, TiffFile(stream) as file:
            page: Any = file.pages[index]
            rows, columns, samples = int(page.imagelength), int(page.imagewidth), int(page.samplesperpixel)
            if page.dtype != np.uint16 or int(page.photometric) != _RED_GREEN_BLUE or samples < COLOURS:
                return None
            _check_size(rows, columns, page.dtype.itemsize * samples, source, limits)
            stored = page.asarray(maxworkers=1)
            if int(page.planarconfig) != _SAMPLES_TOGETHER:
                stored = np.moveaxis(stored, 0, -1)
            turn = _TURNS[_orientation(page)]
            shaped = stored.reshape(rows, columns, samples)
            return np.stack([turn(shaped[..., channel]) for channel in range(COLOURS)], axis=-1)
    except (BadInput, MemoryError):
        raise
    except Exception:
        # a decoder that is not there, or damage that Pillow will tell
        return None


def _decoded(page: Any, kind: str) -> np.ndarray:
    """Samples of a page.

    Raises
    ------
    BadInput
        When no decoder for its compression is there, which tifffile says in an error that names imagecodecs.
    """
    packed = page.bitspersample % 8 and page.dtype.kind == "u"
    if packed and page.compression == _UNCOMPRESSED and page.fillorder == 1 and not page.is_tiled:
        return _unpacked(page)
    try:
        stored: np.ndarray = page.asarray(maxworkers=1)
    except (ValueError, NotImplementedError) as error:
        if "imagecodecs" in str(error):
            raise BadInput(_UNUSUAL.format(kind)) from None
        raise
    return stored


def _unpacked(page: Any) -> np.ndarray:
    """Samples that do not fill whole bytes: the upper bits come first, and every row starts with a new byte.

    Raises
    ------
    ValueError
        When the file ends before.
    """
    rows, columns, bits = page.imagelength, page.imagewidth, page.bitspersample
    row_bytes = -(-columns * bits // 8)
    handle = page.parent.filehandle
    parts = []
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
        handle.seek(offset)
        parts.append(handle.read(count))
    content = np.frombuffer(b"".join(parts), np.uint8, count=rows * row_bytes).reshape(rows, row_bytes)
    values = np.empty((rows, columns), page.dtype)
    weights = 1 << np.arange(bits - 1, -1, -1, dtype=np.int64)
    for row in range(rows):
        values[row] = np.unpackbits(content[row], count=columns * bits).reshape(columns, bits) @ weights
    return values


def _check_size(rows: int, columns: int, itemsize: int, source: Source, limits: Limits) -> None:
    if rows * columns > MAX_IMAGE_PIXELS:
        raise BadInput(
            f"The image has more than {MAX_IMAGE_PIXELS // 10**6} million pixels: crop it or make it smaller first."
        )
    limits.check_array(rows, columns)
    limits.check_expanded(rows * columns * itemsize, source.size)


def _orientation(page: Any) -> int:
    tag = page.tags.get(_ORIENTATION)
    return int(tag.value) if tag is not None and tag.value in _TURNS else 1
