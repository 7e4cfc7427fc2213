"""Samples become finite float32, and what that costs is said."""

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from core.scans import load_scan
from core.scans.samples import FiniteFilter
from tests.core.scans.making import asymmetric
from tests.shared import SHARED_DATA

EXACT = 2**24


@pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.int64, np.uint64, np.float64])
def test_whole_numbers_that_float32_does_not_hold_are_counted(dtype):
    values = np.array([0, 7, EXACT - 1, EXACT, EXACT + 1, EXACT + 2, EXACT + 3], dtype)
    finite = FiniteFilter()
    np.testing.assert_array_equal(finite(values), values.astype(np.float32))
    assert finite.rounded == 2
    assert any(note.startswith("2 voxels hold whole numbers above 16,777,216") for note in finite.notes())


@pytest.mark.parametrize(
    "values",
    [
        np.arange(20, dtype=np.int64),
        np.array([-EXACT, EXACT], np.int32),
        np.array([1e7 + 0.3, 3e7 + 0.3, -5e8 - 0.7]),  # measured, not counted
        np.array([2**25, 2**31 - 2**8, 2**40], np.int64),
        np.array([EXACT + 2], np.float32),
        np.array([65535, 0], np.uint16),
        np.zeros((0,), np.int64),
    ],
    ids=str,
)
def test_what_loses_nothing_needs_no_word(values):
    finite = FiniteFilter()
    finite(values)
    assert finite.notes() == ()


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20))
def test_the_count_is_python_s(numbers):
    finite = FiniteFilter()
    finite(np.array(numbers, np.int64))
    assert finite.rounded == sum(int(np.float32(number)) != number for number in numbers)


def test_a_number_too_large_for_float32_is_infinite_and_read_as_nothing():
    finite = FiniteFilter()
    np.testing.assert_array_equal(finite(np.array([1e300, np.nan, 1.0])), [0, 0, 1])
    assert (finite.replaced, finite.rounded) == (2, 0)
    with pytest.raises(BadInput, match="Not one voxel"):
        nothing = FiniteFilter()
        nothing(np.array([np.nan]))
        nothing.notes()


@pytest.mark.parametrize("image_class", [nib.Nifti1Image, nib.Nifti2Image, nib.MGHImage])
def test_large_labels_are_told_in_every_volume_format(image_class, tmp_path):
    labels = asymmetric((3, 4, 5), np.int32) + EXACT
    ending = "labels.mgz" if image_class is nib.MGHImage else "labels.nii.gz"
    image_class(labels, np.eye(4)).to_filename(tmp_path / ending)
    notes = load_scan(tmp_path / ending).notes
    assert any(note.startswith("30 voxels hold whole numbers") for note in notes)


@pytest.mark.parametrize(("slope", "words"), [(2.0, "whole numbers"), (0.123, None)])
def test_scaled_numbers_are_told_when_they_stay_whole(slope, words, tmp_path):
    image = nib.Nifti1Image(asymmetric((3, 4, 5), np.int32) * 2 + 2**25 + 1, np.eye(4))
    image.header.set_slope_inter(slope, 0)
    stored = image.header.copy()
    content = stored.structarr.copy()
    content["vox_offset"], content["magic"] = 352, b"n+1"
    samples = (asymmetric((3, 4, 5), np.int32) * 2 + 2**25 + 1).tobytes(order="F")
    (tmp_path / "scaled.nii").write_bytes(content.tobytes() + bytes(4) + samples)
    notes = load_scan(tmp_path / "scaled.nii").notes
    assert any("whole numbers" in note for note in notes) == (words is not None)


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED_DATA / "public_cases").is_dir(), reason="the shared test images are not there")
def test_the_public_case_of_large_integers_says_so():
    path = SHARED_DATA / "public_cases" / "nii-int32-large" / "scan.nii"
    stored = np.asarray(nib.load(path).dataobj)
    rounded = int((stored.astype(np.float32).astype(np.int64) != stored).sum())
    assert rounded > 0
    assert [note.split()[0] for note in load_scan(path).notes] == [str(rounded)]
