"""NIfTI, MGH and Analyze become RAS+ float32, whatever order and type the file has."""

import gzip
import itertools

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput
from core.models.card import InputContract, Intensity
from core.models.inputs import prepare
from core.scans import list_volumes, load_scan
from tests.core.scans.making import asymmetric, nifti, nifti_header

ORIENTATIONS = [
    nib.orientations.axcodes2ornt(codes)
    for axes in itertools.permutations(("RL", "AP", "SI"))
    for codes in itertools.product(*axes)
]


def reoriented(image, orientation):
    """The same image stored in another axis order."""
    turn = nib.orientations.ornt_transform(nib.io_orientation(image.affine), orientation)
    return image.as_reoriented(turn)


def oblique(spacing=(1.5, 2.0, 3.0), degrees=12.0):
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag(spacing)
    affine[:3, 3] = (-20, 13, 7)
    return affine


@pytest.mark.parametrize("orientation", ORIENTATIONS, ids=lambda o: "".join(nib.orientations.ornt2axcodes(o)))
def test_all_48_orientations_of_a_volume_give_one_and_the_same_scan(orientation, tmp_path):
    image = nib.Nifti1Image(asymmetric((4, 5, 6)), oblique())
    reoriented(image, orientation).to_filename(tmp_path / "turned.nii.gz")
    scan = load_scan(tmp_path / "turned.nii.gz")
    np.testing.assert_array_equal(scan.array[0], image.get_fdata())
    np.testing.assert_allclose(scan.affine, image.affine, atol=1e-5)
    assert scan.array.dtype == np.float32
    assert scan.array.flags.c_contiguous


@settings(max_examples=25, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 7)] * 3),
    orientation=st.sampled_from(ORIENTATIONS),
    degrees=st.floats(-30, 30),
    dtype=st.sampled_from([np.uint8, np.int16, np.float32, np.float64, ">i2"]),
)
def test_the_scan_is_the_same_however_a_volume_is_stored(tmp_path_factory, shape, orientation, degrees, dtype):
    image = nib.Nifti1Image(asymmetric(shape).astype(dtype), oblique(degrees=degrees), dtype=dtype)
    path = tmp_path_factory.mktemp("stored") / "volume.nii"
    reoriented(image, orientation).to_filename(path)
    scan = load_scan(path)
    np.testing.assert_array_equal(scan.array[0], image.get_fdata())
    np.testing.assert_allclose(scan.affine, image.affine, atol=1e-4)


@pytest.mark.parametrize("ending", ["volume.nii", "volume.nii.gz", "volume.hdr", "volume.img", "renamed.dcm"])
def test_the_form_of_the_file_makes_no_difference(ending, tmp_path):
    array = asymmetric((4, 5, 6))
    kind = nib.Nifti1Pair if ending.endswith(("hdr", "img")) else nib.Nifti1Image
    image = kind(array, oblique())
    written = tmp_path / ending.replace("renamed.dcm", "volume.nii")
    image.to_filename(written)
    if ending.endswith("dcm"):
        written = written.rename(tmp_path / ending)
    scan = load_scan(written)
    np.testing.assert_array_equal(scan.array[0], array)
    np.testing.assert_allclose(scan.affine, oblique(), atol=1e-5)
    assert scan.notes == ()


def test_a_pair_may_be_given_as_two_paths(tmp_path):
    nib.Nifti1Pair(asymmetric((3, 4, 5)), np.eye(4)).to_filename(tmp_path / "pair.img")
    scan = load_scan([tmp_path / "pair.hdr", tmp_path / "pair.img"])
    assert scan.shape == (3, 4, 5)
    assert scan.notes == ()


def test_nifti_2_is_read(tmp_path):
    nib.Nifti2Image(asymmetric((4, 5, 6)), oblique()).to_filename(tmp_path / "two.nii.gz")
    np.testing.assert_array_equal(load_scan(tmp_path / "two.nii.gz").array[0], asymmetric((4, 5, 6)))


@pytest.mark.parametrize("ending", ["mgh", "mgz"])
def test_mgh_is_read_as_nibabel_reads_it(ending, tmp_path):
    path = tmp_path / f"volume.{ending}"
    nib.MGHImage(asymmetric((4, 5, 6), np.float32), np.diag([-1.0, 2, 3, 1])).to_filename(path)
    expected = nib.as_closest_canonical(nib.load(path))
    scan = load_scan(path)
    np.testing.assert_array_equal(scan.array[0], expected.get_fdata())
    np.testing.assert_allclose(scan.affine, expected.affine, atol=1e-5)


