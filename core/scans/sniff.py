"""Telling formats apart by their first bytes; names are not believed."""

import struct
import zipfile
import zlib
from enum import StrEnum

from core.scans.sources import Source, open_gzip


class Kind(StrEnum):
    """What a file is, by content."""

    NIFTI = "NIfTI"
    NIFTI_PAIR = "NIfTI header"
    ANALYZE = "Analyze header"
    MGH = "MGH"
    DICOM = "DICOM"
    PNG = "PNG"
    JPEG = "JPEG"
    TIFF = "TIFF"
    ZIP = "zip"
    GZIP = "gzip"
    SURFACE = "surface mesh"
    ARCHIVE = "archive"
    OTHER_IMAGE = "other image"
    EMPTY = "empty"
    UNKNOWN = "unknown"


VOLUME_KINDS = frozenset({Kind.NIFTI, Kind.MGH})
HEADER_KINDS = frozenset({Kind.NIFTI_PAIR, Kind.ANALYZE})
RASTER_KINDS = frozenset({Kind.PNG, Kind.JPEG, Kind.TIFF})

_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"\x89PNG\r\n\x1a\n", Kind.PNG),
    (b"\xff\xd8\xff", Kind.JPEG),
    (b"II*\0", Kind.TIFF),
    (b"MM\0*", Kind.TIFF),
    (b"II+\0", Kind.TIFF),
    (b"MM\0+", Kind.TIFF),
    (b"PK\x03\x04", Kind.ZIP),
    (b"PK\x05\x06", Kind.ZIP),
    (b"\x1f\x8b", Kind.GZIP),
    (b"\xff\xff\xfe", Kind.SURFACE),
    (b"\xff\xff\xff", Kind.SURFACE),
    (b"7z\xbc\xaf", Kind.ARCHIVE),
    (b"Rar!", Kind.ARCHIVE),
    (b"BZh", Kind.ARCHIVE),
    (b"\xfd7zXZ", Kind.ARCHIVE),
    (b"\x28\xb5\x2f\xfd", Kind.ARCHIVE),
    (b"GIF8", Kind.OTHER_IMAGE),
    (b"BM", Kind.OTHER_IMAGE),
    (b"\0\0\0\x0cjP", Kind.OTHER_IMAGE),
    (b"\xff\x4f\xff\x51", Kind.OTHER_IMAGE),
    (b"%PDF", Kind.OTHER_IMAGE),
)
_MGH_TYPES = frozenset({0, 1, 3, 4})


def sniff(head: bytes) -> Kind:
    """What the file is that starts with `head` (about 1 kB)."""
    if not head:
        return Kind.EMPTY
    if head[128:132] == b"DICM":
        return Kind.DICOM
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[257:262] == b"ustar":
        return Kind.ARCHIVE
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Kind.OTHER_IMAGE
    if b"<GIFTI" in head[:512] or head.startswith(b"ply\n"):
        return Kind.SURFACE
    return _sniff_volume(head) or (Kind.DICOM if _looks_like_bare_dicom(head) else Kind.UNKNOWN)


def _sniff_volume(head: bytes) -> Kind | None:
    if len(head) < 28:
        return None
    sizes = {struct.unpack("<i", head[:4])[0], struct.unpack(">i", head[:4])[0]}
    if 540 in sizes and head[4:7] in (b"n+2", b"ni2"):
        return Kind.NIFTI if head[4:7] == b"n+2" else Kind.NIFTI_PAIR
    if 348 in sizes and len(head) >= 348:
        return {b"n+1\0": Kind.NIFTI, b"ni1\0": Kind.NIFTI_PAIR}.get(head[344:348], Kind.ANALYZE)
    version, *_, mgh_type = struct.unpack(">6i", head[:24])
    if version == 1 and mgh_type in _MGH_TYPES:
        return Kind.MGH
    return None


def _looks_like_bare_dicom(head: bytes) -> bool:
    """DICOM without preamble: the first element is of group 2 or 8, its VR two capitals or its length small."""
    if len(head) < 16:
        return False
    little = head[1] == 0 and head[0] in (2, 8) and head[3] == 0
    big = head[0] == 0 and head[1] in (2, 8) and head[2] == 0
    if not (little or big):
        return False
    explicit = head[4:6].isalpha() and head[4:6].isupper()
    return explicit or (little and struct.unpack("<I", head[4:8])[0] < 1024)


def sniff_source(source: Source) -> tuple[Kind, bool]:
    """What `source` holds, and whether that is wrapped in gzip.

    A damaged wrapper gives (`Kind.GZIP`, True): reading it will say what is wrong.
    """
    kind = sniff(source.head())
    if kind is not Kind.GZIP:
        return kind, False
    try:
        with source.opener() as packed, open_gzip(packed) as stream:
            return sniff(stream.read(1024)), True
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile):
        return _sniff_damaged_gzip(source), True


def _sniff_damaged_gzip(source: Source) -> Kind:
    """What the first readable bytes of a damaged gzip file are."""
    try:
        with source.opener() as packed:
            start = zlib.decompressobj(31).decompress(packed.read(65536), 1024)
            return sniff(start) if start else Kind.GZIP
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile):
        return Kind.GZIP
