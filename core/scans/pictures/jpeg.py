"""Kinds of JPEG that are sound and for which no decoder is there."""

import struct
from typing import BinaryIO

#: start of frame of the kinds that are read: baseline, extended and progressive, Huffman or arithmetically coded
_READ = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
_NO_FRAME = frozenset({0xC4, 0xC8, 0xCC})
_MOST_SEGMENTS = 1000


def unread_kind(stream: BinaryIO) -> str | None:
    """What a JPEG is that nothing here decodes ("of 12 bits"); None for the usual kind and for what is damaged."""
    stream.seek(2)
    for _ in range(_MOST_SEGMENTS):
        head = stream.read(4)
        if len(head) < 4 or head[0] != 0xFF:
            return None
        marker, length = head[1], struct.unpack(">H", head[2:])[0]
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME:
            precision = stream.read(1)
            if marker not in _READ:
                return "without loss or in several resolutions"
            return f"of {precision[0]} bits" if precision and precision[0] in (12, 16) else None
        stream.seek(length - 2, 1)
    return None
