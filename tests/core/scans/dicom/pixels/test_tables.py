"""Look-up tables give the entry that the standard says, however the file stores them."""

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from core.errors import BadInput
from core.models.card import InputContract, Intensity
from core.models.inputs import prepare
from core.scans import load_scan
from tests.core.scans.making import asymmetric, dicom, save
from tests.shared import SHARED_DATA

CASES = SHARED_DATA / "public_cases"
public = pytest.mark.skipif(not CASES.is_dir(), reason="the shared test images are not there")
UNIT_RANGE = InputContract(dimensions=2, shape=(16, 20), intensity=Intensity(low=0, high=1))
CHANNELS = ("Red", "Green", "Blue")


def with_palette(pixels, tables, bits, first=0, stored_as=np.uint16, **more):
    """A picture whose palette has `tables`, three sequences of numbers."""
    data = dicom(pixels, PhotometricInterpretation="PALETTE COLOR", Modality="US", **more)
    for channel, table in zip(CHANNELS, tables, strict=True):
        setattr(data, f"{channel}PaletteColorLookupTableDescriptor", [len(table) % 65536, first, bits])
        content = np.asarray(table, dtype=stored_as).tobytes()
        setattr(data, f"{channel}PaletteColorLookupTableData", content + bytes(len(content) % 2))
    return data


def three(count, top):
    """Tables of different colours, each going up to `top`."""
    ramp = np.linspace(0, top, count).astype(np.int64)
    return ramp, ramp[::-1], ramp // 2


@pytest.mark.parametrize("stored", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    ("bits", "stored_as", "count"),
    [(16, np.uint16, 256), (8, np.uint8, 256), (8, np.uint16, 256), (8, np.uint8, 255), (16, np.uint16, 3)],
)
def test_a_palette_gives_its_colours_and_their_bits(stored, bits, stored_as, count, tmp_path):
    tables = three(count, 2**bits - 1)
    pixels = asymmetric((16, 20), np.uint16).clip(max=255).astype(stored)
    scan = load_scan(save(with_palette(pixels, tables, bits, stored_as=stored_as), tmp_path / "a.dcm"))
    index = np.minimum(pixels.astype(int), count - 1)
    np.testing.assert_array_equal(scan.colours, [table[index] for table in tables])
    assert scan.units == f"{bits}-bit"
    assert float(prepare(scan, UNIT_RANGE).tensor.max()) <= 1


def test_a_palette_of_many_8_bit_entries_is_not_counted_in_8_bits(tmp_path):
    tables = three(1000, 255)
    pixels = asymmetric((16, 20), np.uint16) * 3
    scan = load_scan(save(with_palette(pixels, tables, 8), tmp_path / "a.dcm"))
    np.testing.assert_array_equal(scan.colours, [table[pixels] for table in tables])


def test_16_bit_tables_that_hold_8_bit_entries_are_brought_to_16(tmp_path):
    scan = load_scan(save(with_palette(asymmetric((16, 20), np.uint8), three(256, 255), 16), tmp_path / "a.dcm"))
    assert (scan.colours.max(), scan.units) == (65535, "16-bit")


