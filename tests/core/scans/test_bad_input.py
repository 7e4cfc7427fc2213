"""Files that are broken or made to do harm: each is refused in one sentence, soon, in little memory, leaving nothing.

All of them are read by one subprocess that forks for each file (`measuring.py`), so that seconds and megabytes are the
reader's own.
"""

import gzip
import json
import os
import re
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels import compress
from pydicom.sequence import Sequence
from pydicom.uid import JPEG2000Lossless, RLELossless

from tests.core.scans.making import (
    NAME,
    asymmetric,
    compressed_by_gdcm,
    deflated_dicom,
    dicom,
    dicom_bytes,
    gzip_of_zeros,
    nifti,
    nifti_header,
    png,
    png_bomb,
    slice_at,
    zip_bytes,
    zip_with_link,
)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

MAX_SECONDS = 2.0
MAX_MEGABYTES = 300
PLAIN = slice_at((0, 0, 0), asymmetric((64, 64)))


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


def cut(content: bytes, share: float = 0.5) -> bytes:
    return content[: int(len(content) * share)]


def flipped(content: bytes, share: float = 0.5) -> bytes:
    changed = bytearray(content)
    changed[int(len(content) * share)] ^= 0x10
    return bytes(changed)


NIFTI_GZ = gzip.compress(nifti_header([3, 64, 64, 64]) + np.random.default_rng(0).bytes(64**3 * 2))
UNCOMPRESSED_VOLUME = nifti_header([3, 20, 20, 20]) + bytes(20**3 * 2)

