import numpy as np
import pytest

from core.errors import BadInput
from core.scans.scan import Form, HeaderForms, Scan, SourceSpace


@pytest.mark.parametrize(
    ("shape", "affine", "words"),
    [
        ((5, 5), np.eye(4), "is no scan's"),
        ((1, 1, 5, 5, 5), np.eye(4), "is no scan's"),
        ((1, 0, 5, 5), np.eye(4), "is no scan's"),
        ((1, 5, 5, 5), np.eye(3), "4x4"),
        ((1, 5, 5, 5), np.full((4, 4), np.nan), "finite"),
        ((1, 5, 5, 5), np.zeros((4, 4)), "length above 0"),
    ],
)
def test_what_cannot_be_a_scan_is_refused_when_it_is_made(shape, affine, words):
    with pytest.raises(BadInput, match=words):
        Scan(np.zeros(shape, dtype=np.float32), affine)


def test_a_scan_made_in_memory_has_the_hash_of_its_content():
    array = np.random.default_rng(0).random((1, 4, 5, 6), dtype=np.float32)
    scan = Scan(array, np.eye(4))
    assert (scan.dimensions, scan.channels, scan.shape) == (3, 1, (4, 5, 6))
    assert scan.content_hash == Scan(array.copy(), np.eye(4)).content_hash
    assert scan.content_hash != Scan(array + 1, np.eye(4)).content_hash
    assert scan.content_hash != Scan(array, np.diag([2.0, 1, 1, 1])).content_hash


def test_the_same_volume_stored_in_another_axis_order_is_another_scan():
    """Maps go back into the order of the file: found under one name, one of two files would get the other's."""
    array = np.random.default_rng(0).random((1, 4, 5, 6), dtype=np.float32)
    as_is, turned = np.array([[0, 1], [1, 1], [2, 1]]), np.array([[1, 1], [0, -1], [2, 1]])
    names = {
        Scan(array, np.eye(4), source=SourceSpace(np.eye(4), (4, 5, 6), orientation)).content_hash
        for orientation in (as_is, turned)
    }
    assert len(names) == 2


def test_the_same_volume_that_refers_to_something_else_is_another_scan():
    """A map leaves with the codes of its file: found under one name, one of two files would get the other's."""
    array = np.zeros((1, 4, 5, 6), np.float32)
    eye, moved = np.eye(4), np.diag([2.0, 1, 1, 1])
    forms = [
        None,
        HeaderForms(Form(eye, 1)),
        HeaderForms(Form(eye, 4)),
        HeaderForms(qform=Form(eye, 1)),
        HeaderForms(Form(eye, 1), Form(eye, 1)),
        HeaderForms(Form(eye, 1), Form(moved, 1)),
    ]
    spaces = [SourceSpace(eye, (4, 5, 6), np.array([[0, 1], [1, 1], [2, 1]]), found) for found in forms]
    assert len({Scan(array, eye, source=space).content_hash for space in spaces}) == len(forms)


def test_the_same_picture_in_another_unit_is_another_scan():
    """Models are fed by the unit: 12 bits and 16 are the same samples and another picture."""
    array = np.zeros((1, 4, 5), np.float32)
    units = (None, "8-bit", "12-bit", "16-bit")
    assert len({Scan(array, np.eye(4), units=unit).content_hash for unit in units}) == len(units)


def test_a_colour_picture_is_another_scan_than_its_luminance() -> None:
    grey = np.ones((1, 4, 5), np.float32)
    colours = np.ones((3, 4, 5), np.float32)
    plain, coloured = Scan(grey, np.eye(4)), Scan(grey, np.eye(4), colours=colours)
    assert plain.content_hash != coloured.content_hash
    assert coloured.content_hash != Scan(grey, np.eye(4), colours=2 * colours).content_hash
    assert coloured.channels == 1


@pytest.mark.parametrize("shape", [(2, 4, 5), (3, 4, 6), (4, 5)])
def test_colours_that_do_not_lie_on_the_image_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(BadInput, match="colours"):
        Scan(np.ones((1, 4, 5), np.float32), np.eye(4), colours=np.ones(shape, np.float32))


def test_an_image_whose_file_says_nothing_of_millimetres_has_none():
    values = np.zeros((1, 4, 5), np.float32)
    assert not Scan(values, np.eye(4)).in_millimetres
    assert Scan(values, np.diag([1.0, 0.5, 1, 1])).in_millimetres
    assert Scan(values[..., None], np.eye(4)).in_millimetres
