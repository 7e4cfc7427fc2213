"""Files made to do harm, one function a kind."""

import gzip
import io
import struct

import numpy as np
from PIL import Image
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels import compress
from pydicom.uid import JPEG2000Lossless, RLELossless

from tests.core.scans.making import (
    asymmetric,
    compressed_by_gdcm,
    deflated_dicom,
    dicom,
    dicom_bytes,
    nifti_header,
    slice_at,
    zip_bytes,
)


def with_syntax(uid: str, frame: bytes = b"\0" * 100) -> bytes:
    data = slice_at((0, 0, 0), asymmetric((64, 64)))
    data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.50"
    data.PixelData = encapsulate([frame])
    data["PixelData"].is_undefined_length = True
    padded = [syntax.encode().ljust(24, b"\0") for syntax in ("1.2.840.10008.1.2.4.50", uid)]
    return dicom_bytes(data).replace(padded[0][:22], padded[1][:22])


def jpeg_2000_of(rows: int, columns: int) -> bytes:
    """Valid JPEG 2000 pixels under a header that gives another size: a decoder would believe the pixels."""
    data = slice_at((0, 0, 0), np.zeros((512, 512), np.uint16))
    compress(data, JPEG2000Lossless, generate_instance_uid=False)
    data.Rows, data.Columns = rows, columns
    return dicom_bytes(data)


def rle_of_nothing(rows: int, columns: int) -> bytes:
    data = slice_at((0, 0, 0), np.zeros((16, 16), np.uint16))
    compress(data, RLELossless, generate_instance_uid=False)
    data.Rows, data.Columns = rows, columns
    return dicom_bytes(data)


def wrong_byte_in_lossless_jpeg(offset: int, value: int) -> bytes:
    """A damaged frame on which GDCM aborts the process it runs in, or returns what is in memory."""
    data = compressed_by_gdcm(asymmetric((32, 40), np.uint16), "JPEGLosslessProcess14_1")
    frame = bytearray(get_frame(data.PixelData, 0, number_of_frames=1))
    frame[offset] = value
    data.PixelData = encapsulate([bytes(frame)])
    return dicom_bytes(data)


def panicking_rle() -> bytes:
    """Segments of another length than the frame needs, on which the RLE decoder panics."""
    data = slice_at((0, 0, 0), asymmetric((16, 16), np.uint16))
    frame = struct.pack("<16L", 2, 64, 66, *[0] * 13) + b"\x81\x00" + b"\x7f" + bytes(128) * 9
    data.file_meta.TransferSyntaxUID = RLELossless
    data.PixelData = encapsulate([frame])
    data["PixelData"].is_undefined_length = True
    return dicom_bytes(data)


def nested_sequences(depth: int) -> bytes:
    """Sequences of undefined length, one inside the other."""
    start = struct.pack("<HH2sHL", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    return dicom_bytes(dicom(None)) + start * depth


def million_empty_frames() -> bytes:
    """A deflated object that describes a million frames, in each of which nothing is said."""
    header = dicom(None, Rows=4, Columns=5, BitsAllocated=16, BitsStored=16, PixelRepresentation=0)
    items = struct.pack("<HHL", 0xFFFE, 0xE000, 0) * 2**20
    description = struct.pack("<HH2sHL", 0x5200, 0x9230, b"SQ", 0, len(items)) + items
    return deflated_dicom(header, description + struct.pack("<HH2sHL", 0x7FE0, 0x10, b"OW", 0, 40) + bytes(40))


def overlapping_zip() -> bytes:
    """A zip whose table of contents names the same compressed bytes 400 times."""
    body = zip_bytes({"a": bytes(2**20)})
    end = body.rfind(b"PK\x05\x06")
    start = struct.unpack_from("<L", body, end + 16)[0]
    entry = body[start:end]
    entries = b"".join(entry[:46] + f"{n:01x}"[-1:].encode() + entry[47:] for n in range(400))
    record = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 400, 400, len(entries), start, 0)
    return body[:start] + entries + record


def lying_zip() -> bytes:
    """A zip whose table of contents says that 50 MB are 5,000 bytes."""
    body = bytearray(zip_bytes({"a.nii": nifti_header([3, 10, 10, 25]) + bytes(50 * 2**20)}))
    end = body.rfind(b"PK\x05\x06")
    start = struct.unpack_from("<L", body, end + 16)[0]
    struct.pack_into("<L", body, start + 24, 5352)
    return bytes(body)


def zip_with_huge_contents() -> bytes:
    """A zip that announces a table of contents of 4 GB."""
    body = bytearray(zip_bytes({"a": b"a"}))
    end = body.rfind(b"PK\x05\x06")
    struct.pack_into("<L", body, end + 12, 0xFFFFFFF0)
    return bytes(body)


def encrypted_zip() -> bytes:
    body = bytearray(zip_bytes({"a.nii": b"secret"}))
    start = struct.unpack_from("<L", body, body.rfind(b"PK\x05\x06") + 16)[0]
    body[6] |= 1
    body[start + 8] |= 1
    return bytes(body)


ITEM = struct.pack("<HHL", 0xFFFE, 0xE000, 0)
ZEROS = np.zeros((1000, 500), np.int16)


def gzip_with_comment(megabytes: int) -> bytes:
    """A small volume behind a gzip comment of so many megabytes."""
    plain = gzip.compress(nifti_header([3, 4, 5, 6]) + bytes(240))
    return plain[:3] + b"\x10" + plain[4:10] + b"c" * (megabytes * 2**20) + b"\0" + plain[10:]


def item_of(elements: bytes) -> bytes:
    return struct.pack("<HHL", 0xFFFE, 0xE000, len(elements)) + elements


def empty_elements(count: int) -> bytes:
    return b"".join(struct.pack("<HH2sH", 0x0008 + 2 * (n >> 16), n & 0xFFFF, b"SH", 0) for n in range(count))


def described_by(items: bytes, element: int = 0x9229, frames: int = 1) -> bytes:
    """A small image whose frames are described by a sequence of `items`."""
    content = dicom_bytes(dicom(asymmetric((4, 5)), NumberOfFrames=frames))
    at = content.find(struct.pack("<HH", 0x7FE0, 0x10))
    return content[:at] + struct.pack("<HH2sHL", 0x5200, element, b"SQ", 0, len(items)) + items + content[at:]


def jpeg_of_another_size(rows: int, columns: int) -> bytes:
    """Four pixels under a header that gives another size: the decoder fills the rest with grey."""
    written = io.BytesIO()
    Image.new("L", (4, 4), 128).save(written, "JPEG")
    content = bytearray(written.getvalue())
    struct.pack_into(">HH", content, content.find(b"\xff\xc0") + 5, rows, columns)
    return bytes(content)


def flat_jpeg(rows: int, columns: int) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (columns, rows), (10, 20, 30)).save(written, "JPEG")
    return written.getvalue()


def series_of_zeros(number: int) -> bytes:
    return dicom_bytes(dicom(np.zeros((30, 1000, 1000), np.int16), SeriesInstanceUID=f"1.2.3.{number}"))


def cut(content: bytes, share: float = 0.5) -> bytes:
    return content[: int(len(content) * share)]


def flipped(content: bytes, share: float = 0.5) -> bytes:
    changed = bytearray(content)
    changed[int(len(content) * share)] ^= 0x10
    return bytes(changed)
