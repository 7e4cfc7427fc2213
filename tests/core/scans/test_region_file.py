import nibabel
import numpy as np
import pytest
from PIL import Image

from core.errors import BadInput
from core.scans import load_region
from core.scans.scan import Scan

AFFINE = np.diag([2.0, 2.0, 2.0, 1.0])
VOLUME = Scan(np.zeros((1, 4, 5, 6), np.float32), AFFINE)
PICTURE = Scan(np.zeros((1, 4, 5), np.float32), np.eye(4))


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int16, np.float32])
def test_every_sample_above_zero_of_an_array_is_marked(tmp_path, kind):
    marks = np.array([[0, 1, 1], [1, 0, 0]], kind)
    np.save(tmp_path / "r.npy", marks)
    found = load_region(tmp_path / "r.npy", PICTURE)
    assert found.dtype == bool
    np.testing.assert_array_equal(found, marks > 0)


def test_negative_samples_are_not_marked(tmp_path):
    np.save(tmp_path / "r.npy", np.array([[-1.0, 2.0]]))
    np.testing.assert_array_equal(load_region(tmp_path / "r.npy", PICTURE), [[False, True]])


def test_a_picture_marks_its_bright_pixels(tmp_path):
    marks = np.zeros((4, 5), np.uint8)
    marks[1, 2:4] = 255
    Image.fromarray(marks).save(tmp_path / "r.png")
    np.testing.assert_array_equal(load_region(tmp_path / "r.png", PICTURE), marks > 0)


def test_a_volume_is_turned_as_its_scan_is(tmp_path):
    marks = np.zeros((4, 5, 6), np.uint8)
    marks[0, 1, 2] = 1
    flipped = np.diag([-2.0, 2.0, 2.0, 1.0])
    flipped[0, 3] = 6.0
    nibabel.save(nibabel.Nifti1Image(marks[::-1], flipped), tmp_path / "r.nii.gz")
    np.testing.assert_array_equal(load_region(tmp_path / "r.nii.gz", VOLUME), marks > 0)


def test_a_volume_elsewhere_in_space_is_refused(tmp_path):
    moved = AFFINE + np.eye(4, k=3) * 30
    nibabel.save(nibabel.Nifti1Image(np.ones((4, 5, 6), np.uint8), moved), tmp_path / "r.nii.gz")
    with pytest.raises(BadInput, match="elsewhere in space"):
        load_region(tmp_path / "r.nii.gz", VOLUME)


@pytest.mark.parametrize("marks", [np.array(["a"]), np.array([None, 1], object), np.array([1 + 2j])])
def test_an_array_of_anything_but_real_numbers_is_refused(tmp_path, marks):
    np.save(tmp_path / "r.npy", marks, allow_pickle=True)
    with pytest.raises(BadInput, match="cannot be read"):
        load_region(tmp_path / "r.npy", PICTURE)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(BadInput, match="is not there"):
        load_region(tmp_path / "r.npy", PICTURE)
