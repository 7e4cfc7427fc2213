"""Colours of 16 bits in a TIFF keep their bits, as a grey picture of 16 bits does."""

import numpy as np
import pytest
import tifffile

from core.scans import load_scan
from core.scans.samples import luminance


def colours(shape=(7, 9), most=2**16, samples=3):
    return np.random.default_rng(0).integers(0, most, (*shape, samples)).astype(np.uint16)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("packing", [{}, {"compression": "zlib"}, {"planarconfig": "separate"}, {"rowsperstrip": 2}])
def test_every_value_of_a_sixteen_bit_colour_arrives(tmp_path, byteorder, packing):
    stored = colours()
    written = np.moveaxis(stored, -1, 0) if "planarconfig" in packing else stored
    tifffile.imwrite(tmp_path / "a.tif", written, photometric="rgb", byteorder=byteorder, **packing)
    scan = load_scan(tmp_path / "a.tif")
    np.testing.assert_array_equal(scan.colours, np.moveaxis(stored, -1, 0))
    np.testing.assert_allclose(scan.array[0], luminance(stored), rtol=1e-6)
    assert scan.units == "16-bit"
    assert not any("8 bits" in note for note in scan.notes)


def test_transparency_is_left_out_and_said(tmp_path):
    stored = colours(samples=4)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", extrasamples=["unassalpha"])
    scan = load_scan(tmp_path / "a.tif")
    np.testing.assert_array_equal(scan.colours, np.moveaxis(stored[..., :3], -1, 0))
    assert "Transparency was left out." in scan.notes


def test_grey_in_three_equal_channels_is_grey(tmp_path):
    stored = np.repeat(colours()[..., :1], 3, axis=-1)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb")
    scan = load_scan(tmp_path / "a.tif")
    np.testing.assert_array_equal(scan.array[0], stored[..., 0])
    assert (scan.units, scan.colours) == ("16-bit", None)


@pytest.mark.parametrize("turn", range(1, 9))
def test_it_hangs_as_a_picture_of_eight_bits_does(tmp_path, turn):
    stored = colours(shape=(4, 6), most=256)
    for name, values in (("eight", stored.astype(np.uint8)), ("sixteen", stored * np.uint16(257))):
        tags = [(274, "H", 1, turn, True)]
        tifffile.imwrite(tmp_path / f"{name}.tif", values, photometric="rgb", extratags=tags)
    eight, sixteen = (load_scan(tmp_path / f"{name}.tif") for name in ("eight", "sixteen"))
    np.testing.assert_array_equal(sixteen.colours, eight.colours * 257)


def test_twelve_bits_in_sixteen_are_no_longer_lost(tmp_path):
    stored = colours(most=2**12)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", extratags=[(281, "H", 3, (4095,) * 3, True)])
    scan = load_scan(tmp_path / "a.tif")
    assert scan.units == "12-bit"
    np.testing.assert_array_equal(scan.colours, np.moveaxis(stored, -1, 0))


def test_each_page_has_its_own(tmp_path):
    pages = [colours(), colours()[::-1]]
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for page in pages:
            writer.write(page, photometric="rgb")
    for number, page in enumerate(pages):
        scan = load_scan(tmp_path / "a.tif", volume=number)
        np.testing.assert_array_equal(scan.colours, np.moveaxis(page, -1, 0))
