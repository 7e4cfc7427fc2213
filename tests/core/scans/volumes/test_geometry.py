"""Headers that need a repair lie where the standard and nibabel put them, and say what was repaired."""

import gzip

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nibabel.quaternions import quat2mat

from core.scans import load_scan
from tests.core.scans.making import asymmetric, nifti
from tests.shared import SHARED_DATA

SHAPE = (4, 5, 6)
VERSIONS = {1: (nib.Nifti1Image, nib.Nifti1Header), 2: (nib.Nifti2Image, nib.Nifti2Header)}


def qform_file(path, affine, change, version=1, order="<"):
    """A file with nothing but a qform, whose header `change` alters before it is written without any check."""
    image_class, header_class = VERSIONS[version]
    header = header_class(endianness=order)
    image = image_class(asymmetric(SHAPE), affine, header)
    image.set_sform(None, 0)
    image.set_qform(affine, 1)
    image.header.set_data_dtype(np.int16)
    block = image.header.structarr
    block["vox_offset"] = image_class.header_class.single_vox_offset
    block["magic"] = image_class.header_class.single_magic
    change(block)
    samples = asymmetric(SHAPE).astype(f"{order}i2").tobytes(order="F")
    content = block.tobytes() + bytes(4) + samples
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def rotated(quaternion, spacing=(1.0, 2.0, 3.0), place=(10.0, 20.0, -30.0)):
    affine = np.eye(4)
    affine[:3, :3] = quat2mat(quaternion) * spacing
    affine[:3, 3] = place
    return affine


def put(**fields):
    def change(block):
        for name, value in fields.items():
            block[name] = value

    return change


def pixdim(index, value):
    def change(block):
        block["pixdim"][index] = value

    return change


LPS = rotated([0, 0, 0, 1])


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("ending", ["scan.nii", "scan.nii.gz"])
@pytest.mark.parametrize("qfac", [0, 2, 17.5])
def test_a_qfac_that_is_none_counts_as_one(qfac, ending, version, order, tmp_path):
    scan = load_scan(qform_file(tmp_path / ending, LPS, pixdim(0, qfac), version, order))
    np.testing.assert_allclose(scan.source.affine, LPS, atol=1e-5)
    np.testing.assert_allclose(nib.load(tmp_path / ending).affine, LPS, atol=1e-5)
    assert len(scan.notes) == 1
    assert f"qfac is {qfac:g}" in scan.notes[0]
    # patient left stays patient left: the first stored sample is the one furthest to the right of RAS+
    np.testing.assert_array_equal(scan.array[0], asymmetric(SHAPE)[::-1, ::-1])


def test_a_qfac_on_which_programs_differ_makes_left_and_right_uncertain(tmp_path):
    path = qform_file(tmp_path / "scan.nii", LPS, pixdim(0, -2))
    scan = load_scan(path)
    np.testing.assert_allclose(scan.source.affine, nib.load(path).affine, atol=1e-5)
    assert any("left and right are not certain" in note for note in scan.notes)


@pytest.mark.parametrize("stored", [-1, -0.99999])
def test_a_qfac_of_minus_one_turns_the_third_axis(stored, tmp_path):
    scan = load_scan(qform_file(tmp_path / "scan.nii", LPS, pixdim(0, stored)))
    np.testing.assert_allclose(scan.source.affine, LPS @ np.diag([1, 1, -1, 1]), atol=1e-5)
    assert scan.notes == ()


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("stored", [0.0, -2.5, np.nan, np.inf])
def test_a_voxel_size_that_is_none_is_repaired_and_the_orientation_kept(stored, axis, version, tmp_path):
    oblique = rotated([np.cos(0.2), 0, np.sin(0.2), 0])
    scan = load_scan(qform_file(tmp_path / "scan.nii", oblique, pixdim(axis + 1, stored), version))
    expected = oblique.copy()
    expected[:3, axis] *= (2.5 if stored == -2.5 else 1.0) / np.linalg.norm(oblique[:3, axis])
    np.testing.assert_allclose(scan.source.affine, expected, atol=1e-5)
    assert len(scan.notes) == 1
    assert f"along {'xyz'[axis]}" in scan.notes[0]
    if np.isfinite(stored):
        np.testing.assert_allclose(nib.load(tmp_path / "scan.nii").affine, expected, atol=1e-5)


