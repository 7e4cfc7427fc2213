"""Opening DICOM safely: only technical elements are ever read, deflated data sets are inflated under a limit."""

import io
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from core.errors import BadInput
from core.scans.budget import spend
from core.scans.limits import BOMB_MESSAGE, BOMB_RATIO, MEGABYTE, Limits
from core.scans.sources import CUT_OFF, DAMAGED, Source, count_unpacked

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

DEFLATED = "1.2.840.10008.1.2.1.99"
_EXPLICIT_LITTLE_ENDIAN = b"1.2.840.10008.1.2.1\0"
_META_BYTES = 16 * 1024
#: A data set inflated to more than this by more than `BOMB_RATIO` is a bomb: parsing it would take minutes.
_DEFLATED_BOMB_BYTES = 32 * MEGABYTE
#: pydicom reads twice or so per element; this many take most of a second. Sequences of known length count once.
_MAX_READS = 600_000
_PIXEL_ASPECT_RATIO = 0x00280034
#: Sequences longer than this are not parsed: it would take seconds. An item takes pydicom a tenth of a millisecond.
_SEQUENCE_BYTES, _SEQUENCE_BYTES_PER_FRAME = 2 * MEGABYTE, 64 * 1024
_ITEMS, _ITEMS_PER_FRAME, _MOST_FRAMES_WITH_ITEMS = 4000, 64, 4000
_ITEM_LITTLE_ENDIAN, _ITEM_BIG_ENDIAN = b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00"
_LONG_VALUE_REPRESENTATIONS = frozenset({b"OB", b"UN", b"OW", b"SQ", b"UT"})

_TOO_LONG = "The DICOM header is too long to be true: export the series again."
BAD_DICOM = "The DICOM file is damaged or not quite DICOM: export it again."


@dataclass(frozen=True)
class FileMeta:
    """Group 2 of a DICOM file.

    Parameters
    ----------
    transfer_syntax : str, optional
        UID, None where the file has no such element.
    media_class : str, optional
        SOP class UID of the object in the file.
    length : int
        Bytes before the data set.
    """

    transfer_syntax: str | None
    media_class: str | None
    length: int


def read_meta(source: Source) -> FileMeta:
    """Read group 2 (always explicit VR little endian).

    Raises
    ------
    BadInput
        When the file ends within it.
    """
    with source.open() as stream:
        head = stream.read(_META_BYTES)
    at = 132 if head[128:132] == b"DICM" else 0
    values: dict[int, str] = {}
    while head[at : at + 2] == b"\x02\0":
        if len(head) < at + 12:
            raise BadInput(CUT_OFF)
        element, representation, length = struct.unpack_from("<H2sH", head, at + 2)
        start = at + 8
        if representation in _LONG_VALUE_REPRESENTATIONS:
            length, start = struct.unpack_from("<L", head, at + 8)[0], at + 12
        at = start + length
        values[element] = head[start : start + min(length, 64)].decode("ascii", "replace").strip("\0 ")
    return FileMeta(values.get(0x0010), values.get(0x0002), at)