#: name of the file → (what makes its bytes, words of the sentence that refuses it)
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "truncated.nii.gz": (lambda: cut(NIFTI_GZ), "ends too early"),
    "bit flipped.nii.gz": (lambda: flipped(NIFTI_GZ), "damaged"),
    "wrong checksum.nii.gz": (lambda: flipped(NIFTI_GZ, 1 - 6 / len(NIFTI_GZ)), "damaged"),
    "wrong magic.nii.gz": (lambda: flipped(NIFTI_GZ, 0), "not an image"),
    "gzip header only.nii.gz": (lambda: NIFTI_GZ[:10], "damaged"),
    "truncated.nii": (lambda: cut(UNCOMPRESSED_VOLUME), "asks for"),
    "18 GB in 400 bytes.nii": (lambda: nifti_header([3, 2100, 2100, 2100]) + bytes(48), "asks for 18.5 GB"),
    "18 GB in 400 bytes.nii.gz": (lambda: gzip.compress(nifti_header([3, 2100, 2100, 2100]) + bytes(48)), "asks for"),
    "3 GB in 400 bytes.nii.gz": (lambda: gzip.compress(nifti_header([3, 900, 900, 900], 16, 32)), "cannot hold"),
    "largest numbers.nii": (lambda: nifti_header([3, 32767, 32767, 32767], 1792, 128), "GB"),
    "7D largest.nii": (lambda: nifti_header([7, *[32767] * 7], 1792, 128), "axes"),
    "1000 to 1, honest header.nii.gz": (
        lambda: gzip_of_zeros(140, nifti_header([3, 1000, 1000, 70])),
        "decompression bomb",
    ),
    "1000 to 1 behind a small header.nii.gz": (lambda: gzip_of_zeros(140, nifti_header([3, 4, 5, 6])), "far more than"),
    "1000 to 1 before the samples.nii.gz": (
        lambda: gzip_of_zeros(140, nifti_header([3, 4, 5, 6], vox_offset=1.4e8)),
        "bomb",
    ),
    "zeros.gz": (lambda: gzip_of_zeros(140), "not an image"),
    "gzip in gzip.nii.gz": (lambda: gzip.compress(NIFTI_GZ), "damaged|not an image"),
    "zero size.nii": (lambda: nifti_header([3, 0, 5, 6]), "size of zero"),
    "negative size.nii": (lambda: nifti_header([3, -4, 5, 6]) + bytes(999), "size of zero"),
    "no axes.nii": (lambda: nifti_header([0, 4, 5, 6]) + bytes(999), "number of axes"),
    "5D.nii": (lambda: nifti_header([5, 3, 4, 5, 2, 2]) + bytes(999), "5 axes"),
    "list of numbers.nii": (lambda: nifti_header([1, 100]) + bytes(999), "list of numbers"),
    "unknown type.nii": (lambda: nifti_header([3, 4, 5, 6], datatype=77) + bytes(999), "type that is not read"),
    "bits.nii": (lambda: nifti_header([3, 4, 5, 6], datatype=1, bitpix=1) + bytes(999), "type that is not read"),
    "offset beyond.nii": (lambda: nifti_header([3, 4, 5, 6], vox_offset=1e9) + bytes(999), "asks for"),
    "offset is no number.nii": (lambda: nifti_header([3, 4, 5, 6], vox_offset=np.nan) + bytes(999), "makes no sense"),
    "only NaN.nii": (
        lambda: nifti_header([3, 4, 5, 6], 16, 32) + np.full(120, np.nan, np.float32).tobytes(),
        "Not one voxel",
    ),
    "header only.hdr": (lambda: nifti_header([3, 4, 5, 6], magic=b"ni1"), r"give the \.img"),
    "header only.nii": (lambda: nifti_header([3, 4, 5, 6])[:200], "not an image"),
    "cifti.dconn.nii": (lambda: nifti_header([3, 4, 5, 6], intent_code=3001) + bytes(999), "CIFTI"),
    "surface.pial": (lambda: b"\xff\xff\xfecreated by me\n\n" + bytes(99), "surface"),
    "surface.gii": (lambda: b'<?xml version="1.0"?><!DOCTYPE GIFTI><GIFTI Version="1.0">', "surface"),
    "absurd.mgh": (lambda: struct.pack(">6i", 1, 30000, 30000, 30000, 1, 3) + bytes(400), "GB"),
    "zero.mgh": (lambda: struct.pack(">6i", 1, 3, 0, 3, 1, 3) + bytes(400), "size of zero"),
    "zip slip.zip": (lambda: zip_bytes({"../../evil.nii": UNCOMPRESSED_VOLUME}), "points outside"),
    "zip slip on Windows.zip": (lambda: zip_bytes({"..\\..\\evil.nii": UNCOMPRESSED_VOLUME}), "points outside"),
    "absolute.zip": (lambda: zip_bytes({"/etc/evil.nii": UNCOMPRESSED_VOLUME}), "absolute"),
    "drive.zip": (lambda: zip_bytes({"C:\\evil.nii": UNCOMPRESSED_VOLUME}), "absolute"),
    "link.zip": (lambda: zip_with_link("scan.nii", "/etc/passwd"), "link"),
    "1000 to 1.zip": (lambda: zip_bytes({"a.dcm": bytes(200 * 2**20)}), "decompression bomb"),
    "many small bombs.zip": (
        lambda: zip_bytes({f"{n}.dcm": bytes(10 * 2**20) for n in range(16)}),
        "decompression bomb",
    ),
    "overlapping.zip": (lambda: overlapping_zip(), "bomb|damaged"),
    "lying.zip": (lambda: lying_zip(), "damaged"),
    "huge contents.zip": (lambda: zip_with_huge_contents(), "table of contents"),
    "encrypted.zip": (lambda: encrypted_zip(), "password"),
    "zip in zip.zip": (lambda: zip_bytes({"inner.zip": zip_bytes({"a.nii": UNCOMPRESSED_VOLUME})}), "zip inside"),
    "empty.zip": (lambda: zip_bytes({}), "no file in it"),
    "no images.zip": (lambda: zip_bytes({"a.txt": b"hello", "b.txt": b"you"}), "not an image"),
    "truncated.zip": (lambda: cut(zip_bytes({"a.nii": UNCOMPRESSED_VOLUME}), 0.7), "ends too early"),
    "bzip2.zip": (lambda: zip_bytes({"a.nii": UNCOMPRESSED_VOLUME}, zipfile.ZIP_BZIP2), "unusual"),
    "wrong content.zip": (
        lambda: flipped(zip_bytes({"a.nii": UNCOMPRESSED_VOLUME}, zipfile.ZIP_STORED), 0.5),
        "damaged",
    ),
    "report.dcm": (lambda: dicom_bytes(dicom(None, Modality="SR")), "a report"),
    "contours.dcm": (lambda: dicom_bytes(dicom(None, Modality="RTSTRUCT")), "contours"),
    "curve.dcm": (lambda: dicom_bytes(dicom(None, Modality="ECG")), "recorded curve"),
    "named.dcm": (lambda: dicom_bytes(dicom(None, Modality="OT")), "without an image"),
    "video.dcm": (lambda: with_syntax("1.2.840.10008.1.2.4.102"), "transfer syntax"),
    "unknown syntax.dcm": (lambda: with_syntax("1.2.3.4.5"), "transfer syntax"),
    "rubbish JPEG.dcm": (lambda: with_syntax("1.2.840.10008.1.2.4.50", b"\xff\xd8\xff" + bytes(99)), "damaged"),
    "rubbish JPEG 2000.dcm": (lambda: with_syntax(JPEG2000Lossless, bytes(99)), "damaged"),
    "rubbish JPEG-LS.dcm": (lambda: with_syntax("1.2.840.10008.1.2.4.80", bytes(99)), "damaged"),
    "decoder aborts.dcm": (lambda: wrong_byte_in_lossless_jpeg(15, 0), "compressed pixels .* damaged"),
    "no bits in JPEG.dcm": (lambda: wrong_byte_in_lossless_jpeg(6, 0), "compressed pixels .* damaged"),
    "wrong RLE.dcm": (panicking_rle, "compressed pixels .* damaged"),
    "truncated.dcm": (lambda: dicom_bytes(PLAIN)[:-10], "ends too early"),
    "truncated header.dcm": (lambda: dicom_bytes(PLAIN)[:300], "no pixels|damaged|ends too early"),
    "absurd size.dcm": (lambda: dicom_bytes(slice_at((0, 0, 0), asymmetric((4, 5)), Rows=65535, Columns=65535)), "GB"),
    "large size.dcm": (
        lambda: dicom_bytes(slice_at((0, 0, 0), asymmetric((4, 5)), Rows=30000, Columns=30000)),
        "too early",
    ),
    "no size.dcm": (lambda: dicom_bytes(slice_at((0, 0, 0), asymmetric((4, 5)), Rows=0)), "size of zero"),
    "absurd frames.dcm": (
        lambda: dicom_bytes(dicom(asymmetric((2, 4, 5)), NumberOfFrames=2147483647)),
        "number of frames",
    ),
    "many frames.dcm": (lambda: dicom_bytes(dicom(asymmetric((2, 4, 5)), NumberOfFrames=90000)), "too early"),
    "negative frames.dcm": (lambda: dicom_bytes(dicom(asymmetric((2, 4, 5)), NumberOfFrames=-3)), "number of frames"),
    "frames of another number.dcm": (
        lambda: dicom_bytes(dicom(asymmetric((2, 4, 5)), PerFrameFunctionalGroupsSequence=Sequence([Dataset()] * 3))),
        "another number of frames",
    ),
    "other size inside.dcm": (lambda: jpeg_2000_of(64, 64), "another size"),
    "JPEG 2000 bomb.dcm": (lambda: jpeg_2000_of(20000, 20000), "bomb|another size"),
    "RLE bomb.dcm": (lambda: rle_of_nothing(10000, 6000), "damaged"),
    "nested.dcm": (lambda: nested_sequences(50_000), "damaged"),
    "1000 to 1 deflated.dcm": (lambda: deflated_dicom(dicom(None), bytes(100 * 2**20)), "bomb"),
    "deflated elements.dcm": (lambda: deflated_dicom(dicom(None), bytes(30 * 2**20)), "too long|damaged"),
    "deflated description of frames.dcm": (
        million_empty_frames,
        "too long",
    ),
    "deflated, cut.dcm": (lambda: cut(deflated_dicom(PLAIN), 0.8), "ends too early"),
    "DICOMDIR": (lambda: dicom_bytes(dicom(None, SOPClassUID="1.2.840.10008.1.3.10")), "without an image|DICOMDIR"),
    "bomb.png": (lambda: png_bomb(12_000, 12_000), "million pixels"),
    "smaller bomb.png": (lambda: png_bomb(20_000, 6_000), "million pixels"),
    "absurd.png": (
        lambda: png(np.zeros((4, 5), np.uint8))[:16] + struct.pack(">LL", 2**31 - 1, 2**31 - 1) + bytes(99),
        "million|damaged",
    ),
    "cut.png": (lambda: cut(png(np.random.default_rng(0).integers(0, 255, (99, 99), np.uint8))), "damaged"),
    "looping.tif": (lambda: b"II*\0" + struct.pack("<LHLL", 8, 0, 8, 8) + bytes(50), "damaged"),
    "text.nii": (lambda: NAME.encode() * 20, "not an image"),
    "page.html": (lambda: b"<html><script>alert(1)</script></html>", "not an image"),
    "pickle.npy": (lambda: b"\x93NUMPY\x01\0" + bytes(99), "not an image"),
    "empty.nii": (lambda: b"", "empty"),
    "vector.gif": (lambda: b"GIF89a" + bytes(99), "not read: save it as PNG"),
    "archive.tar": (lambda: bytes(257) + b"ustar" + bytes(300), "archive"),
}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Every file above, and some things that are no files, read in a process that watches itself."""
    folder = tmp_path_factory.mktemp("bad")
    paths = []
    for name, (content, _) in REFUSED.items():
        (folder / name).write_bytes(content())
        paths.append(folder / name)
    os.mkfifo(folder / "pipe.nii")
    (folder / "nothing").mkdir()
    paths += [folder / "pipe.nii", folder / "nothing", Path("/dev/zero"), folder / "missing.nii"]
    here, temporary = folder / "here", folder / "temporary"
    here.mkdir()
    temporary.mkdir()
    before = sorted(folder.rglob("*"))
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("measuring.py")), *map(str, paths)],
        capture_output=True,
        text=True,
        cwd=here,
        timeout=250,
        check=True,
        env={**os.environ, "TMPDIR": str(temporary), "HOME": str(here)},
    )
    results = {Path(row["path"]).name: row for row in map(json.loads, done.stdout.splitlines())}
    assert len(results) == len(paths), done.stderr
    assert sorted(folder.rglob("*")) == before, "reading wrote something"
    assert "Sm1th" not in done.stdout + done.stderr
    return results


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_refused_with_one_sentence_in_two_seconds_and_300_megabytes(name, measured):
    row = measured[name]
    assert "refused" in row, row
    assert re.search(REFUSED[name][1], row["refused"]), row["refused"]
    check_cost(row)


def check_cost(row):
    sentence = row["refused"]
    assert sentence.endswith(".")
    assert ":" in sentence, "what is wrong, and what to do"
    assert "\n" not in sentence
    assert row["seconds"] < MAX_SECONDS
    assert row["megabytes"] < MAX_MEGABYTES


@pytest.mark.parametrize(
    ("name", "words"),
    [("pipe.nii", "pipe"), ("zero", "pipe"), ("nothing", "no file in it"), ("missing.nii", "check the spelling")],
)
def test_what_is_no_file_is_refused_without_being_opened(name, words, measured):
    assert words in measured[name]["refused"]
    check_cost(measured[name])


def test_an_empty_mask_shrinks_a_thousand_times_and_is_no_bomb(tmp_path):
    from core.scans import load_scan

    path = tmp_path / "mask.nii.gz"
    path.write_bytes(gzip.compress(nifti_header([3, 181, 217, 181], 2, 8) + bytes(181 * 217 * 181), mtime=0))
    assert path.stat().st_size < 8000
    assert load_scan(path).shape == (181, 217, 181)


def test_a_bomb_is_a_bomb_in_a_pair_too(tmp_path):
    from core.errors import BadInput
    from core.scans import load_scan

    nib.Nifti1Pair(np.zeros((4, 5, 6), np.int16), np.eye(4)).to_filename(tmp_path / "pair.img")
    (tmp_path / "pair.img").unlink()
    (tmp_path / "pair.img.gz").write_bytes(gzip_of_zeros(64))
    with pytest.raises(BadInput, match="far more than"):
        load_scan(tmp_path / "pair.hdr")


def test_the_limits_of_the_settings_hold(tmp_path, monkeypatch):
    from core.errors import BadInput
    from core.scans import load_scan
    from core.settings import settings

    monkeypatch.setenv("LIGHTBOX_UPLOAD_LIMIT_MB", "1")
    settings.cache_clear()
    try:
        large = nifti(tmp_path / "large.nii", np.zeros((128, 128, 80), np.int16))
        with pytest.raises(BadInput, match="LIGHTBOX_UPLOAD_LIMIT_MB"):
            load_scan(large)
        packed = tmp_path / "packed.nii.gz"
        packed.write_bytes(np.random.default_rng(0).bytes(3 * 2**20))
        with pytest.raises(BadInput):
            load_scan(packed)
    finally:
        monkeypatch.undo()
        settings.cache_clear()
