"""DICOM: slices find their order and place, values their unit, and nothing of the patient comes along."""

import io
import random

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels import compress
from pydicom.sequence import Sequence
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

from core.errors import BadInput
from core.scans import list_series, list_volumes, load_scan
from tests.core.scans.making import (
    AXIAL,
    NAME,
    asymmetric,
    compressed_by_gdcm,
    deflated_dicom,
    dicom,
    dicom_bytes,
    save,
    slice_at,
)

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR")

CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
OBLIQUE = (0.96, 0.28, 0.0, -0.28 * 0.8, 0.96 * 0.8, 0.6)


def pixels_of(place, rows=4, columns=5):
    return asymmetric((rows, columns)) + np.int16(100 * place)


def write_stack(folder, orientation=AXIAL, places=range(6), step=2.5, **more):
    """Slices along the normal, in files whose order means nothing."""
    folder.mkdir(exist_ok=True)
    normal = np.cross(orientation[:3], orientation[3:])
    names = list(range(len(places)))
    random.Random(3).shuffle(names)
    for name, place in zip(names, places, strict=True):
        position = np.array([-10.0, 20.0, 5.0]) + normal * step * place
        save(slice_at(position, pixels_of(place), orientation, InstanceNumber=name, **more), folder / f"{name}.dcm")
    return folder


def value_at(scan, millimetres):
    """Value of the voxel whose centre lies at RAS `millimetres`."""
    index = np.linalg.inv(scan.affine) @ [*millimetres, 1]
    np.testing.assert_allclose(index, np.round(index), atol=1e-3)
    return scan.array[(0, *np.round(index[:3]).astype(int))]


@pytest.mark.parametrize(
    "orientation", [AXIAL, CORONAL, SAGITTAL, OBLIQUE], ids=["axial", "coronal", "sagittal", "oblique"]
)
def test_every_voxel_of_a_stack_lies_where_dicom_says(orientation, tmp_path):
    scan = load_scan(write_stack(tmp_path / "series", orientation))
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    normal = np.cross(row, column)
    assert sorted(scan.shape) == [4, 5, 6]
    for place in range(6):
        for r in range(4):
            for c in range(5):
                # DICOM PS3.3 C.7.6.2.1.1: position + row direction × column spacing × column index + …
                lps = np.array([-10.0, 20, 5]) + normal * 2.5 * place + row * 3.0 * c + column * 2.0 * r
                assert value_at(scan, lps * [-1, -1, 1]) == pixels_of(place)[r, c]
    assert nib.aff2axcodes(scan.affine) == ("R", "A", "S")
    assert scan.notes == ()