@contextmanager
def dicom_errors() -> Iterator[None]:
    """Turn whatever pydicom raises into one sentence that quotes nothing of the file.

    Raises
    ------
    BadInput
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except (BadInput, KeyboardInterrupt, MemoryError):
            raise
        except Exception:
            # its errors and warnings quote element values, the patient's name among them
            raise BadInput(BAD_DICOM) from None


def read_dataset(
    source: Source,
    limits: Limits,
    keywords: Sequence[str | int],
    stop_when: Callable[[Any, str | None, int], bool] | None = None,
    watch: Callable[[BinaryIO], None] | None = None,
) -> "Dataset":
    """Read the named elements of a DICOM file, and no others: the patient's name never gets into memory as an element.

    Parameters
    ----------
    source : Source
        The file.
    limits : Limits
        Largest sizes.
    keywords : sequence of str or int
        Elements at the top level to read, by keyword or tag; sequences come whole.
    stop_when : callable, optional
        As pydicom's: called with tag, VR and length before each value.
    watch : callable, optional
        Given the stream that is read, before reading starts.

    Raises
    ------
    BadInput
    """
    _read_loose_numbers()
    from pydicom.filereader import read_partial

    tags = tags_of(tuple(keywords))
    meta = read_meta(source)
    if meta.transfer_syntax == DEFLATED:
        source = _inflate(source, meta, limits)
    with source.open() as stream, dicom_errors():
        counted = cast(BinaryIO, _CountedReads(stream))
        if watch is not None:
            watch(counted)
        dataset = read_partial(counted, stop_when, force=True, specific_tags=cast(Any, tags))
        _check_sequences(dataset)
        return dataset


@cache
def tags_of(keywords: tuple[str | int, ...]) -> list[int]:
    """Tags of elements, given by keyword or tag."""
    from pydicom.datadict import tag_for_keyword

    return [word if isinstance(word, int) else cast(int, tag_for_keyword(word)) for word in keywords]


@cache
def _read_loose_numbers() -> None:
    """Have pydicom take numbers for which it would refuse the file.

    Some exporters write "0,5" in a decimal string, and some the two whole numbers of a pixel's shape as 1.2 and 1.
    """
    from pydicom.hooks import hooks, raw_element_value

    def with_points(raw: Any, data: dict[str, Any], **more: Any) -> None:
        if raw.tag == _PIXEL_ASPECT_RATIO:
            data["VR"] = "DS"
        if data["VR"] == "DS" and isinstance(raw.value, bytes):
            raw = raw._replace(value=raw.value.replace(b",", b"."))
        raw_element_value(raw, data, **more)

    hooks.register_callback("raw_element_value", with_points)


def _check_sequences(dataset: "Dataset") -> None:
    """Refuse sequences of more bytes or items than so many frames have, before pydicom makes an object of each."""
    from pydicom.datadict import dictionary_VR

    frames = 0
    for tag, element in dataset.items():
        value = element.value
        if not isinstance(value, bytes) or tag >> 16 & 1 or dictionary_VR(tag) != "SQ":
            continue
        frames = frames or max(1, int(dataset.get("NumberOfFrames") or 1))
        items = max(value.count(_ITEM_LITTLE_ENDIAN), value.count(_ITEM_BIG_ENDIAN))
        too_long = len(value) > _SEQUENCE_BYTES + _SEQUENCE_BYTES_PER_FRAME * frames
        if too_long or items > _ITEMS + _ITEMS_PER_FRAME * min(frames, _MOST_FRAMES_WITH_ITEMS):
            raise BadInput(_TOO_LONG)


def _inflate(source: Source, meta: FileMeta, limits: Limits) -> Source:
    """Inflate a deflated data set under a limit: pydicom would inflate all of it at once."""
    explicit = struct.pack("<HH2sHL", 2, 0, b"UL", 4, 8 + len(_EXPLICIT_LITTLE_ENDIAN))
    explicit += struct.pack("<HH2sH", 2, 0x10, b"UI", len(_EXPLICIT_LITTLE_ENDIAN)) + _EXPLICIT_LITTLE_ENDIAN
    size = 0
    for part in _inflated_parts(source, meta):
        size += len(part)
        limits.check_expanded(size, source.size)
        count_unpacked(source, size)
        if size > _DEFLATED_BOMB_BYTES and size > BOMB_RATIO * source.size:
            raise BadInput(BOMB_MESSAGE)
    content = io.BytesIO()
    content.write(bytes(128) + b"DICM" + explicit)
    for part in _inflated_parts(source, meta):
        content.write(part)
    return Source.of_bytes(source.name, content.getvalue())


def _inflated_parts(source: Source, meta: FileMeta) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    with source.open() as stream:
        stream.seek(meta.length)
        packed = stream.read(MEGABYTE)
        while packed and not inflater.eof:
            spend()
            try:
                part = inflater.decompress(packed, MEGABYTE)
            except zlib.error:
                raise BadInput(DAMAGED) from None
            yield part
            packed = inflater.unconsumed_tail or stream.read(MEGABYTE)
    if not inflater.eof:
        raise BadInput(CUT_OFF)


class _CountedReads:
    """Stream that refuses to be read in too many tiny steps, as a header made of nothing but elements asks for."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._left = _MAX_READS
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, count: int = -1) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise BadInput(_TOO_LONG)
        return self._stream.read(count)
