"""A picture's grey levels reach a model by the full scale that its file means, and other numbers as they are."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.errors import BadInput
from core.models.card import Intensity
from core.models.intensities import meet_intensity
from core.scans import list_series, load_scan
from core.scans.pictures.depth import Depth, grey_level_bits
from tests.core.scans.making import png, write_colour_png
from tests.shared import SHARED_DATA

NETWORK = Intensity(low=0, high=1)


def fed(scan):
    """What a network of 0..1 gets, and what is said of it."""
    met = meet_intensity(scan, NETWORK)
    return scan.array * met.gain + met.offset, met.warnings


def with_significant_bits(content, bits, channels=1):
    """A PNG with an sBIT chunk behind its header."""
    body = b"sBIT" + bytes([bits] * channels)
    chunk = struct.pack(">L", channels) + body + struct.pack(">L", zlib.crc32(body))
    return content[:33] + chunk + content[33:]


def packed_tiff(values, bits=12, order="<", photometric=1, rows_per_strip=5):
    """TIFF of samples that fill no whole bytes: the upper bits first, every row from a new byte on, in strips."""
    rows, columns = values.shape
    single = ((values[..., None] >> np.arange(bits - 1, -1, -1)) & 1).reshape(rows, -1).astype(np.uint8)
    packed = np.packbits(single, axis=1)
    strips = [packed[first : first + rows_per_strip].tobytes() for first in range(0, rows, rows_per_strip)]
    starts = np.cumsum([8, *map(len, strips)])
    lists = struct.pack(f"{order}{len(strips)}L", *starts[:-1]) + struct.pack(
        f"{order}{len(strips)}L", *map(len, strips)
    )
    shorts = {256: columns, 257: rows, 258: bits, 259: 1, 262: photometric, 277: 1, 278: rows_per_strip}
    longs = {273: starts[-1], 279: starts[-1] + 4 * len(strips)}
    entries = [struct.pack(f"{order}HHLHH", tag, 3, 1, value, 0) for tag, value in shorts.items()]
    entries += [struct.pack(f"{order}HHLL", tag, 4, len(strips), place) for tag, place in longs.items()]
    entries.sort(key=lambda entry: struct.unpack(f"{order}H", entry[:2]))
    directory = struct.pack(f"{order}H", len(entries)) + b"".join(entries) + bytes(4)
    start = b"II*\0" if order == "<" else b"MM\0*"
    return start + struct.pack(f"{order}L", starts[-1] + len(lists)) + b"".join(strips) + lists + directory


def ramp(bits, shape=(12, 20)):
    """Grey levels from 0 to the full scale of `bits`, both included."""
    return np.linspace(0, 2**bits - 1, np.prod(shape)).round().astype(np.uint16).reshape(shape)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("photometric", [1, 0])
@pytest.mark.parametrize("bits", [3, 10, 12, 14])
def test_packed_bits_of_a_tiff_have_their_own_full_scale(bits, photometric, order, tmp_path):
    stored = ramp(bits, (12, 21))
    (tmp_path / "a.tif").write_bytes(packed_tiff(stored, bits, order, photometric))
    scan = load_scan(tmp_path / "a.tif")
    np.testing.assert_array_equal(scan.array[0], stored if photometric else 2**bits - 1 - stored)
    assert scan.units == f"{bits}-bit"
    assert bool(scan.notes) == (photometric == 0)
    values, warnings = fed(scan)
    assert (values.min(), values.max(), warnings) == (0, 1, ())


@pytest.mark.parametrize("bits", [9, 10, 12, 14, 15])
@pytest.mark.parametrize("format", ["png", "tif"])
def test_fewer_bits_in_sixteen_that_the_file_names_are_its_full_scale(format, bits, tmp_path):
    stored = ramp(bits)
    path = tmp_path / f"a.{format}"
    if format == "png":
        path.write_bytes(with_significant_bits(png(stored), bits))
    else:
        tifffile.imwrite(path, stored, extratags=[(281, "H", 1, 2**bits - 1, True)])
    scan = load_scan(path)
    np.testing.assert_array_equal(scan.array[0], stored)
    assert scan.units == f"{bits}-bit"
    values, warnings = fed(scan)
    assert (values.max(), warnings) == (pytest.approx(1), ())


@pytest.mark.parametrize("bits", [9, 10, 12, 14, 15])
@pytest.mark.parametrize("repeated", [True, False], ids=["bits repeated", "zeros"])
def test_samples_that_were_scaled_up_as_the_png_standard_says_keep_all_sixteen(repeated, bits, tmp_path):
    significant = ramp(bits)
    stored = significant << (16 - bits)
    if repeated:
        stored |= significant >> (2 * bits - 16)
    for share in (1, 16):  # all of it, and a dark picture
        dark = np.where(significant < 2**bits // share, stored, 0).astype(np.uint16)
        (tmp_path / "a.png").write_bytes(with_significant_bits(png(dark), bits))
        scan = load_scan(tmp_path / "a.png")
        assert scan.units == "16-bit"
        np.testing.assert_array_equal(scan.array[0], dark)


@given(bits=st.integers(4, 15), spare=st.integers(1, 8), data=st.data())
def test_which_of_the_two_it_is_is_told_by_the_values(bits, spare, data):
    depth = Depth(bits + spare, bits)
    levels = np.array(data.draw(st.lists(st.integers(0, 2**bits - 1), min_size=4, max_size=30)))
    as_they_are = np.append(levels, (1 << spare) + 1 if (1 << spare) + 1 < 2**bits else 1)
    assert grey_level_bits(as_they_are, depth) == bits or (as_they_are % (1 << spare) <= (as_they_are >> bits)).all()
    scaled = (levels << spare) | (levels >> max(bits - spare, 0) if bits >= spare else 0)
    if scaled.any():
        assert grey_level_bits(scaled, depth) in ((bits + spare,) if scaled.max() >= 2**bits else (bits, bits + spare))


@pytest.mark.parametrize("bits", [8, 10, 12, 14])
@pytest.mark.parametrize("format", ["png", "tif"])
def test_fewer_bits_that_the_file_does_not_name_are_warned_of(format, bits, tmp_path):
    Image.fromarray(ramp(bits)).save(tmp_path / f"a.{format}")
    scan = load_scan(tmp_path / f"a.{format}")
    assert scan.units == "16-bit"
    values, warnings = fed(scan)
    assert values.max() < 0.26
    assert len(warnings) == 1
    assert f"above {2**bits - 1}, as if it held {bits} bits" in warnings[0]


@pytest.mark.parametrize(
    ("dtype", "brightest"), [(np.uint16, 65535), (np.uint16, 17000), (np.uint8, 20), (np.uint8, 255)]
)
def test_a_picture_of_its_own_full_scale_is_not_warned_of(dtype, brightest, tmp_path):
    Image.fromarray(np.linspace(0, brightest, 240).astype(dtype).reshape(12, 20)).save(tmp_path / "a.png")
    assert fed(load_scan(tmp_path / "a.png"))[1] == ()


NUMBERS = {
    "i1": [-128, -1, 0, 127],
    "i2": [-32768, -5, 0, 32767],
    "i4": [-(2**23), -1, 0, 2**24],
    "i8": [-(2**23), -1, 0, 2**24],
    "u4": [0, 1, 2**31, 2**32 - 2**8],
    "u8": [0, 1, 2**31, 2**40],
    "f2": [-2.5, 0, 0.25, 1024],
    "f4": [-2.5, 0, 0.1, 1e20],
    "f8": [-2.5, 0, 0.1, 1e20],
}


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("dtype", NUMBERS)
def test_numbers_of_a_tiff_are_what_they_are(dtype, compression, photometric, order, tmp_path):
    stored = np.array(NUMBERS[dtype] * 6).astype(order + dtype).reshape(4, 6)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric=photometric, byteorder=order, compression=compression)
    scan = load_scan(tmp_path / "a.tif")
    np.testing.assert_array_equal(scan.array[0], stored.astype(np.float32))
    assert scan.units is None
    assert list_series(tmp_path / "a.tif")[0].shape == (4, 6)
    # quantities keep their values, whichever end is meant to be bright
    assert [note for note in scan.notes if "White" not in note] == []
    assert bool(scan.notes) == (photometric == "miniswhite")
    assert any("lie outside" in warning for warning in fed(scan)[1])


@pytest.mark.parametrize("dtype", ["f8", "u4", "i1"])
def test_pages_of_numbers_are_read_one_by_one(dtype, tmp_path):
    pages = np.arange(3 * 4 * 6).reshape(3, 4, 6).astype(f">{dtype}")
    tifffile.imwrite(tmp_path / "a.tif", pages, byteorder=">", photometric="minisblack")
    np.testing.assert_array_equal(load_scan(tmp_path / "a.tif", volume=2).array[0], pages[2])
    assert list_series(tmp_path / "a.tif")[0].volumes == 3
    with pytest.raises(BadInput, match="no page 3"):
        load_scan(tmp_path / "a.tif", volume=3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_numbers_are_turned_as_grey_levels_are(dtype, orientation, tmp_path):
    stored = np.arange(15.0).reshape(3, 5)
    found = []
    for kind in (dtype, "u1"):
        path = tmp_path / f"{kind}.tif"
        tag = [(274, "H", 1, orientation, True)]
        tifffile.imwrite(path, stored.astype(kind), extratags=tag, photometric="minisblack")
        found.append(load_scan(path).array)
        assert list_series(path)[0].shape == found[-1].shape[1:]
    np.testing.assert_array_equal(*found)


def test_colour_of_sixteen_bits_with_hardly_anything_in_the_upper_ones_is_refused(tmp_path):
    colours = np.dstack([ramp(12)] * 2 + [ramp(11)])
    with pytest.raises(BadInput, match="lowest 12"):
        load_scan(write_colour_png(tmp_path / "a.png", colours))
    # a TIFF keeps all bits, and the model warns that there may be fewer
    tifffile.imwrite(tmp_path / "a.tif", colours, photometric="rgb")
    scan = load_scan(tmp_path / "a.tif")
    assert scan.units == "16-bit"
    np.testing.assert_array_equal(scan.colours, np.moveaxis(colours, -1, 0))
    (warning,) = fed(scan)[1]
    assert "as if it held 12 bits" in warning


# ---- damaged is what is damaged


def jpeg(marker=None, precision=None):
    content = io.BytesIO()
    Image.fromarray(np.full((16, 24), 90, np.uint8)).save(content, format="JPEG")
    changed = bytearray(content.getvalue())
    frame = changed.index(b"\xff\xc0")
    changed[frame + 1] = marker or changed[frame + 1]
    changed[frame + 4] = precision or changed[frame + 4]
    return bytes(changed)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (jpeg(marker=0xC1, precision=12), "JPEG of 12 bits"),
        (jpeg(marker=0xC3), "JPEG without loss"),
        (jpeg(marker=0xC5), "JPEG without loss or in several resolutions"),
    ],
    ids=["12 bits", "lossless", "hierarchical"],
)
def test_a_sound_jpeg_of_a_kind_that_is_not_read_is_not_called_damaged(content, words, tmp_path):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(BadInput, match=words) as refusal:
        load_scan(tmp_path / "a.jpg")
    assert "damaged" not in str(refusal.value)


def tiff_of_another_kind(kind):
    content = io.BytesIO()
    if kind == "compression":
        tifffile.imwrite(content, np.zeros((4, 6), np.uint8))
        changed = bytearray(content.getvalue())
        entry = changed.index(struct.pack("<HHL", 259, 3, 1))
        struct.pack_into("<H", changed, entry + 8, 34933)  # PNG in TIFF
        return bytes(changed)
    if kind == "samples":
        tifffile.imwrite(content, np.zeros((4, 6, 3), np.float64), photometric="rgb")
    if kind == "complex":
        tifffile.imwrite(content, np.zeros((4, 6), np.complex64))
    return content.getvalue()


@pytest.mark.parametrize("kind", ["compression", "samples"])
def test_a_sound_tiff_of_a_kind_that_is_not_read_is_not_called_damaged(kind, tmp_path):
    (tmp_path / "a.tif").write_bytes(tiff_of_another_kind(kind))
    with pytest.raises(BadInput, match="of a kind that is not read") as refusal:
        load_scan(tmp_path / "a.tif")
    assert "damaged" not in str(refusal.value)


@pytest.mark.parametrize("left", [100, 300, 400])
def test_packed_bits_that_were_cut_off_are_called_damaged(left, tmp_path):
    (tmp_path / "a.tif").write_bytes(packed_tiff(ramp(10, (12, 21)), 10, ">")[:left])
    with pytest.raises(BadInput, match="damaged"):
        load_scan(tmp_path / "a.tif")


@pytest.mark.parametrize("dtype", [np.uint8, np.float64, np.uint32, np.int8])
@pytest.mark.parametrize("left", [4, 9, 200])
def test_a_tiff_that_was_cut_off_is_called_damaged(left, dtype, tmp_path):
    content = io.BytesIO()
    tifffile.imwrite(content, np.ones((20, 20), dtype), compression="zlib")
    (tmp_path / "a.tif").write_bytes(content.getvalue()[:left])
    with pytest.raises(BadInput, match=r"damaged|ends too early|no image"):
        load_scan(tmp_path / "a.tif")


CASES = SHARED_DATA / "public_cases"


@pytest.mark.shared
@pytest.mark.skipif(not CASES.is_dir(), reason=f"the shared test images are not at {SHARED_DATA}")
def test_the_public_cases_are_what_they_should_be():
    scan = load_scan(CASES / "img-tiff-12bit" / "a.tif")
    assert (scan.units, fed(scan)[1]) == ("12-bit", ())
    assert 0.9 < fed(scan)[0].max() <= 1
    scan = load_scan(CASES / "img-tiff-int8" / "a.tif")
    assert (scan.array.min(), scan.array.max(), scan.units) == (-128, 127, None)
    assert fed(scan)[1] != ()