def test_a_voxel_size_of_nothing_is_a_millimetre_in_metres_too(tmp_path):
    def change(block):
        block["xyzt_units"] = 1
        block["pixdim"][1:4] = 0.001, 0, 0.003
        block["qoffset_x"], block["qoffset_y"], block["qoffset_z"] = 0.010, 0.020, -0.030

    scan = load_scan(qform_file(tmp_path / "scan.nii", LPS, change))
    np.testing.assert_allclose(scan.source.affine, rotated([0, 0, 0, 1], (1, 1, 3)), atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(
    axis=st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda found: np.linalg.norm(found) > 0.1),
    digits=st.integers(3, 7),
    longer=st.floats(0, 0.004),
    version=st.sampled_from([1, 2]),
    order=st.sampled_from("<>"),
)
def test_a_half_turn_written_with_few_digits_stays_one(tmp_path_factory, axis, digits, longer, version, order):
    """Half turns have a quaternion of length 1 without its first number: rounded up, nothing is left under the root."""
    unit = np.array(axis) / np.linalg.norm(axis)
    stored = np.round(unit * (1 + longer), digits)
    path = tmp_path_factory.mktemp("turned") / "scan.nii"
    change = put(quatern_b=stored[0], quatern_c=stored[1], quatern_d=stored[2])
    scan = load_scan(qform_file(path, LPS, change, version, order))
    # as nifti_quatern_to_mat44 of the standard's own library does it
    b, c, d = (float(np.float32(number)) if version == 1 else number for number in stored)
    square = b * b + c * c + d * d
    quaternion = (
        [np.sqrt(1 - square), b, c, d] if 1 - square > 3.6e-7 else [0, *(np.array([b, c, d]) / np.sqrt(square))]
    )
    np.testing.assert_allclose(scan.source.affine, rotated(quaternion), atol=1e-4)
    repaired = any("brought back to length 1" in note for note in scan.notes)
    assert repaired == (1 - square < -3.6e-7)


def test_numbers_that_are_no_rotation_are_not_made_one(tmp_path):
    scan = load_scan(qform_file(tmp_path / "scan.nii", LPS, put(quatern_b=3, quatern_c=4, quatern_d=5)))
    assert any("left and right are not certain" in note for note in scan.notes)


@settings(max_examples=40, deadline=None)
@given(
    quaternion=st.tuples(st.floats(0.05, 1), *[st.floats(-1, 1)] * 3),
    spacing=st.tuples(*[st.floats(0.1, 9)] * 3),
    qfac=st.sampled_from([1, -1]),
    version=st.sampled_from([1, 2]),
    order=st.sampled_from("<>"),
)
def test_a_sound_qform_is_what_nibabel_reads_and_needs_no_word(
    tmp_path_factory, quaternion, spacing, qfac, version, order
):
    affine = rotated(quaternion, (*spacing[:2], spacing[2] * qfac))
    path = qform_file(tmp_path_factory.mktemp("sound") / "scan.nii", affine, lambda block: None, version, order)
    scan = load_scan(path)
    np.testing.assert_allclose(scan.source.affine, nib.load(path).affine, atol=1e-4)
    np.testing.assert_allclose(scan.source.affine, affine, atol=1e-3)
    assert scan.notes == ()


def test_what_the_sform_makes_needless_is_not_spoken_of(tmp_path):
    path = nifti(tmp_path / "scan.nii", asymmetric(SHAPE), pixdim=[0, 0, -2, 3, 1, 1, 1, 1], quatern_b=2)
    assert load_scan(path).notes == ()


def test_forms_that_differ_in_which_side_is_left_are_told(tmp_path):
    affine = np.diag([-2.0, 3, 4, 1])
    scan = load_scan(nifti(tmp_path / "scan.nii", asymmetric(SHAPE), affine, srow_x=[2, 0, 0, 0]))
    np.testing.assert_allclose(scan.source.affine, np.diag([2.0, 3, 4, 1]))
    assert any("differ in which side is left" in note for note in scan.notes)


def test_a_code_without_a_meaning_is_the_weaker_promise(tmp_path):
    path = nifti(tmp_path / "scan.nii", asymmetric(SHAPE), LPS, srow_x=[2, 0, 0, 0], sform_code=99)
    scan = load_scan(path)
    np.testing.assert_allclose(scan.source.affine, LPS, atol=1e-5)
    np.testing.assert_allclose(nib.load(path).affine, LPS, atol=1e-5)


def test_forms_are_kept_with_what_they_refer_to(tmp_path):
    image = nib.Nifti1Image(asymmetric(SHAPE), LPS)
    image.set_sform(LPS @ np.diag([1, 1.1, 1, 1]), 4)
    image.set_qform(LPS, 1)
    image.to_filename(tmp_path / "scan.nii")
    forms = load_scan(tmp_path / "scan.nii").source.forms
    assert (forms.sform.code, forms.qform.code) == (4, 1)
    np.testing.assert_allclose(forms.sform.affine, image.get_sform())
    np.testing.assert_allclose(forms.qform.affine, image.get_qform(), atol=1e-5)


CASES = SHARED_DATA / "public_cases"


@pytest.mark.shared
@pytest.mark.skipif(not CASES.is_dir(), reason=f"the shared test images are not at {SHARED_DATA}")
@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("nii-qfac-zero", "qfac"),
        ("nii-big-endian-qfac0", "qfac"),
        ("nii-pixdim-z-zero", "along z"),
        ("nii-quaternion-too-long", "length 1"),
    ],
)
def test_the_public_cases_lie_where_they_should(case, words):
    scan = load_scan(CASES / case / "scan.nii")
    spacing = (2, 3, 1) if case == "nii-pixdim-z-zero" else (2, 3, 4)
    np.testing.assert_allclose(scan.source.affine, rotated([0, 0, 0, 1], spacing), atol=1e-5)
    assert len(scan.notes) == 1
    assert words in scan.notes[0]
