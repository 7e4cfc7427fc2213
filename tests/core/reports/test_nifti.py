"""A map that leaves lies on the file it belongs to, voxel by voxel."""

import io
import itertools

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from core.errors import BadInput
from core.reports.nifti import nifti_bytes, png_bytes, write_map
from core.scans import Scan, load_scan
from tests.core.scans.making import asymmetric, dicom, save, slice_at

ORIENTATIONS = [
    "".join(codes) for axes in itertools.permutations(("RL", "AP", "SI")) for codes in itertools.product(*axes)
]


def stored_as(codes, shape, degrees=0.0):
    angle = np.deg2rad(degrees)
    affine = np.eye(4)
    affine[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    affine[:3, :3] = affine[:3, :3] @ np.diag([1.5, 2, 3])
    affine[:3, 3] = (-20, 13, 7)
    image = nib.Nifti1Image(asymmetric(shape), affine)
    turn = nib.orientations.ornt_transform(nib.io_orientation(affine), nib.orientations.axcodes2ornt(codes))
    return image.as_reoriented(turn)


@settings(max_examples=25, deadline=None)
@given(codes=st.sampled_from(ORIENTATIONS), shape=st.tuples(*[st.integers(1, 6)] * 3), degrees=st.floats(-25, 25))
def test_a_map_goes_back_onto_its_file_voxel_by_voxel(tmp_path_factory, codes, shape, degrees):
    folder = tmp_path_factory.mktemp("maps")
    stored_as(codes, shape, degrees).to_filename(folder / "scan.nii.gz")
    scan = load_scan(folder / "scan.nii.gz")
    name = write_map(scan.array[0] * 2 + 1, scan, folder, "map")
    original, written = nib.load(folder / "scan.nii.gz"), nib.load(folder / name)
    assert written.shape == original.shape
    np.testing.assert_allclose(written.affine, original.affine, atol=1e-4)
    np.testing.assert_array_equal(written.get_fdata(), original.get_fdata() * 2 + 1)
    assert written.get_data_dtype() == np.float32
    np.testing.assert_allclose(written.get_qform(), original.affine, atol=1e-3)


MNI = np.array([[-2.0, 0, 0, 90], [0, 2, 0, -126], [0, 0, 2, -72], [0, 0, 0, 1]])
SCANNER = np.array(
    [
        [-2.0, 0, 0, 80],
        [0, 2 * np.cos(0.1), -2 * np.sin(0.1), -100],
        [0, 2 * np.sin(0.1), 2 * np.cos(0.1), -60],
        [0, 0, 0, 1],
    ]
)


@pytest.mark.parametrize("codes", [(4, 1), (4, 0), (0, 1), (1, 1), (2, 2), (5, 3), (0, 0)], ids=str)
@pytest.mark.parametrize("image_class", [nib.Nifti1Image, nib.Nifti2Image])
def test_a_map_refers_to_what_its_source_refers_to(codes, image_class, tmp_path):
    source = image_class(asymmetric((3, 4, 5)).astype(np.float32), MNI)
    source.set_sform(MNI if codes[0] else None, codes[0])
    source.set_qform(SCANNER if codes[1] else None, codes[1])
    source.to_filename(tmp_path / "scan.nii")
    source = nib.load(tmp_path / "scan.nii")
    scan = load_scan(tmp_path / "scan.nii")
    written = nib.load(tmp_path / write_map(scan.array[0], scan, tmp_path, "map"))
    assert (int(written.header["sform_code"]), int(written.header["qform_code"])) == codes
    np.testing.assert_allclose(written.affine, source.affine, atol=1e-5)
    for form in ("get_sform", "get_qform"):
        kept, known = getattr(written, form)(coded=True), getattr(source, form)(coded=True)
        assert kept[1] == known[1]
        if known[1]:
            np.testing.assert_allclose(kept[0], known[0], atol=1e-4)
    np.testing.assert_array_equal(written.get_fdata(), source.get_fdata())


def test_a_code_without_a_meaning_leaves_as_aligned_to_another_file(tmp_path):
    image = nib.Nifti1Image(asymmetric((3, 4, 5)), MNI)
    image.header["sform_code"], image.header["qform_code"] = 99, 0
    content = bytearray(image.to_bytes())
    (tmp_path / "scan.nii").write_bytes(content)
    scan = load_scan(tmp_path / "scan.nii")
    written = nib.load(tmp_path / write_map(scan.array[0], scan, tmp_path, "map"))
    assert (int(written.header["sform_code"]), int(written.header["qform_code"])) == (2, 0)
    np.testing.assert_allclose(written.affine, MNI)


@pytest.mark.parametrize(
    ("kind", "neutral", "intent", "low", "high"),
    [
        ("attribution", None, 1001, -1, 3),
        ("attribution", 0.0, 1001, -3, 3),
        ("attribution", 1.0, 1001, -1, 3),
        ("mask", None, 1001, 0, 1),
        ("labels", None, 1002, 0, 3),
        ("image", None, 0, -1, 3),
        ("answer", None, 0, -1, 3),
    ],
)
def test_the_header_says_what_the_values_are_and_where_colours_begin(kind, neutral, intent, low, high, tmp_path):
    values = np.full((6, 7, 8), -1.0, np.float32)
    values[3:] = 3
    if kind == "labels":
        values = np.where(values > 0, 3, 0).astype(np.int16)
    scan = Scan(np.zeros((1, 6, 7, 8), np.float32), np.eye(4))
    header = nib.load(tmp_path / write_map(values, scan, tmp_path, "map", kind, neutral)).header
    assert int(header["intent_code"]) == intent
    assert (float(header["cal_min"]), float(header["cal_max"])) == (low, high)


def test_a_map_of_one_value_leaves_the_colours_to_the_viewer(tmp_path):
    scan = Scan(np.zeros((1, 3, 4, 5), np.float32), np.eye(4))
    header = nib.load(tmp_path / write_map(scan.array[0], scan, tmp_path, "map")).header
    assert (float(header["cal_min"]), float(header["cal_max"])) == (0, 0)


def test_a_written_map_is_read_back_into_the_same_scan_space(tmp_path):
    stored_as("PSR", (4, 5, 6)).to_filename(tmp_path / "scan.nii")
    scan = load_scan(tmp_path / "scan.nii")
    again = load_scan(tmp_path / write_map(scan.array[0], scan, tmp_path, "map"))
    np.testing.assert_array_equal(again.array, scan.array)
    np.testing.assert_allclose(again.affine, scan.affine, atol=1e-4)


def test_a_map_of_a_tilted_dicom_stack_keeps_the_shear(tmp_path):
    (tmp_path / "series").mkdir()
    for place in range(3):
        data = slice_at((0, 0, 3.0 * place), asymmetric((4, 5)), (1, 0, 0, 0, 0.9659258, -0.2588190))
        save(data, tmp_path / "series" / f"{place}.dcm")
    scan = load_scan(tmp_path / "series")
    written = nib.load(tmp_path / write_map(scan.array[0], scan, tmp_path, "map"))
    np.testing.assert_allclose(written.affine, scan.source.affine, atol=1e-4)
    assert written.shape == (5, 4, 3)
    assert int(written.header["qform_code"]) == 0


@pytest.mark.parametrize(
    ("dtype", "kept"), [(bool, "uint8"), ("uint8", "uint8"), ("int64", "int32"), ("float64", "float32")]
)
def test_values_are_stored_in_a_type_every_reader_knows(dtype, kept, tmp_path):
    scan = Scan(np.zeros((1, 2, 3, 4), np.float32), np.eye(4))
    written = nib.load(tmp_path / write_map(np.ones((2, 3, 4), dtype), scan, tmp_path, "map"))
    assert written.get_data_dtype() == np.dtype(kept)


def test_directions_written_with_five_digits_keep_the_qform(tmp_path):
    affine = np.round(stored_as("RAS", (3, 4, 5), 20.0).affine, 5)
    scan = Scan(asymmetric((1, 3, 4, 5)).astype(np.float32), affine)
    written = nib.load(tmp_path / write_map(scan.array[0], scan, tmp_path, "map"))
    assert int(written.header["qform_code"]) == 2
    np.testing.assert_allclose(written.get_qform(), affine, atol=1e-3)
    np.testing.assert_allclose(written.affine, affine, atol=1e-6)


def test_the_same_map_gives_the_same_bytes():
    scan = Scan(np.zeros((1, 2, 3, 4), np.float32), np.eye(4))
    assert nifti_bytes(scan.array[0], scan) == nifti_bytes(scan.array[0], scan)


def test_a_map_of_an_image_is_an_array_and_a_picture(tmp_path):
    scan = load_scan(save(dicom(asymmetric((4, 5)), Modality="DX"), tmp_path / "x.dcm"))
    values = np.linspace(-1, 3, 20).reshape(4, 5)
    assert write_map(values, scan, tmp_path, "map") == "map.npy"
    np.testing.assert_array_equal(np.load(tmp_path / "map.npy"), values.astype(np.float32))
    with Image.open(tmp_path / "map.png") as picture:
        assert picture.size == (5, 4)
        assert (float(picture.text["low"]), float(picture.text["high"])) == (-1, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.npy", "map.png", "x.dcm"]


def test_a_diverging_picture_is_pale_where_the_map_means_nothing(tmp_path):
    (tmp_path / "p.png").write_bytes(png_bytes(np.array([[-1.0, 0.0, 0.5]]), neutral=0.0))
    with Image.open(tmp_path / "p.png") as picture:
        blue, pale, red = np.asarray(picture)[0].astype(int)
        assert float(picture.text["high"]) == 1
    assert blue[2] > blue[0]
    assert min(pale) > 210 and max(pale) - min(pale) <= 3
    assert red[0] > red[2]


def test_the_heat_of_a_picture_with_signs_is_dark_where_it_means_nothing(tmp_path):
    (tmp_path / "p.png").write_bytes(png_bytes(np.array([[-1.0, 0.0, 0.5]]), neutral=0.0, heat=True))
    with Image.open(tmp_path / "p.png") as picture:
        large, nothing, middle = np.asarray(picture)[0].astype(int)
        assert float(picture.text["low"]) == 0
    assert sum(nothing) < 10 < sum(middle) < sum(large)


def test_a_map_of_one_value_and_an_image_are_drawn_too():
    assert png_bytes(np.zeros((3, 4)))
    assert png_bytes(asymmetric((3, 4)), kind="image")


def test_a_map_of_another_shape_is_refused(tmp_path):
    scan = Scan(np.zeros((1, 2, 3, 4), np.float32), np.eye(4))
    with pytest.raises(BadInput, match="scan space"):
        write_map(np.zeros((2, 3)), scan, tmp_path, "map")
    with pytest.raises(BadInput, match="no NIfTI form"):
        nifti_bytes(np.zeros((2, 3)), Scan(np.zeros((1, 2, 3), np.float32), np.eye(4)))


@pytest.mark.parametrize(
    ("steps", "shape", "size"),
    [
        ((1.0, 1.0), (6, 9), (6, 9)),
        ((1.5, 0.5), (6, 9), (18, 9)),
        ((0.4, 1.0), (6, 9), (6, 22)),
        ((1.0, 1.005), (60, 90), (60, 90)),
        ((0.001, 50.0), (3, 2000), (3, 2000)),
    ],
    ids=["square", "rows far apart", "columns far apart", "rounding", "absurd"],
)
def test_a_picture_of_oblong_pixels_has_the_shape_of_what_it_shows(tmp_path, steps, shape, size):
    values = np.random.default_rng(0).random(shape).astype(np.float32)
    scan = Scan(np.zeros((1, *shape), np.float32), np.diag([*steps, 1.0, 1.0]))
    write_map(values, scan, tmp_path, "map")
    np.testing.assert_array_equal(np.load(tmp_path / "map.npy"), values)
    with Image.open(tmp_path / "map.png") as picture:
        assert picture.size[::-1] == size
        assert ("pixels" in picture.text) == (size != shape)
        shown = np.asarray(picture)
    with Image.open(io.BytesIO(png_bytes(values))) as plain:
        stored = np.asarray(plain)
    assert {tuple(colour) for colour in shown.reshape(-1, 3)} == {tuple(colour) for colour in stored.reshape(-1, 3)}
