"""Millimetres are found wherever a file gives them, and a note says what they are worth."""

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from core.scans import load_scan
from tests.core.scans.making import asymmetric, dicom, save, slice_at
from tests.shared import SHARED_DATA

CASES = SHARED_DATA / "public_cases"
PIXELS = asymmetric((16, 20), np.uint8)
ON_DETECTOR = "on the detector: structures"


def region(across, down, kind=1, units=3):
    """An ultrasound region with so many of a unit from pixel to pixel; 3 are centimetres."""
    item = Dataset()
    item.RegionSpatialFormat = kind
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = units
    item.PhysicalDeltaX, item.PhysicalDeltaY = across, down
    return item


def read(tmp_path, **elements):
    """A picture with these elements; sequences are given as lists of data sets."""
    made = {key: Sequence(value) if key.endswith(("Sequence", "Regions")) else value for key, value in elements.items()}
    return load_scan(save(dicom(PIXELS, **({"Modality": "OT"} | made)), tmp_path / "a.dcm"))


def properties(**elements):
    """Shared functional groups with frame pixel data properties."""
    shared, item = Dataset(), Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    shared.FramePixelDataPropertiesSequence = Sequence([item])
    return [shared]


@pytest.mark.parametrize(
    ("elements", "spacing", "words"),
    [
        ({"PixelSpacing": [0.4, 0.5]}, (0.4, 0.5), None),
        ({"ImagerPixelSpacing": [0.4, 0.5]}, (0.4, 0.5), ON_DETECTOR),
        ({"ImagerPixelSpacing": [0.4, 0.5], "EstimatedRadiographicMagnificationFactor": 1.25}, (0.32, 0.4), "(1.25)"),
        ({"ImagerPixelSpacing": [0.4, 0.5], "EstimatedRadiographicMagnificationFactor": 1}, (0.4, 0.5), ON_DETECTOR),
        ({"ImagerPixelSpacing": [0.4, 0.5], "EstimatedRadiographicMagnificationFactor": 0}, (0.4, 0.5), ON_DETECTOR),
        ({"ImagerPixelSpacing": [0.4, 0.5], "PixelSpacing": [0.3, 0.4]}, (0.3, 0.4), None),
        ({"ImagerPixelSpacing": [0.4, 0.5], "PixelSpacing": [0.4, 0.5]}, (0.4, 0.5), ON_DETECTOR),
        (
            {
                "ImagerPixelSpacing": [0.4, 0.5],
                "PixelSpacing": [0.4, 0.5],
                "EstimatedRadiographicMagnificationFactor": 1.25,
            },
            (0.32, 0.4),
            "(1.25)",
        ),
        (
            {
                "ImagerPixelSpacing": [0.4, 0.5],
                "PixelSpacing": [0.4, 0.5],
                "PixelSpacingCalibrationType": "FIDUCIAL",
                "EstimatedRadiographicMagnificationFactor": 1.25,
            },
            (0.4, 0.5),
            None,
        ),
        (
            {"SharedFunctionalGroupsSequence": properties(ImagerPixelSpacing=[0.2, 0.3])},
            (0.2, 0.3),
            ON_DETECTOR,
        ),
        (
            {"SharedFunctionalGroupsSequence": properties(ObjectPixelSpacingInCenterOfBeam=[0.2, 0.3])},
            (0.2, 0.3),
            None,
        ),
        ({"NominalScannedPixelSpacing": [0.1, 0.2]}, (0.1, 0.2), "on the film"),
        ({"ImagePlanePixelSpacing": [0.1, 0.2], "Modality": "RTIMAGE"}, (0.1, 0.2), "image plane"),
        ({"PixelSpacing": [0, 0]}, (1, 1), "1 mm is assumed"),
    ],
)
def test_millimetres_come_from_the_place_that_counts_most(elements, spacing, words, tmp_path):
    scan = read(tmp_path, **elements)
    assert scan.spacing_mm == pytest.approx(spacing)
    assert len(scan.notes) == (0 if words is None else 1)
    assert words is None or words in scan.notes[0]


