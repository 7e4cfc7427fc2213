"""What the samples of a picture mean: how many bits a grey level has, and whether it has a sign."""

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

_BITS_PER_SAMPLE, _LARGEST_SAMPLE, _SAMPLE_FORMAT = 258, 281, 339
_SIGNED = 2
#: Chunks before the first of pixels; a PNG has a handful.
_MOST_CHUNKS = 1000


@dataclass(frozen=True)
class Depth:
    """How a file stores one sample.

    Parameters
    ----------
    bits : int
        As stored.
    significant : int
        Bits that the file says mean something, at most `bits`.
    signed : bool
        Whether samples are whole numbers with a sign.
    """

    bits: int
    significant: int
    signed: bool = False


def depth_of(image: "Image", stream: BinaryIO) -> Depth:
    """What the header says of the samples of `image`, which Pillow opened from `stream`.

    A TIFF says it in BitsPerSample, SampleFormat, and in MaxSampleValue where that is the full scale of fewer bits. A
    PNG says it in its header and in sBIT.
    """
    if image.format == "PNG":
        bits = _png_bits(image)
        return Depth(bits, min(_significant_bits(stream) or bits, bits))
    tags = getattr(image, "tag_v2", {})
    bits = _largest(tags.get(_BITS_PER_SAMPLE), 8)
    largest = _largest(tags.get(_LARGEST_SAMPLE), 0)
    full_scale_of_fewer = 0 < largest < 2**bits - 1 and largest & (largest + 1) == 0
    significant = largest.bit_length() if full_scale_of_fewer else bits
    return Depth(bits, significant, _largest(tags.get(_SAMPLE_FORMAT), 1) == _SIGNED)


def grey_level_bits(values: np.ndarray, depth: Depth) -> int:
    """Bits of the full scale that unsigned `values` have.

    The standard of PNG has samples scaled up to all the bits that are stored; much software leaves them as they are,
    and so do TIFF files. Values tell the two apart: none of those left alone is above the smaller full scale.
    """
    spare = depth.bits - depth.significant
    if spare == 0 or values.max() >= 2**depth.significant:
        return depth.bits
    shifted = (values >> spare) << spare
    scaled_up = ((values == shifted) | (values == shifted | values >> depth.significant)).all()
    return depth.bits if scaled_up and values.any() else depth.significant


def _png_bits(image: "Image") -> int:
    raw_modes = [str(tile[3][0] if isinstance(tile[3], tuple) else tile[3]) for tile in getattr(image, "tile", ())]
    return 16 if any(";16" in mode for mode in raw_modes) else 8


def _significant_bits(stream: BinaryIO) -> int | None:
    """Largest number in a PNG's sBIT chunk, which stands before the palette and the pixels; `stream` stays in place."""
    before = stream.tell()
    try:
        stream.seek(8)
        for _ in range(_MOST_CHUNKS):
            head = stream.read(8)
            if len(head) < 8 or head[4:] in (b"PLTE", b"IDAT", b"IEND"):
                return None
            (length,) = struct.unpack(">L", head[:4])
            if head[4:] == b"sBIT":
                found = stream.read(min(length, 4))
                return max(found, default=0) or None
            stream.seek(length + 4, 1)
        return None
    finally:
        stream.seek(before)


def _largest(value: object, otherwise: int) -> int:
    """A TIFF field of one or more numbers."""
    numbers = value if isinstance(value, tuple) else (value,)
    return max((int(number) for number in numbers if isinstance(number, int)), default=otherwise)