def test_names_and_instance_numbers_do_not_decide_the_order(tmp_path):
    scan = load_scan(write_stack(tmp_path / "series"))
    assert [int(scan.array[0, 0, 0, z]) // 100 for z in range(6)] == list(range(6))


def test_rescale_slope_and_intercept_are_applied_slice_by_slice(tmp_path):
    for place in range(3):
        data = slice_at((0, 0, place), np.full((4, 5), 10, np.int16), Modality="CT")
        data.RescaleSlope, data.RescaleIntercept = place + 1, -1024
        save(data, tmp_path / f"{place}.dcm")
    scan = load_scan(tmp_path)
    assert scan.array[0, 0, 0].tolist() == [-1014, -1004, -994]
    assert (scan.units, scan.modality) == ("HU", "CT")


def test_one_slice_is_an_image_with_the_geometry_of_its_plane(tmp_path):
    scan = load_scan(save(slice_at((10, 20, 30), pixels_of(1), CORONAL), tmp_path / "one.dcm"))
    np.testing.assert_array_equal(scan.array[0], pixels_of(1))
    assert scan.spacing_mm == pytest.approx((2, 3))
    np.testing.assert_allclose(scan.affine @ [0, 0, 0, 1], [-10, -20, 30, 1])
    np.testing.assert_allclose(scan.affine @ [1, 0, 0, 1], [-10, -20, 28, 1])
    np.testing.assert_allclose(scan.affine @ [0, 1, 0, 1], [-13, -20, 30, 1])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
def test_monochrome_1_is_inverted_and_says_so(dtype, tmp_path):
    stored = asymmetric((4, 5), dtype)
    scan = load_scan(save(dicom(stored, PhotometricInterpretation="MONOCHROME1", Modality="DX"), tmp_path / "x.dcm"))
    limits = np.iinfo(dtype)
    expected = limits.max + limits.min - stored.astype(np.int64)
    np.testing.assert_array_equal(scan.array[0], expected)
    assert any("MONOCHROME1" in note for note in scan.notes)


def test_projections_of_one_series_are_images_of_their_own(tmp_path):
    for number in range(2):
        save(dicom(pixels_of(number), Modality="DX", ImagerPixelSpacing=[0.1, 0.1]), tmp_path / f"{number}.dcm")
    scan = load_scan(tmp_path)
    assert scan.dimensions == 2
    assert scan.spacing_mm == pytest.approx((0.1, 0.1))
    assert any("2 images were found" in note for note in scan.notes)
    assert any("on the detector" in note for note in scan.notes)
    assert len(list_series(tmp_path)) == 2


def test_uneven_spacing_is_reported_with_how_much_and_every_slice_lies_where_it_was_taken(tmp_path):
    scan = load_scan(write_stack(tmp_path / "series", places=[0, 1, 2, 4, 5]))
    assert any("2.50 to 5.00 mm" in note and "2.50 mm apart" in note for note in scan.notes)
    assert any("1 slice(s) seem to be missing" in note for note in scan.notes)
    for place in (0, 1, 2, 4, 5):
        assert value_at(scan, np.array([-10.0, 20, 5 + 2.5 * place]) * [-1, -1, 1]) == pixels_of(place)[0, 0]
    between = value_at(scan, np.array([-10.0, 20, 5 + 2.5 * 3]) * [-1, -1, 1])
    assert between == pytest.approx((pixels_of(2)[0, 0] + pixels_of(4)[0, 0]) / 2)


def test_gantry_tilt_is_reported_in_degrees_and_kept_in_the_affine(tmp_path):
    tilt = np.deg2rad(15)
    orientation = (1.0, 0.0, 0.0, 0.0, float(np.cos(tilt)), float(-np.sin(tilt)))
    for place in range(4):
        save(slice_at((0, 0, 3.0 * place), pixels_of(place), orientation), tmp_path / f"{place}.dcm")
    scan = load_scan(tmp_path)
    assert any("15.0°" in note for note in scan.notes)
    lps = np.array([0, 0, 9.0]) + np.array(orientation[3:]) * 2.0 * 3
    assert value_at(scan, lps * [-1, -1, 1]) == pixels_of(3)[3, 0]


def test_a_4d_series_is_split_into_volumes(tmp_path):
    number = 0
    for time in range(3):
        for place in range(4):
            data = slice_at((0, 0, 2.0 * place), np.full((4, 5), 10 * time + place, np.int16), InstanceNumber=number)
            save(data, tmp_path / f"{number}.dcm")
            number += 1
    assert [choice.volumes for choice in list_series(tmp_path)] == [3]
    assert len(list_volumes(tmp_path)) == 3
    first = load_scan(tmp_path)
    assert any("3 volumes" in note and "first" in note for note in first.notes)
    assert first.array[0, 0, 0].tolist() == [0, 1, 2, 3]
    assert load_scan(tmp_path, volume=2).array[0, 0, 0].tolist() == [20, 21, 22, 23]


def test_volumes_are_named_by_what_sets_them_apart(tmp_path):
    for time in (1, 2):
        for place in range(3):
            data = slice_at((0, 0, 2.0 * place), pixels_of(place), TemporalPositionIdentifier=time, EchoNumbers=1)
            save(data, tmp_path / f"{time}{place}.dcm")
    assert list_volumes(tmp_path) == ["volume 1 of 2: time 1, echo 1", "volume 2 of 2: time 2, echo 1"]
    assert any(
        note.endswith("volume 1 was taken (counted from 0): time 2, echo 1.")
        for note in load_scan(tmp_path, volume=1).notes
    )


def test_an_incomplete_volume_of_a_4d_series_is_left_out_and_counted(tmp_path):
    for time in range(2):
        for place in range(4 - time):
            data = slice_at((0, 0, 2.0 * place), np.full((4, 5), time, np.int16), TemporalPositionIdentifier=time + 1)
            save(data, tmp_path / f"{time}{place}.dcm")
    scan = load_scan(tmp_path)
    assert scan.shape[2] == 4
    assert (scan.array == 0).all()
    assert any(note.startswith("3 slice(s) belong to incomplete volumes") for note in scan.notes)


def enhanced(times=1):
    """Enhanced multi-frame object: geometry frame by frame, in an order that means nothing."""
    frames = [(place, time) for time in range(times) for place in (2, 0, 3, 1)]
    data = dicom(np.stack([pixels_of(place + 10 * time) for place, time in frames]))
    shared, measures, plane = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [2.0, 3.0], 2.5
    plane.ImageOrientationPatient = list(AXIAL)
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = Sequence([measures]), Sequence([plane])
    data.SharedFunctionalGroupsSequence = Sequence([shared])
    items = []
    for place, time in frames:
        item, position, content, transform = Dataset(), Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = [0, 0, 2.5 * place]
        content.TemporalPositionIndex = time + 1
        transform.RescaleSlope, transform.RescaleIntercept, transform.RescaleType = 2, -place, "US"
        item.PlanePositionSequence, item.FrameContentSequence = Sequence([position]), Sequence([content])
        item.PixelValueTransformationSequence = Sequence([transform])
        items.append(item)
    data.PerFrameFunctionalGroupsSequence = Sequence(items)
    return data


def test_an_enhanced_object_takes_geometry_and_scaling_from_each_frame(tmp_path):
    scan = load_scan(save(enhanced(), tmp_path / "enhanced.dcm"))
    assert scan.spacing_mm == pytest.approx((3, 2, 2.5))
    for place in range(4):
        expected = 2 * pixels_of(place) - place
        np.testing.assert_array_equal(scan.array[0, ::-1, ::-1, place].T, expected)


def test_an_enhanced_object_over_time_is_4d(tmp_path):
    path = save(enhanced(times=3), tmp_path / "enhanced.dcm")
    assert list_series(path)[0].volumes == 3
    np.testing.assert_array_equal(load_scan(path, volume=2).array[0, ::-1, ::-1, 1].T, 2 * pixels_of(21) - 1)


def test_frames_without_a_place_are_pictures_to_choose_from(tmp_path):
    path = save(dicom(asymmetric((3, 4, 5), np.uint8), Modality="US"), tmp_path / "cine.dcm")
    np.testing.assert_array_equal(load_scan(path, volume=1).array[0], asymmetric((3, 4, 5))[1])
    assert any("3 frames" in note for note in load_scan(path).notes)
    assert load_scan(path).units == "8-bit"


def test_colour_is_read_as_luminance_and_says_so(tmp_path):
    colours = np.zeros((4, 5, 3), np.uint8)
    colours[..., 0] = 100
    scan = load_scan(save(dicom(colours, Modality="US"), tmp_path / "colour.dcm"))
    np.testing.assert_allclose(scan.array, 29.9, atol=1e-4)
    assert any("luminance" in note for note in scan.notes)


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless], ids=["RLE", "JPEG 2000"])
def test_compressed_pixels_are_decoded(syntax, tmp_path):
    data = slice_at((0, 0, 0), asymmetric((32, 40), np.uint16))
    compress(data, syntax, generate_instance_uid=False)
    np.testing.assert_array_equal(load_scan(save(data, tmp_path / "c.dcm")).array[0], asymmetric((32, 40)))


