"""Reconstructed nuclear slices lie where the detector information says."""

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from core.scans import list_series, load_scan
from tests.core.scans.making import AXIAL, asymmetric, dicom, save
from tests.shared import SHARED_DATA

CASES = SHARED_DATA / "public_cases"
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
ROWS, COLUMNS = 4, 5


def reconstruction(slices, orientation=AXIAL, step=4.0, kind="RECON TOMO", **vectors):
    """Multi-frame nuclear object whose geometry stands in its detector information; `slices` numbered from 1."""
    stored = np.stack([asymmetric((ROWS, COLUMNS), np.uint16) + 100 * number for number in range(len(slices))])
    detector = Dataset()
    detector.ImagePositionPatient, detector.ImageOrientationPatient = [-30, -40, 50], list(orientation)
    return dicom(
        stored.astype(np.uint16),
        Modality="NM",
        ImageType=["ORIGINAL", "PRIMARY", kind, "EMISSION"],
        PixelSpacing=[2.0, 3.0],
        SliceThickness=4.0,
        SpacingBetweenSlices=step,
        DetectorInformationSequence=Sequence([detector]),
        SliceVector=list(slices),
        **vectors,
    ), stored


def value_at(scan, lps):
    index = np.linalg.inv(scan.affine) @ [-lps[0], -lps[1], lps[2], 1]
    np.testing.assert_allclose(index, np.round(index), atol=1e-3)
    return scan.array[(0, *np.round(index[:3]).astype(int))]


@pytest.mark.parametrize("orientation", [AXIAL, CORONAL], ids=["axial", "coronal"])
@pytest.mark.parametrize("step", [4.0, -4.0])
@pytest.mark.parametrize("slices", [(1, 2, 3, 4, 5, 6), (6, 5, 4, 3, 2, 1), (3, 1, 2, 6, 4, 5)])
def test_every_voxel_lies_where_the_detector_says(slices, step, orientation, tmp_path):
    data, stored = reconstruction(slices, orientation, step)
    scan = load_scan(save(data, tmp_path / "a.dcm"))
    assert sorted(scan.shape) == [4, 5, 6]
    assert scan.notes == ()
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    for frame, number in enumerate(slices):
        # PS3.3 C.8.4.15: a positive spacing stacks along the normal, a negative one against it
        corner = np.array([-30, -40, 50]) + np.cross(row, column) * step * (number - 1)
        for r in range(ROWS):
            for c in range(COLUMNS):
                assert value_at(scan, corner + row * 3.0 * c + column * 2.0 * r) == stored[frame, r, c]


@pytest.mark.parametrize("keyword", ["TimeSlotVector", "EnergyWindowVector"])
def test_parts_of_a_gated_reconstruction_are_volumes(keyword, tmp_path):
    data, stored = reconstruction([1, 2, 3, 1, 2, 3], kind="RECON GATED TOMO", **{keyword: [1, 1, 1, 2, 2, 2]})
    path = save(data, tmp_path / "a.dcm")
    assert [(choice.volumes, choice.shape) for choice in list_series(path)] == [(2, (COLUMNS, ROWS, 3))]
    for volume in range(2):
        scan = load_scan(path, volume=volume)
        for place in range(3):
            np.testing.assert_array_equal(scan.array[0, ::-1, ::-1, place].T, stored[3 * volume + place])


def test_projections_are_no_stack(tmp_path):
    data, stored = reconstruction([1, 1, 1], kind="TOMO")
    path = save(data, tmp_path / "a.dcm")
    scan = load_scan(path, volume=2)
    assert scan.dimensions == 2
    np.testing.assert_array_equal(scan.array[0], stored[2])


def test_slices_in_files_of_their_own_make_a_volume(tmp_path):
    for place in range(3):
        data, _ = reconstruction([1])
        data.DetectorInformationSequence[0].ImagePositionPatient = [-30, -40, 50 + 4 * place]
        save(data, tmp_path / f"{place}.dcm")
    scan = load_scan(tmp_path)
    assert (scan.shape, scan.spacing_mm) == ((COLUMNS, ROWS, 3), pytest.approx((3, 2, 4)))


def test_more_frames_than_slices_that_do_not_say_which_they_are_are_no_stack(tmp_path):
    data, _ = reconstruction([1, 2, 3, 4], NumberOfSlices=2)
    del data.SliceVector
    assert load_scan(save(data, tmp_path / "a.dcm")).dimensions == 2


def test_as_many_frames_as_slices_are_in_order(tmp_path):
    data, stored = reconstruction([1, 2, 3], NumberOfSlices=3)
    del data.SliceVector
    scan = load_scan(save(data, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(scan.array[0, ::-1, ::-1].T, stored)


def test_a_gamma_camera_that_calls_itself_pt_is_placed_too(tmp_path):
    data, stored = reconstruction([1, 2, 3])
    data.Modality = "PT"
    scan = load_scan(save(data, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(scan.array[0, ::-1, ::-1].T, stored)


def test_a_reconstruction_that_says_nothing_of_its_place_is_frames_to_choose_from(tmp_path):
    data, _ = reconstruction([1, 2, 3])
    del data.DetectorInformationSequence
    assert load_scan(save(data, tmp_path / "a.dcm")).dimensions == 2


@pytest.mark.skipif(not CASES.is_dir(), reason="the shared test images are not there")
def test_the_public_reconstruction_is_one_volume():
    scan = load_scan(CASES / "dcm-nm-recon-tomo/a.dcm")
    assert (scan.shape, scan.spacing_mm) == ((20, 16, 8), pytest.approx((3, 2, 4)))
    np.testing.assert_allclose(scan.source.affine @ [0, 0, 0, 1], [30, 40, 50, 1])
    assert scan.notes == ()
