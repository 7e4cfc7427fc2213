"""Units follow what values became, and only grey levels are turned round by MONOCHROME1."""

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from core.models.card import InputContract, Intensity
from core.models.inputs import prepare
from core.scans import load_scan
from tests.core.scans.making import asymmetric, dicom, save, slice_at
from tests.shared import SHARED_DATA

CASES = SHARED_DATA / "public_cases"
GREY = asymmetric((4, 5), np.uint8)


@pytest.mark.parametrize(
    ("elements", "units"),
    [
        ({"Modality": "DX"}, "8-bit"),
        ({"Modality": "MR"}, "8-bit"),
        ({"Modality": "NM"}, None),  # counts, not grey levels
        ({"Modality": "PT"}, None),
        ({"Modality": "PT", "Units": "BQML"}, "Bq/ml"),
        ({"Modality": "DX", "RescaleSlope": 2, "RescaleIntercept": 0}, None),
        ({"Modality": "DX", "RescaleSlope": 1, "RescaleIntercept": -10}, None),
        ({"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -1024}, "HU"),
        ({"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": 0, "RescaleType": "Z_EFF"}, None),
        ({"Modality": "DX", "RescaleSlope": 1, "RescaleIntercept": 0, "RescaleType": "MGML"}, None),
    ],
)
def test_units_follow_what_values_became(elements, units, tmp_path):
    assert load_scan(save(dicom(GREY, **elements), tmp_path / "a.dcm")).units == units


@pytest.mark.parametrize(("slope", "kind", "units"), [(1, "HU", "HU"), (1, "Z_EFF", None), (2, "HU", "HU")])
def test_the_unit_of_an_enhanced_object_is_in_its_functional_groups(slope, kind, units, tmp_path):
    data, shared, transform = dicom(GREY, Modality="CT"), Dataset(), Dataset()
    transform.RescaleSlope, transform.RescaleIntercept, transform.RescaleType = slope, 0, kind
    shared.PixelValueTransformationSequence = Sequence([transform])
    data.SharedFunctionalGroupsSequence = Sequence([shared])
    scan = load_scan(save(data, tmp_path / "a.dcm"))
    assert scan.units == units
    np.testing.assert_array_equal(scan.array[0], GREY * slope)


def test_a_slope_in_the_functional_groups_leaves_no_8_bit_picture(tmp_path):
    data, shared, transform = dicom(GREY, Modality="MR"), Dataset(), Dataset()
    transform.RescaleSlope, transform.RescaleIntercept = 3, 0
    shared.PixelValueTransformationSequence = Sequence([transform])
    data.SharedFunctionalGroupsSequence = Sequence([shared])
    assert load_scan(save(data, tmp_path / "a.dcm")).units is None


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
@pytest.mark.parametrize(
    "elements",
    [
        {"Modality": "PT", "Units": "BQML", "RescaleSlope": 2.5, "RescaleIntercept": 0},
        {"Modality": "PT"},
        {"Modality": "NM"},
        {"Modality": "CT", "RescaleSlope": 2.5, "RescaleIntercept": -1024, "RescaleType": "HU"},
        {"Modality": "MR", "RescaleSlope": 2.5, "RescaleIntercept": 1, "RescaleType": "MGML"},
    ],
)
def test_quantities_of_monochrome_1_keep_their_values(elements, dtype, tmp_path):
    stored = asymmetric((4, 5), dtype)
    scan = load_scan(save(dicom(stored, PhotometricInterpretation="MONOCHROME1", **elements), tmp_path / "a.dcm"))
    expected = stored * elements.get("RescaleSlope", 1) + elements.get("RescaleIntercept", 0)
    np.testing.assert_allclose(scan.array[0], expected)
    assert any("MONOCHROME1" in note and "inverted" not in note for note in scan.notes)


@pytest.mark.parametrize(("slope", "intercept"), [(1, 0), (2.0, -100.0), (0.5, 7.0)])
@pytest.mark.parametrize(
    ("dtype", "bits", "ends"), [(np.uint8, 8, (0, 255)), (np.uint16, 12, (0, 4095)), (np.int16, 16, (-32768, 32767))]
)
def test_grey_levels_are_inverted_after_their_slope(dtype, bits, ends, slope, intercept, tmp_path):
    stored = asymmetric((4, 5), dtype)
    data = dicom(stored, PhotometricInterpretation="MONOCHROME1", Modality="DX", BitsStored=bits, HighBit=bits - 1)
    data.RescaleSlope, data.RescaleIntercept = slope, intercept
    low, high = (end * slope + intercept for end in ends)
    scan = load_scan(save(data, tmp_path / "a.dcm"))
    np.testing.assert_allclose(scan.array[0], high - (stored * slope + intercept - low))


@pytest.mark.parametrize("dtype", [np.uint32, np.int32])
def test_grey_levels_of_32_bits_keep_their_differences(dtype, tmp_path):
    stored = asymmetric((4, 5), dtype)
    scan = load_scan(save(dicom(stored, PhotometricInterpretation="MONOCHROME1", Modality="DX"), tmp_path / "a.dcm"))
    np.testing.assert_array_equal(scan.array[0], -stored.astype(np.int64))


def test_every_frame_is_inverted(tmp_path):
    stored = asymmetric((3, 4, 5), np.uint8)
    path = save(dicom(stored, PhotometricInterpretation="MONOCHROME1", Modality="XA"), tmp_path / "a.dcm")
    for frame in range(3):
        np.testing.assert_array_equal(load_scan(path, volume=frame).array[0], 255 - stored[frame])


@pytest.mark.parametrize(("elements", "fed"), [({}, 1.0), ({"PhotometricInterpretation": "MONOCHROME1"}, 0.0)])
def test_a_model_of_grey_levels_is_fed_them_with_white_as_one(elements, fed, tmp_path):
    scan = load_scan(save(dicom(np.full((4, 5), 255, np.uint8), Modality="DX", **elements), tmp_path / "a.dcm"))
    contract = InputContract(dimensions=2, shape=(4, 5), intensity=Intensity(low=0, high=1))
    assert float(prepare(scan, contract).tensor.mean()) == fed


def test_a_volume_of_counts_is_one_scan_with_its_values(tmp_path):
    for place in range(3):
        data = slice_at((0, 0, place), np.full((4, 5), place, np.uint16), Modality="PT", Units="CNTS")
        data.PhotometricInterpretation = "MONOCHROME1"
        save(data, tmp_path / f"{place}.dcm")
    scan = load_scan(tmp_path)
    assert (scan.units, scan.array[0, 0, 0].tolist()) == ("counts", [0, 1, 2])


@pytest.mark.skipif(not CASES.is_dir(), reason="the shared test images are not there")
def test_the_public_pet_keeps_its_becquerels():
    import pydicom

    scan = load_scan(CASES / "dcm-mono1-pet/a.dcm")
    np.testing.assert_allclose(scan.array[0], pydicom.dcmread(CASES / "dcm-mono1-pet/a.dcm").pixel_array * 2.5)
    assert scan.units == "Bq/ml"
