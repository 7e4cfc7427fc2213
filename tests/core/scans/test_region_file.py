import io
import os

import nibabel
import numpy as np
import pytest
from PIL import Image

from core.errors import BadInput
from core.scans import Upload, load_region, load_uploaded_mask, load_uploaded_region
from core.scans.scan import Scan

AFFINE = np.diag([2.0, 2.0, 2.0, 1.0])
VOLUME = Scan(np.zeros((1, 4, 5, 6), np.float32), AFFINE)
PICTURE = Scan(np.zeros((1, 4, 5), np.float32), np.eye(4))
STRIP = Scan(np.zeros((1, 1, 2), np.float32), np.eye(4))


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


def uploaded(tmp_path, content, name="mask"):
    (tmp_path / "00000").write_bytes(content)
    return Upload(name, tmp_path / "00000")


def npy(values, **options):
    written = io.BytesIO()
    np.save(written, values, **options)
    return written.getvalue()


def test_an_uploaded_mask_is_told_apart_by_content_and_comes_with_its_values(tmp_path):
    values = np.array([[0, 2]], np.uint8)
    np.testing.assert_array_equal(load_uploaded_mask(uploaded(tmp_path, npy(values), "x.png"), STRIP), values)
    written = io.BytesIO()
    Image.fromarray(values).save(written, format="PNG")
    np.testing.assert_array_equal(load_uploaded_mask(uploaded(tmp_path, written.getvalue(), "x.npy"), STRIP), values)


def test_an_uploaded_mask_of_a_volume_lies_where_the_volume_does(tmp_path):
    volume = Scan(np.zeros((1, 3, 4, 5), np.float32), np.eye(4))
    marks = np.zeros((3, 4, 5), np.uint8)
    marks[1, 2, 3] = 1
    for affine, fits in ((np.eye(4), True), (np.diag([2.0, 2, 2, 1]), False)):
        upload = uploaded(tmp_path, nibabel.Nifti1Image(marks, affine).to_bytes())
        if fits:
            np.testing.assert_array_equal(load_uploaded_mask(upload, volume), marks)
        else:
            with pytest.raises(BadInput, match="elsewhere in space"):
                load_uploaded_mask(upload, volume)


def too_long():
    """A header that promises a terabyte."""
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1000000000000), }"
    header += b" " * (117 - len(header)) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (npy(np.zeros((2, 2))), "2×2 samples and the scan 1×2"),
        (npy(np.zeros((1, 2), complex)), "no real numbers"),
        (npy(np.array([[None, print]]), allow_pickle=True), "cannot be read"),
        (npy(np.zeros((1, 2)))[:-3], "cannot be read"),
        (too_long(), "cannot be read"),
        (b"\x93NUMPY", "cannot be read"),
        (b"", "empty"),
        (b"<svg onload=alert(1)>", "not an image"),
    ],
)
def test_a_hostile_or_foreign_mask_is_refused_in_a_sentence(tmp_path, content, sentence):
    with pytest.raises(BadInput, match=sentence):
        load_uploaded_mask(uploaded(tmp_path, content), STRIP)


def test_a_mask_in_colour_is_refused(tmp_path):
    written = io.BytesIO()
    Image.fromarray(np.array([[[255, 0, 0], [0, 0, 9]]], np.uint8)).save(written, format="PNG")
    with pytest.raises(BadInput, match="in colour"):
        load_uploaded_mask(uploaded(tmp_path, written.getvalue()), STRIP)


def test_an_uploaded_region_of_no_scan_is_what_is_above_0(tmp_path):
    marks = np.zeros((5, 4), np.float32)
    marks[2, 1:3] = 0.5
    np.save(tmp_path / "a.npy", marks)
    Image.fromarray((marks > 0).astype(np.uint8) * 255).save(tmp_path / "a.png")
    for name in ("a.npy", "a.png"):
        found = load_uploaded_region(Upload(name, tmp_path / name))
        assert (found.dtype, found.tolist()) == (np.dtype(bool), (marks > 0).tolist())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (np.zeros((3, 3)), "marks nothing"),
        (np.ones((2, 2, 2, 2)), "has 4 dimensions"),
        (np.array([["a"]]), "no real numbers"),
    ],
)
def test_an_uploaded_region_that_is_none_is_refused(tmp_path, content, said):
    np.save(tmp_path / "a.npy", content)
    with pytest.raises(BadInput, match=said):
        load_uploaded_region(Upload("a.npy", tmp_path / "a.npy"))


def with_header(text: bytes, body: bytes = bytes(64), version: int = 1) -> bytes:
    """An array file whose header says `text`."""
    padded = text + b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + len(padded).to_bytes(2, "little") + padded + body


DAMAGED_HEADERS = {
    "open brackets": b"(((((((",
    "brackets without end": b"(" * 9000,
    "no Python": b"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 4), }}",
    "shape of truths": b"{'descr': '<f8', 'fortran_order': False, 'shape': (True, 8), }",
    "shape of words": b"{'descr': '<f8', 'fortran_order': False, 'shape': ('2', 4), }",
    "negative shape": b"{'descr': '<f8', 'fortran_order': False, 'shape': (-2, -4), }",
    "320 TiB": b"{'descr': '<f8', 'fortran_order': False, 'shape': (44000000000000,), }",
    "more than numbers hold": b"{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775807, 99), }",
    "code": b"{'descr': __import__('os').getcwd(), 'fortran_order': False, 'shape': (2, 4), }",
    "objects": b"{'descr': '|O', 'fortran_order': False, 'shape': (2, 4), }",
    "type without size": b"{'descr': '|S0', 'fortran_order': False, 'shape': (2, 4), }",
    "type of nonsense": b"{'descr': [('a', 3), 7], 'fortran_order': False, 'shape': (2, 4), }",
    "no key": b"{'shape': (2, 4), }",
    "not even text": bytes(range(128, 250)),
    "an open string": b"{'descr': '''",
    "other indents": b"  1\n 2\n\t3",
    "version": b"",
}


@pytest.mark.parametrize("name", DAMAGED_HEADERS)
def test_a_damaged_array_is_one_sentence_on_page_and_command_line(tmp_path, name):
    content = with_header(DAMAGED_HEADERS[name], version=9 if name == "version" else 1)
    given = uploaded(tmp_path, content)
    (tmp_path / "r.npy").write_bytes(content)
    for read in (
        lambda: load_region(tmp_path / "r.npy", PICTURE),
        lambda: load_uploaded_region(given),
        lambda: load_uploaded_mask(given, PICTURE),
    ):
        with pytest.raises(BadInput, match=r"(?s)^[^\n]+ (cannot be read|no real numbers): [^\n]+\.$") as refused:
            read()
        assert refused.value.__cause__ is None


@pytest.mark.parametrize("cut", [1, 5, 8, 20, 100])
def test_a_cut_array_is_one_sentence(tmp_path, cut):
    (tmp_path / "r.npy").write_bytes(npy(np.ones((4, 5)))[:cut])
    with pytest.raises(BadInput, match=r"r\.npy cannot be read"):
        load_region(tmp_path / "r.npy", PICTURE)


def test_a_pipe_is_no_array(tmp_path):
    os.mkfifo(tmp_path / "r.npy")
    with pytest.raises(BadInput, match="cannot be read"):
        load_region(tmp_path / "r.npy", PICTURE)