def test_signed_indices_start_at_the_first_entry(tmp_path):
    tables = three(100, 255)
    pixels = asymmetric((16, 20), np.int16) - np.int16(160)
    data = with_palette(pixels, tables, 8, first=-50)
    for channel in CHANNELS:
        data[f"{channel}PaletteColorLookupTableDescriptor"].VR = "SS"
    scan = load_scan(save(data, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(scan.colours, [table[np.clip(pixels + 50, 0, 99)] for table in tables])


def test_a_segmented_palette_is_expanded(tmp_path):
    data = dicom(asymmetric((16, 20), np.uint8), PhotometricInterpretation="PALETTE COLOR", Modality="US")
    for channel, top in zip(CHANNELS, (65535, 0, 51), strict=True):
        setattr(data, f"{channel}PaletteColorLookupTableDescriptor", [256, 0, 16])
        # one discrete entry, then a straight line of 255 to `top`
        segments = np.array([0, 1, 0, 1, 255, top], dtype="<u2").tobytes()
        setattr(data, f"Segmented{channel}PaletteColorLookupTableData", segments)
    scan = load_scan(save(data, tmp_path / "a.dcm"))
    assert scan.colours[:, 0, 0].tolist() == [0, 0, 0]
    assert scan.colours[:, 12, 15].tolist() == [65535, 0, 51]
    assert scan.units == "16-bit"


def test_a_palette_shorter_than_it_says_is_refused(tmp_path):
    data = with_palette(asymmetric((16, 20), np.uint8), three(256, 255), 8)
    data.GreenPaletteColorLookupTableData = bytes(100)
    with pytest.raises(BadInput, match="look-up table"):
        load_scan(save(data, tmp_path / "a.dcm"))


def with_table(pixels, table, bits, first=0, kind="US", **more):
    """A grey image with a modality table."""
    item = Dataset()
    item.LUTDescriptor, item.ModalityLUTType = [len(table) % 65536, first, bits], kind
    item.LUTData = np.asarray(table, dtype=np.uint16).tobytes()
    item["LUTData"].VR = "OW"
    return dicom(pixels, ModalityLUTSequence=Sequence([item]), **more)


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("inverted", [False, True])
def test_a_modality_table_comes_before_the_inversion(bits, inverted, tmp_path):
    table = (np.sqrt(np.linspace(0, 1, 400)) * (2**bits - 1)).astype(np.int64)
    photometric = "MONOCHROME1" if inverted else "MONOCHROME2"
    data = with_table(
        asymmetric((16, 20), np.uint16), table, bits, Modality="CR", PhotometricInterpretation=photometric
    )
    scan = load_scan(save(data, tmp_path / "a.dcm"))
    looked_up = table[asymmetric((16, 20))]
    np.testing.assert_array_equal(scan.array[0], 2**bits - 1 - looked_up if inverted else looked_up)
    assert scan.units == ("8-bit" if bits == 8 else None)


def test_a_table_for_signed_values_reaches_both_ends(tmp_path):
    table = np.arange(65536)[::-1]
    pixels = np.array([[-32768, -1, 0, 32767]], dtype=np.int16)
    data = with_table(pixels, table, 16, first=-32768)
    assert load_scan(save(data, tmp_path / "a.dcm")).array[0, 0].tolist() == [65535, 32768, 32767, 0]


def test_a_table_that_gives_hounsfield_units_keeps_them(tmp_path):
    table = np.arange(400) + 500
    data = with_table(asymmetric((16, 20), np.uint16), table, 16, kind="HU", Modality="CT")
    data.PhotometricInterpretation, data.RescaleSlope, data.RescaleIntercept = "MONOCHROME1", 2, -1024
    scan = load_scan(save(data, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(scan.array[0], table[asymmetric((16, 20))])
    assert scan.units == "HU"


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_tables_are_read_in_the_byte_order_of_the_file(syntax, tmp_path):
    pixels = asymmetric((16, 20), np.uint16)
    data = with_table(pixels, np.arange(400) * 100, 16, Modality="DX")
    data.file_meta.TransferSyntaxUID = syntax
    data.set_original_encoding(syntax.is_implicit_VR, syntax.is_little_endian)
    if not syntax.is_little_endian:
        data.PixelData = pixels.astype(">u2").tobytes()
        data.ModalityLUTSequence[0].LUTData = (np.arange(400) * 100).astype(">u2").tobytes()
    np.testing.assert_array_equal(load_scan(save(data, tmp_path / "a.dcm")).array[0], pixels * 100.0)


@public
def test_the_public_palette_is_of_16_bits():
    scan = load_scan(CASES / "dcm-palette-16bit/a.dcm")
    assert (scan.units, scan.array.max(), scan.colours) == ("16-bit", 199 * 257, None)
    assert float(prepare(scan, UNIT_RANGE).tensor.max()) == pytest.approx(199 / 255)


@public
def test_the_public_modality_table_comes_before_the_inversion():
    import pydicom

    data = pydicom.dcmread(CASES / "dcm-mono1-modality-lut/a.dcm")
    table = np.frombuffer(data.ModalityLUTSequence[0].LUTData, "<u2")
    scan = load_scan(CASES / "dcm-mono1-modality-lut/a.dcm")
    np.testing.assert_array_equal(scan.array[0], 65535 - table[data.pixel_array].astype(int))