@pytest.mark.parametrize(
    ("regions", "spacing", "words"),
    [
        ([region(0.03, 0.02)], (0.2, 0.3), None),
        ([region(-0.03, 0.02)], (0.2, 0.3), None),  # counted from the right
        ([region(0.03, 0.02), region(0.03, 0.02)], (0.2, 0.3), None),
        ([region(0.01, 4, kind=3, units=4), region(0.03, 0.02)], (0.2, 0.3), "curves beside it"),
        ([region(0.03, 0.02), region(0.05, 0.02)], (1, 1), "different scales"),
        ([region(0.03, 0.02, units=4)], (1, 1), "1 mm is assumed"),  # seconds
        ([region(0.03, 0.02, kind=2)], (1, 1), "1 mm is assumed"),  # over time
        ([region(0, 0.02)], (1, 1), "1 mm is assumed"),
        ([Dataset()], (1, 1), "1 mm is assumed"),
    ],
)
def test_ultrasound_is_measured_by_its_regions(regions, spacing, words, tmp_path):
    scan = read(tmp_path, Modality="US", SequenceOfUltrasoundRegions=regions)
    assert scan.spacing_mm == pytest.approx(spacing)
    assert scan.in_millimetres == (spacing != (1, 1))
    assert any(words in note for note in scan.notes) if words else scan.notes == ()


@pytest.mark.parametrize(
    ("ratio", "spacing", "words"),
    [
        ([6, 5], (1.2, 1), "1.2 times as high as wide"),
        ([1000, 1250], (1, 1.25), "1.25 times as wide as high"),
        ([1, 1], (1, 1), "1 mm is assumed"),
        ([0, 1], (1, 1), "1 mm is assumed"),
    ],
)
def test_the_shape_of_a_pixel_is_kept_where_its_size_is_not_known(ratio, spacing, words, tmp_path):
    scan = read(tmp_path, PixelAspectRatio=ratio)
    assert scan.spacing_mm == pytest.approx(spacing)
    assert not scan.in_millimetres
    assert any(words in note for note in scan.notes)


def test_the_shape_of_a_pixel_may_be_written_with_a_decimal_point(tmp_path):
    path = save(dicom(PIXELS, Modality="US", PixelAspectRatio=[125, 100]), tmp_path / "a.dcm")
    path.write_bytes(path.read_bytes().replace(b"125\\100 ", b"1.25\\1  "))
    assert load_scan(path).spacing_mm == pytest.approx((1.25, 1))


@pytest.mark.parametrize("found", [b"0.4\\0.5 ", b"0.44\\0.5"])
def test_nonsense_where_an_image_can_do_without_it_costs_nothing(found, tmp_path):
    path = save(dicom(PIXELS, Modality="US", NominalScannedPixelSpacing=found.decode().strip()), tmp_path / "a.dcm")
    path.write_bytes(path.read_bytes().replace(found, b"no\\nums?"))
    scan = load_scan(path)
    assert not scan.in_millimetres
    np.testing.assert_array_equal(scan.array[0], PIXELS)


def test_a_slice_that_lies_in_space_is_in_millimetres(tmp_path):
    data = slice_at((1, 2, 3), PIXELS, PixelAspectRatio=[2, 1])
    data.PixelSpacing = [1, 1.5]
    assert load_scan(save(data, tmp_path / "a.dcm")).in_millimetres


def test_a_decimal_comma_is_a_point(tmp_path):
    path = save(slice_at((0, 0, 0), PIXELS, RescaleSlope="1.50", RescaleIntercept=0), tmp_path / "a.dcm")
    content = path.read_bytes()
    assert b"2.0\\3.0 " in content
    path.write_bytes(content.replace(b"2.0\\3.0 ", b"0,4\\0,5 ").replace(b"1.50", b"1,50"))
    scan = load_scan(path)
    assert scan.spacing_mm == pytest.approx((0.4, 0.5))
    np.testing.assert_allclose(scan.array[0], PIXELS * 1.5)


def test_a_decimal_comma_within_functional_groups_is_a_point(tmp_path):
    data, shared, measures = dicom(PIXELS), Dataset(), Dataset()
    measures.PixelSpacing = [2.0, 3.0]
    shared.PixelMeasuresSequence = Sequence([measures])
    data.SharedFunctionalGroupsSequence = Sequence([shared])
    path = save(data, tmp_path / "a.dcm")
    path.write_bytes(path.read_bytes().replace(b"2.0\\3.0 ", b"0,4\\0,5 "))
    assert load_scan(path).spacing_mm == pytest.approx((0.4, 0.5))


@pytest.mark.skipif(not CASES.is_dir(), reason="the shared test images are not there")
def test_the_public_ultrasound_has_millimetres():
    assert load_scan(CASES / "dcm-us-regions/a.dcm").spacing_mm == pytest.approx((0.2, 0.3))
