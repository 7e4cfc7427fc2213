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
from pydicom.sequence import Sequence
from pydicom.uid import JPEG2000Lossless

from tests.core.scans.hostile import (
    ITEM,
    ZEROS,
    cut,
    described_by,
    empty_elements,
    encrypted_zip,
    flat_jpeg,
    flipped,
    gzip_with_comment,
    item_of,
    jpeg_2000_of,
    jpeg_of_another_size,
    lying_zip,
    million_empty_frames,
    nested_sequences,
    overlapping_zip,
    panicking_rle,
    rle_of_nothing,
    series_of_zeros,
    with_syntax,
    wrong_byte_in_lossless_jpeg,
    zip_with_huge_contents,
)
from tests.core.scans.making import (
    NAME,
    asymmetric,
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
    "60 MB of comment.nii.gz": (lambda: gzip_with_comment(60), "comment of more than 64 kB"),
    "comment without end.nii.gz": (lambda: gzip_with_comment(30)[: 2**20], "comment of more than 64 kB"),
    "comment of the second member.nii.gz": (
        lambda: gzip.compress(nifti_header([3, 40, 50, 60])) + gzip_with_comment(30),
        "comment of more than 64 kB",
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
    "series packed each for itself.zip": (
        lambda: zip_bytes({f"{n}.dcm.gz": gzip.compress(series_of_zeros(n)) for n in range(6)}, zipfile.ZIP_STORED),
        "decompression bomb",
    ),
    "series deflated each for itself.zip": (
        lambda: zip_bytes({f"{n}.dcm": deflated_dicom(dicom(ZEROS)) for n in range(400)}, zipfile.ZIP_STORED),
        "decompression bomb",
    ),
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
    "empty items.dcm": (lambda: described_by(ITEM * 2**18), "header is too long"),
    "few empty items too many.dcm": (lambda: described_by(ITEM * 5000), "header is too long"),
    "empty elements.dcm": (lambda: described_by(item_of(empty_elements(2**18 + 2**17))), "header is too long"),
    "empty items of frames.dcm": (lambda: described_by(ITEM * 2**18, 0x9230, frames=30_000), "header is too long"),
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
    "four pixels as 100 million.jpg": (lambda: jpeg_of_another_size(9999, 9999), "cannot hold that many"),
    "four pixels as 1 million.jpg": (lambda: jpeg_of_another_size(1000, 1000), "cannot hold that many"),
    "coloured, flat, 90 million.jpg": (lambda: flat_jpeg(9500, 9500), r"2\.2 GB of memory and the limit for"),
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
