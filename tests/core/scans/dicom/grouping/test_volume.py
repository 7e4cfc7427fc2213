"""Slices that lie unevenly come out in their true places: what a voxel holds is what lies at its millimetres."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput
from core.scans import list_series, load_scan
from tests.core.scans.dicom.making import write_shuffled
from tests.core.scans.making import AXIAL, slice_at

OBLIQUE = (0.96, 0.28, 0.0, -0.28 * 0.8, 0.96 * 0.8, 0.6)
ROWS, COLUMNS = 3, 4


def ramp(places, orientation=AXIAL, tilt=0.0, moved=None):
    """Slices at `places`, mm along their normal, whose values are those places in tenths of a mm."""
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    normal = np.cross(row, column)
    files = []
    for number, place in enumerate(places):
        position = normal * place + column * np.tan(np.radians(tilt)) * place
        position = position + (0 if moved is None else row * moved[number])
        values = np.full((ROWS, COLUMNS), round(10 * place), np.int16)
        data = slice_at(np.round(position, 6).tolist(), values, orientation, InstanceNumber=number + 1)
        data.SliceThickness = 2.0
        files.append(data)
    return files


def worst_error(scan, orientation):
    """Largest difference between what a voxel holds and where it lies along the normal, mm."""
    normal = np.cross(orientation[:3], orientation[3:]) * [-1, -1, 1]
    index = np.indices(scan.shape).reshape(3, -1)
    places = normal @ (scan.affine[:3, :3] @ index + scan.affine[:3, 3:])
    return float(np.abs(scan.array.reshape(-1) / 10 - places).max())


@settings(max_examples=15, deadline=None)
@given(
    steps=st.lists(st.integers(14, 40), min_size=3, max_size=14),
    orientation=st.sampled_from([AXIAL, OBLIQUE]),
    tilt=st.sampled_from([0.0, 20.0]),
    seed=st.integers(0, 99),
)
def test_uneven_slices_are_resampled_at_their_true_places(steps, orientation, tilt, seed):
    places = np.concatenate([[0], np.cumsum(steps)]) / 10
    with tempfile.TemporaryDirectory() as folder:
        scan = load_scan(write_shuffled(ramp(places, orientation, tilt), Path(folder), seed))
    # slices within 2 % of a step are taken as they lie
    assert worst_error(scan, np.array(orientation)) <= 0.021 * scan.spacing_mm[2] + 1e-3
    if max(steps) == min(steps):
        assert not any("uneven" in note for note in scan.notes)
    elif max(steps) > 1.5 * min(steps):
        assert any("uneven" in note for note in scan.notes)


@pytest.mark.parametrize("jitter_mm", [0.0, 0.001, 0.02])
def test_places_off_by_a_rounding_are_even_and_nothing_is_said(jitter_mm, tmp_path):
    places = [2.0 * number + jitter_mm * (number % 2) for number in range(8)]
    scan = load_scan(write_shuffled(ramp(places), tmp_path, 1))
    assert (scan.shape[2], scan.notes) == (8, ())
    assert sorted(np.unique(scan.array).tolist()) == [20 * number for number in range(8)]


@pytest.mark.parametrize(("missing", "slices"), [([4], 10), ([3, 4], 10), ([2, 6], 10)])
def test_missing_slices_are_counted_and_the_others_stay_where_they_are(missing, slices, tmp_path):
    places = [2.0 * number for number in range(slices) if number not in missing]
    scan = load_scan(write_shuffled(ramp(places), tmp_path, 2))
    assert scan.shape[2] == slices
    assert any(note.startswith(f"{len(missing)} slice(s) seem to be missing") for note in scan.notes)
    assert worst_error(scan, np.array(AXIAL)) < 1e-3


def test_thin_and_thick_parts_keep_the_detail_of_the_thin_one(tmp_path):
    places = [*range(0, 20, 2), *range(20, 60, 5)]
    scan = load_scan(write_shuffled(ramp([float(place) for place in places]), tmp_path, 3))
    assert scan.spacing_mm[2] == pytest.approx(2, rel=0.05)
    assert worst_error(scan, np.array(AXIAL)) < 0.05


def test_a_wide_gap_parts_two_images_and_each_says_so(tmp_path):
    places = [0.0, 2.0, 4.0, 6.0, 50.0, 52.0, 54.0]
    choices = list_series(write_shuffled(ramp(places), tmp_path, 4))
    assert [choice.shape[2] for choice in choices] == [4, 3]
    for choice in choices:
        scan = choice.read()
        assert any("gap of up to 44 mm" in note for note in scan.notes)
        assert worst_error(scan, np.array(AXIAL)) < 1e-3


def test_slices_a_little_beside_the_line_are_said_and_far_ones_refused(tmp_path):
    places = [2.0 * number for number in range(6)]
    near = ramp(places, moved=[0, 1.9, 0, 1.9, 0, 0])
    scan = load_scan(write_shuffled(near, tmp_path / "near", 5))
    assert any("shifted against each other in their plane by up to 1.90 mm" in note for note in scan.notes)
    far = ramp(places, moved=[0, 2, 4, 6, 3, 0])
    with pytest.raises(BadInput, match="shifted against each other in their plane"):
        load_scan(write_shuffled(far, tmp_path / "far", 5))
