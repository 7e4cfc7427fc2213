"""What a DICOM element holds is a number, or it is nothing."""

import numpy as np
import pytest

from core.scans.dicom.values import as_list, first_number, short_hash, unit_vectors, vector


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("3.5", 3.5),
        ([2, 9], 2),
        (7, 7),
        ("", None),
        (None, None),
        ("x", None),
        ("nan", None),
        (["inf"], None),
        ([], None),
    ],
)
def test_the_first_number_or_none(value, number):
    assert first_number(value) == number


def test_a_vector_is_complete_or_none():
    np.testing.assert_array_equal(vector(["1", 2, 3.0], 3), [1, 2, 3])
    assert vector([1, 2], 3) is None
    assert vector([1, "x", 3], 3) is None
    assert vector(None, 3) is None
    assert as_list("12") == ["12"]


def test_directions_have_length_one_or_span_no_plane():
    np.testing.assert_allclose(unit_vectors(np.array([1.1, 0, 0, 0, 0.9, 0])), [1, 0, 0, 0, 1, 0])
    assert unit_vectors(np.array([1.0, 0, 0, 1, 0, 0])) is None
    assert unit_vectors(np.zeros(6)) is None
    assert unit_vectors(None) is None


def test_a_uid_cannot_be_read_from_its_hash():
    assert len(short_hash("1.2.3")) == 16
    assert short_hash("1.2.3") != short_hash("1.2.4")