@pytest.mark.parametrize("syntax", ["JPEGLSLossless", "JPEGLosslessProcess14", "JPEGLosslessProcess14_1"])
def test_pixels_only_gdcm_can_decode_are_decoded(syntax, tmp_path):
    data = compressed_by_gdcm(asymmetric((32, 40), np.uint16), syntax)
    assert data.file_meta.TransferSyntaxUID.is_encapsulated
    np.testing.assert_array_equal(load_scan(save(data, tmp_path / "c.dcm")).array[0], asymmetric((32, 40)))


def test_a_colour_jpeg_is_decoded(tmp_path):
    content = io.BytesIO()
    Image.fromarray(np.full((32, 40, 3), (200, 100, 50), np.uint8)).save(content, format="JPEG", quality=95)
    data = dicom(np.zeros((32, 40, 3), np.uint8), Modality="US", PhotometricInterpretation="YBR_FULL_422")
    data.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    data.PixelData = encapsulate([content.getvalue()])
    data["PixelData"].is_undefined_length = True
    scan = load_scan(save(data, tmp_path / "c.dcm"))
    np.testing.assert_allclose(scan.array, 0.299 * 200 + 0.587 * 100 + 0.114 * 50, atol=2)


def test_the_decoding_process_ends_with_the_reading(tmp_path):
    import psutil

    data = slice_at((0, 0, 0), asymmetric((32, 40), np.uint16))
    compress(data, JPEG2000Lossless, generate_instance_uid=False)
    before = {child.pid for child in psutil.Process().children()}
    load_scan(save(data, tmp_path / "c.dcm"))
    assert {child.pid for child in psutil.Process().children()} <= before


