"""Formats are told apart by content."""

import gzip
import struct

import nibabel as nib
import numpy as np
import pytest

from core.scans.sniff import Kind, sniff, sniff_source
from core.scans.sources import Source
from tests.core.scans.making import asymmetric, dicom_bytes, nifti_header, png, slice_at, zip_bytes

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR")


def big_endian_header():
    return nib.Nifti1Image(np.zeros((2, 3, 4), np.int16), np.eye(4)).header.as_byteswapped().binaryblock + bytes(8)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (nifti_header([3, 4, 5, 6]), Kind.NIFTI),
        (big_endian_header(), Kind.NIFTI),
        (nifti_header([3, 4, 5, 6], magic=b"ni1"), Kind.NIFTI_PAIR),
        (nifti_header([3, 4, 5, 6], magic=b""), Kind.ANALYZE),
        (nib.Nifti2Image(np.zeros((2, 3, 4), np.int16), np.eye(4)).header.binaryblock, Kind.NIFTI),
        (struct.pack(">6i", 1, 3, 4, 5, 1, 3) + bytes(300), Kind.MGH),
        (png(asymmetric((3, 4), np.uint8)), Kind.PNG),
        (b"\xff\xd8\xff\xe0" + bytes(99), Kind.JPEG),
        (b"MM\0*" + bytes(99), Kind.TIFF),
        (zip_bytes({"a": b"a"}), Kind.ZIP),
        (b"", Kind.EMPTY),
        (b"GIF89a", Kind.OTHER_IMAGE),
        (bytes(1000), Kind.UNKNOWN),
        (b"hello", Kind.UNKNOWN),
    ],
)
def test_the_first_bytes_say_what_a_file_is(content, kind):
    assert sniff(content[:1024]) is kind


def test_dicom_is_known_with_and_without_its_preamble():
    content = dicom_bytes(slice_at((0, 0, 0), asymmetric((4, 5))))
    assert sniff(content[:1024]) is Kind.DICOM
    assert sniff(content[128 + 4 :][:1024]) is Kind.DICOM


def test_a_wrapper_is_looked_into():
    packed = gzip.compress(nifti_header([3, 4, 5, 6]))
    assert sniff_source(Source.of_bytes("x", packed)) == (Kind.NIFTI, True)
    assert sniff_source(Source.of_bytes("x", packed[:11])) == (Kind.GZIP, True)
    assert sniff_source(Source.of_bytes("x", nifti_header([3, 4, 5, 6]))) == (Kind.NIFTI, False)
