"""What the markers of a JPEG say: kinds for which no decoder is there, and how much a file can hold."""

import struct
from typing import BinaryIO

#: start of frame of the kinds that are read: baseline, extended and progressive, Huffman or arithmetically coded
_READ = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
_NO_FRAME = frozenset({0xC4, 0xC8, 0xCC})
_ARITHMETIC = frozenset({0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_MOST_SEGMENTS = 1000
#: Huffman codes take at least a bit for a block of 8 by 8 pixels.
MOST_PIXELS_A_BYTE = 512


def unread_kind(stream: BinaryIO) -> str | None:
    """What a JPEG is that nothing here decodes ("of 12 bits"); None for the usual kind and for what is damaged."""
    marker = _find_frame(stream)
    if marker is None:
        return None
    if marker not in _READ:
        return "without loss or in several resolutions"
    precision = stream.read(1)
    return f"of {precision[0]} bits" if precision and precision[0] in (12, 16) else None


def is_arithmetic(stream: BinaryIO) -> bool:
    """Whether a JPEG is coded arithmetically, which may take less than a bit for a block of pixels."""
    before = stream.tell()
    try:
        return _find_frame(stream) in _ARITHMETIC
    finally:
        stream.seek(before)


def _find_frame(stream: BinaryIO) -> int | None:
    """Marker of the start of the frame, with `stream` behind its length; None where there is none."""
    stream.seek(2)
    for _ in range(_MOST_SEGMENTS):
        head = stream.read(4)
        if len(head) < 4 or head[0] != 0xFF:
            return None
        marker, length = head[1], struct.unpack(">H", head[2:])[0]
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME:
            return int(marker)
        stream.seek(length - 2, 1)
    return None
