"""The shared small cases of DICOM volumes and foreign objects: what each of them is."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import BadInput
from core.scans import list_series, load_scan
from tests.shared import SHARED_DATA

CASES = SHARED_DATA / "public_cases"
pytestmark = [pytest.mark.shared, pytest.mark.skipif(not CASES.is_dir(), reason=f"the shared cases are not at {CASES}")]


def thousands(scan):
    """Which volume each voxel is of: the cases count volumes in thousands."""
    return np.unique(scan.array // 1000).tolist()


def case(name: str) -> Path:
    return CASES / name


def test_a_patient_who_moved_between_three_volumes():
    (choice,) = list_series(case("dcm-prospective-motion"))
    assert (choice.volumes, choice.shape) == (3, (20, 16, 6))
    for volume, moved in enumerate([(0, 0), (0.12, 0.21), (0.3, -0.15)]):
        scan = choice.read(volume)
        assert thousands(scan) == [volume]
        np.testing.assert_allclose(scan.affine[:3, 3], [-57 - moved[0], -30, moved[1]], atol=1e-6)


def test_each_b_value_is_a_volume():
    (choice,) = list_series(case("dcm-dwi-restart-random-names"))
    assert (choice.volumes, choice.shape) == (2, (20, 16, 6))
    assert [thousands(choice.read(volume)) for volume in range(2)] == [[0], [1]]
    assert any("b 1000 s/mm²" in note for note in choice.read(1).notes)


def test_stacks_beside_each_other():
    choices = list_series(case("dcm-two-stacks-beside"))
    assert [(choice.volumes, choice.shape) for choice in choices] == [(1, (20, 16, 4))] * 2
    places = {tuple(thousands(choice.read())): float(choice.read().affine[0, 3]) for choice in choices}
    assert places == {(0,): -57.0, (1,): -257.0}


def test_each_segment_is_a_volume():
    choices = list_series(case("dcm-seg-two-segments"))
    assert sorted(choice.description.split(" · ")[2] for choice in choices) == ["segment 1", "segment 2"]
    for choice in choices:
        scan = choice.read()
        assert (scan.shape, scan.units) == ((16, 16, 5), None)
        filled = np.flatnonzero(scan.array[0].any(axis=(0, 1))).tolist()
        assert filled == ([0, 1, 2] if "segment 1" in choice.description else [2, 3, 4])


def test_a_study_is_read_beside_a_series_that_cannot_be():
    scan = load_scan(case("dcm-study-mosaic-and-t1"))
    assert scan.shape == (20, 16, 5)
    assert any("could not be read and was left out" in note and "mosaic" in note for note in scan.notes)
    problems = [choice.problem for choice in list_series(case("dcm-study-mosaic-and-t1"))]
    assert problems[0] is None
    assert "mosaic" in problems[1]


def test_a_grid_of_slices_of_another_vendor_is_refused():
    with pytest.raises(BadInput, match="side by side in one picture"):
        load_scan(case("dcm-uih-grid"))


def test_the_word_mosaic_makes_none():
    scan = load_scan(case("dcm-xa30-enhanced-says-mosaic"))
    assert (scan.shape, scan.spacing_mm, scan.notes) == ((20, 16, 6), (3, 2, 3), ())


def test_pages_with_the_dose_are_pictures():
    choices = list_series(case("dcm-dose-report-pages"))
    assert [choice.shape for choice in choices] == [(16, 20)] * 5
    assert {choice.read().units for choice in choices} == {"8-bit"}


def test_a_reconstruction_of_nuclear_medicine_is_a_volume():
    (choice,) = list_series(case("dcm-nm-recon-tomo"))
    assert (choice.volumes, choice.shape) == (1, (20, 16, 8))