def test_a_deflated_data_set_is_inflated(tmp_path):
    (tmp_path / "d.dcm").write_bytes(deflated_dicom(slice_at((0, 0, 0), pixels_of(2))))
    np.testing.assert_array_equal(load_scan(tmp_path / "d.dcm").array[0], pixels_of(2))


def test_a_file_without_preamble_is_recognised(tmp_path):
    data = slice_at((0, 0, 0), pixels_of(2))
    content = dicom_bytes(data)
    meta_end = 144 + int.from_bytes(content[140:144], "little")
    (tmp_path / "bare").write_bytes(content[meta_end:])
    np.testing.assert_array_equal(load_scan(tmp_path / "bare").array[0], pixels_of(2))


def test_mixed_series_are_told_apart_and_the_largest_is_taken(tmp_path):
    write_stack(tmp_path, places=range(3), SeriesInstanceUID="1.2.3", Modality="CT")
    for place in range(5):
        data = slice_at((0, 0, place), np.zeros((8, 9), np.int16), SeriesInstanceUID="1.2.9", SeriesNumber=12)
        save(data, tmp_path / f"other{place}.dcm")
    series = list_series(tmp_path)
    assert [(choice.files, choice.shape) for choice in series] == [(5, (9, 8, 5)), (3, (5, 4, 3))]
    assert "MR" in series[0].description
    assert "series 12" in series[0].description
    scan = load_scan(tmp_path)
    assert scan.shape == (9, 8, 5)
    assert any("2 images were found" in note for note in scan.notes)
    assert load_scan(tmp_path, series=series[1].key).modality == "CT"
    assert [choice.key for choice in list_series(tmp_path)] == [choice.key for choice in series]
    with pytest.raises(BadInput, match="no series of that key"):
        load_scan(tmp_path, series="nonsense")


def test_a_localiser_in_three_directions_is_three_images(tmp_path):
    for number, orientation in enumerate((AXIAL, CORONAL, SAGITTAL)):
        save(slice_at((0, 0, 0), pixels_of(number), orientation), tmp_path / f"{number}.dcm")
    assert [choice.shape for choice in list_series(tmp_path)] == [(4, 5)] * 3


def test_the_same_file_twice_is_read_once(tmp_path):
    folder = write_stack(tmp_path / "series")
    (folder / "copy.dcm").write_bytes((folder / "2.dcm").read_bytes())
    scan = load_scan(folder)
    assert scan.shape == (5, 4, 6)
    assert any("1 file(s) were there twice" in note for note in scan.notes)


def test_slices_that_an_anonymiser_gave_one_uid_are_still_all_there(tmp_path):
    scan = load_scan(write_stack(tmp_path / "series", SOPInstanceUID="1.2.3"))
    assert scan.shape == (5, 4, 6)
    assert scan.notes == ()


def test_a_mosaic_is_refused_and_not_shown_as_one_picture(tmp_path):
    data = slice_at((0, 0, 0), pixels_of(0), ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"])
    with pytest.raises(BadInput, match="mosaic"):
        load_scan(save(data, tmp_path / "mosaic.dcm"))


def test_a_broken_slice_is_not_left_out_silently(tmp_path):
    folder = write_stack(tmp_path / "series")
    (folder / "2.dcm").write_bytes((folder / "2.dcm").read_bytes()[:-7])
    with pytest.raises(BadInput, match="ends too early"):
        load_scan(folder)


def test_other_objects_of_a_study_are_counted_and_left_out(tmp_path):
    folder = write_stack(tmp_path / "series")
    save(dicom(None, Modality="SR"), folder / "report.dcm")
    (folder / "README.txt").write_text("nothing to see")
    scan = load_scan(folder)
    assert scan.shape == (5, 4, 6)
    assert [note for note in scan.notes if "left out" in note] == [
        "1 file(s) that could not be read as an image were left out. "
        "This DICOM file is a report, there are no pixels in it: give the images of the series."
    ]


def test_nothing_of_the_patient_comes_along(tmp_path):
    folder = write_stack(tmp_path / "series", Modality=NAME[:16])
    series = list_series(folder)
    text = repr(load_scan(folder)) + repr(load_scan(folder).source) + repr([choice.description for choice in series])
    for secret in ("Sm1th", "script", "1.2.3.4"):
        assert secret not in text
