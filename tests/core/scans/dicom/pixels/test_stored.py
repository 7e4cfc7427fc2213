"""Stored values are found in whichever bits of a word they lie, and padding among them whatever its sign."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from core.scans import load_scan
from core.scans.dicom.pixels.stored import Bits, Padding
from tests.core.scans.making import asymmetric, dicom, save, slice_at
from tests.shared import SHARED_DATA

CASES = SHARED_DATA / "public_cases"


@st.composite
def layouts(draw):
    allocated = draw(st.sampled_from([8, 16, 32]))
    stored = draw(st.integers(1, allocated))
    return Bits(allocated, stored, draw(st.integers(stored - 1, allocated - 1)), draw(st.booleans()))


@given(layouts(), st.data())
def test_a_value_is_found_whatever_the_other_bits_hold(bits, data):
    value = data.draw(st.integers(bits.lowest, bits.highest))
    around = data.draw(st.integers(0, 2**bits.allocated - 1))
    mask = (2**bits.stored - 1) << bits.shift
    word = (value % 2**bits.stored) << bits.shift | around & ~mask
    words = np.array([[word, 2**bits.allocated - 1]], dtype=f"u{bits.allocated // 8}")
    assert bits.values(words)[0, 0] == value


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(("stored", "high"), [(12, 15), (12, 11), (10, 14), (8, 15), (16, 15)])
def test_the_high_bit_says_where_the_value_lies(stored, high, signed, tmp_path):
    lowest = -(2 ** (stored - 1)) if signed else 0
    values = lowest + np.linspace(0, 2**stored - 1, 20).astype(np.int64).reshape(4, 5)
    words = ((values % 2**stored) << (high + 1 - stored)).astype(np.uint16)
    data = dicom(words, BitsStored=stored, HighBit=high, PixelRepresentation=int(signed))
    np.testing.assert_array_equal(load_scan(save(data, tmp_path / "a.dcm")).array[0], values)


def test_a_header_that_names_the_wrong_bits_is_refused(tmp_path):
    data = dicom(asymmetric((4, 5), np.uint16), BitsStored=12, HighBit=15)
    with pytest.raises(BadInput, match="upper bits"):
        load_scan(save(data, tmp_path / "a.dcm"))


def test_bits_above_the_value_are_left_out_and_that_is_said(tmp_path):
    """An overlay of old files, or a header that names too few bits: nobody can tell from the pixels."""
    words = asymmetric((4, 5), np.uint16)
    words[0] |= 0x3000
    scan = load_scan(save(slice_at((0, 0, 0), words, BitsStored=12, HighBit=11), tmp_path / "a.dcm"))
    np.testing.assert_array_equal(scan.array[0], asymmetric((4, 5)))
    assert len(scan.notes) == 1
    assert "25% of the pixels have bits set above" in scan.notes[0]


@pytest.mark.parametrize("extended", [False, True])
def test_a_sign_that_is_repeated_above_the_value_or_not_is_nothing_to_speak_of(extended, tmp_path):
    values = asymmetric((4, 5), np.int16) - np.int16(10)
    words = values if extended else (values & 0xFFF).astype(np.int16)
    scan = load_scan(save(slice_at((0, 0, 0), words, BitsStored=12, HighBit=11), tmp_path / "a.dcm"))
    np.testing.assert_array_equal(scan.array[0], values)
    assert scan.notes == ()


def test_an_impossible_high_bit_is_not_used(tmp_path):
    data = dicom(asymmetric((4, 5), np.uint16) + 4000, BitsStored=12, HighBit=7)
    np.testing.assert_array_equal(load_scan(save(data, tmp_path / "a.dcm")).array[0], asymmetric((4, 5)) + 4000)


@pytest.mark.skipif(not CASES.is_dir(), reason="the shared test images are not there")
def test_the_public_file_of_12_bits_under_bit_15_is_read_as_stored_over_16():
    scan = load_scan(CASES / "dcm-high-bit-15-of-12/a.dcm")
    assert (scan.array.min(), scan.array.max(), scan.units) == (0, 51040 >> 4, None)
    assert scan.array[0, 0, :3].tolist() == [0, 10, 20]


@pytest.mark.parametrize(
    ("bits", "written", "stored"),
    [
        (Bits(16, 16, 15, True), 63536, -2000),  # as US, though pixels are signed
        (Bits(16, 16, 15, True), -2000, -2000),
        (Bits(16, 12, 11, True), -2000, -2000),
        (Bits(16, 12, 11, True), 2096, -2000),  # the 12 bits of -2000
        (Bits(16, 16, 15, False), -1, 65535),  # as SS, though pixels are not signed
        (Bits(16, 16, 15, False), 0, 0),
        (Bits(8, 8, 7, False), 255, 255),
    ],
)
def test_padding_has_the_sign_of_the_pixels(bits, written, stored):
    assert Padding.of({"PixelPaddingValue": written}, bits) == Padding(stored, stored)


def test_padding_outside_the_range_of_values_is_found_in_whole_words():
    bits = Bits(16, 12, 11, False)
    words = np.array([[63536, 63536 % 4096, 5]], dtype=np.uint16)
    values = bits.values(words)
    assert Padding(63536, 63536).among(values, bits, words).tolist() == [[True, False, False]]


@pytest.mark.parametrize("ends", [(-3, 2), (2, -3)])
def test_a_padding_range_has_both_its_ends(ends):
    bits = Bits(16, 16, 15, True)
    padding = Padding.of({"PixelPaddingValue": ends[0], "PixelPaddingRangeLimit": ends[1]}, bits)
    assert padding.among(np.array([-4, -3, 0, 2, 3]), bits).tolist() == [False, True, True, True, False]


def test_padding_of_floats_is_a_float():
    data = {"FloatPixelPaddingValue": -1e30, "FloatPixelPaddingRangeLimit": -1e20}
    bits = Bits(32, 32, 31, False)
    assert Padding.of(data, bits).among(np.array([-1e25, 0.0]), bits).tolist() == [True, False]