def test_analyze_is_read_and_says_that_it_does_not_know_left_from_right(tmp_path):
    nib.Spm2AnalyzeImage(asymmetric((4, 5, 6)), np.diag([-2.0, 2, 2, 1])).to_filename(tmp_path / "old.img")
    scan = load_scan(tmp_path / "old.hdr")
    np.testing.assert_array_equal(scan.array[0], asymmetric((4, 5, 6))[::-1])
    assert any("which side is left" in note for note in scan.notes)


def test_scaling_in_the_header_is_applied(tmp_path):
    image = nib.Nifti1Image(asymmetric((4, 5, 6)), np.eye(4))
    image.header.set_slope_inter(0.25, -10)
    image.to_filename(tmp_path / "scaled.nii")
    stored = np.frombuffer((tmp_path / "scaled.nii").read_bytes()[352:], np.int16).reshape((4, 5, 6), order="F")
    np.testing.assert_allclose(load_scan(tmp_path / "scaled.nii").array[0], stored * 0.25 - 10)


@pytest.mark.parametrize(
    ("slope", "intercept", "expected"),
    [
        (0, 5, (1, 0)),
        (np.nan, 5, (1, 0)),
        (np.inf, 5, (1, 0)),
        (2, np.nan, (2, 0)),
        (2, np.inf, (2, 0)),
        (-1, 7, (-1, 7)),
    ],
)
def test_scaling_that_is_none_is_left_out(slope, intercept, expected, tmp_path):
    path = nifti(tmp_path / "scaled.nii", asymmetric((4, 5, 6)), scl_slope=slope, scl_inter=intercept)
    scan = load_scan(path)
    np.testing.assert_array_equal(scan.array[0], asymmetric((4, 5, 6)) * float(expected[0]) + expected[1])
    # only where values are scaled all the same is something lost that somebody meant
    assert bool(scan.notes) == (slope == 2)


def test_colours_are_not_scaled_and_both_parts_of_a_complex_number_are(tmp_path):
    colours = np.full((3, 4, 5), 100, dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    path = nifti(tmp_path / "rgb.nii", colours, scl_slope=2, scl_inter=7)
    np.testing.assert_allclose(load_scan(path).array, 100, atol=1e-4)
    path = nifti(tmp_path / "complex.nii", np.full((3, 4, 5), 1 + 2j, np.complex64), scl_slope=-2, scl_inter=1)
    np.testing.assert_allclose(load_scan(path).array, np.hypot(-1, -3), rtol=1e-6)


def test_a_series_of_volumes_is_read_one_by_one_and_says_so(tmp_path):
    path = nifti(tmp_path / "series.nii.gz", asymmetric((3, 4, 5, 6), np.int32))
    first = load_scan(path)
    assert any("6 volumes" in note and "first" in note for note in first.notes)
    np.testing.assert_array_equal(first.array[0], asymmetric((3, 4, 5, 6))[..., 0])
    np.testing.assert_array_equal(load_scan(path, volume=4).array[0], asymmetric((3, 4, 5, 6))[..., 4])
    assert len(list_volumes(path)) == 6
    with pytest.raises(BadInput, match="no volume 6"):
        load_scan(path, volume=6)


def test_axes_of_length_one_at_the_end_are_dropped_and_a_plane_is_a_volume_of_one_slice(tmp_path):
    assert load_scan(nifti(tmp_path / "a.nii", asymmetric((3, 4, 5, 1, 1)))).shape == (3, 4, 5)
    assert load_scan(nifti(tmp_path / "b.nii", asymmetric((3, 4)))).shape == (3, 4, 1)


def test_colour_is_read_as_luminance_and_says_so(tmp_path):
    colours = np.zeros((3, 4, 5), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    colours["G"] = 100
    scan = load_scan(nifti(tmp_path / "rgb.nii", colours))
    np.testing.assert_allclose(scan.array, 58.7, atol=1e-4)
    assert any("luminance" in note for note in scan.notes)


@pytest.mark.parametrize("alpha", [[], [("A", "u1")]])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_colours_are_kept_voxel_by_voxel_and_fed_to_a_network_of_three_channels(name, alpha, tmp_path):
    colours = np.zeros((3, 4, 5), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1"), *alpha])
    random = np.random.default_rng(0)
    for channel in colours.dtype.names:
        colours[channel] = random.integers(0, 256, colours.shape)
    scan = load_scan(nifti(tmp_path / name, colours))
    stored = np.stack([colours[channel] for channel in "RGB"])
    np.testing.assert_array_equal(scan.colours, stored)
    assert scan.units == "8-bit"
    contract = InputContract(dimensions=3, channels=3, intensity=Intensity(low=0, high=1))
    np.testing.assert_allclose(prepare(scan, contract).tensor[0], stored / 255, atol=1e-6)


def test_three_equal_channels_are_grey(tmp_path):
    colours = np.zeros((3, 4, 5), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    for channel in "RGB":
        colours[channel] = asymmetric((3, 4, 5), np.uint8)
    scan = load_scan(nifti(tmp_path / "grey.nii", colours))
    assert scan.colours is None
    np.testing.assert_array_equal(scan.array[0], asymmetric((3, 4, 5)))
    assert not any("luminance" in note for note in scan.notes)


def test_complex_is_read_as_magnitude_and_says_so(tmp_path):
    scan = load_scan(nifti(tmp_path / "complex.nii", np.full((3, 4, 5), 3 + 4j, np.complex64)))
    np.testing.assert_allclose(scan.array, 5)
    assert any("magnitude" in note for note in scan.notes)


def test_nan_and_infinity_become_zero_and_are_counted(tmp_path):
    array = np.ones((4, 5, 6), np.float32)
    array[0, 0, :2] = np.nan, np.inf
    scan = load_scan(nifti(tmp_path / "nan.nii", array))
    assert np.isfinite(scan.array).all()
    assert scan.array.sum() == 118
    assert any(note.startswith("2 voxels") for note in scan.notes)
    with pytest.raises(BadInput, match="Not one voxel"):
        load_scan(nifti(tmp_path / "all.nii", np.full((3, 4, 5), np.nan, np.float32)))


def test_lengths_in_micrometres_and_metres_become_millimetres(tmp_path):
    path = nifti(tmp_path / "small.nii", asymmetric((3, 4, 5)), np.diag([50.0, 50, 50, 1]), xyzt_units=3)
    assert load_scan(path).spacing_mm == pytest.approx((0.05, 0.05, 0.05))
    path = nifti(tmp_path / "large.nii", asymmetric((3, 4, 5)), np.diag([0.001, 0.001, 0.001, 1]), xyzt_units=1)
    assert load_scan(path).spacing_mm == pytest.approx((1, 1, 1))


def test_a_file_without_geometry_is_read_and_says_so(tmp_path):
    path = nifti(tmp_path / "bare.nii", asymmetric((3, 4, 5)), sform_code=0, qform_code=0)
    assert any("left and right are not certain" in note for note in load_scan(path).notes)


def test_an_unusable_sform_gives_way_to_the_qform(tmp_path):
    scan = load_scan(nifti(tmp_path / "broken.nii", asymmetric((3, 4, 5)), oblique(), srow_x=np.nan))
    np.testing.assert_allclose(scan.affine, oblique(), atol=1e-4)
    assert any("qform" in note for note in scan.notes)


@pytest.mark.parametrize("seed", range(8))
def test_no_flipped_bit_goes_unnoticed_in_a_gzip_file(seed, tmp_path):
    content = bytearray(nifti(tmp_path / "good.nii.gz", asymmetric((8, 9, 10))).read_bytes())
    place = 18 + (len(content) - 19) * seed // 8
    content[place] ^= 1 << seed
    (tmp_path / "flipped.nii.gz").write_bytes(content)
    with pytest.raises(BadInput):
        load_scan(tmp_path / "flipped.nii.gz")


def test_a_wrong_checksum_alone_is_noticed(tmp_path):
    content = bytearray(gzip.compress(nifti_header([3, 4, 5, 6]) + bytes(4 * 5 * 6 * 2)))
    content[-8] ^= 1
    (tmp_path / "checksum.nii.gz").write_bytes(content)
    with pytest.raises(BadInput, match="damaged"):
        load_scan(tmp_path / "checksum.nii.gz")


def test_nothing_of_the_header_s_free_text_gets_into_the_scan(tmp_path):
    path = nifti(tmp_path / "named.nii", asymmetric((3, 4, 5)), descrip=b"Sm1th", db_name=b"Sm1th", aux_file=b"Sm1th")
    assert "Sm1th" not in repr(load_scan(path))


def test_samples_of_one_file_never_start_inside_its_header(tmp_path):
    """Some programs leave ``vox_offset`` at 0 in a single file: the samples follow the header all the same."""
    path = nifti(tmp_path / "careless.nii", asymmetric((4, 5, 6)), vox_offset=0)
    np.testing.assert_array_equal(load_scan(path).array[0], asymmetric((4, 5, 6)))


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 2, 2), (3, 2, 1)])
def test_the_smallest_mgh_without_last_fields_is_read(tmp_path, shape):
    """Shorter than nibabel's header, which counts the fields behind the samples."""
    values = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    content = nib.freesurfer.mghformat.MGHImage(values, np.eye(4)).to_bytes()
    (tmp_path / "a.mgh").write_bytes(content[: 284 + values.size])
    np.testing.assert_array_equal(load_scan(tmp_path / "a.mgh").array[0], values)
    (tmp_path / "a.mgh").write_bytes(content[:283])
    with pytest.raises(BadInput, match="ends too early"):
        load_scan(tmp_path / "a.mgh")
