"""Turning between a file's axes and RAS+ costs no copy and loses no voxel."""

import itertools

import nibabel as nib
import numpy as np
import pytest

from core.scans.orientation import file_view, ras_affine, ras_shape, source_space, usable_affine
from tests.core.scans.making import asymmetric

SIGNED_AXES = [
    (order, signs) for order in itertools.permutations(range(3)) for signs in itertools.product((1, -1), repeat=3)
]


@pytest.mark.parametrize(("order", "signs"), SIGNED_AXES)
def test_a_view_in_file_order_agrees_with_nibabel(order, signs):
    affine = np.eye(4)
    affine[:3, :3] = np.eye(3)[:, order] * signs * (2.0, 3.0, 4.0)
    affine[:3, 3] = (5, -6, 7)
    stored = asymmetric((3, 4, 5))
    space = source_space(affine, stored.shape)
    canonical = nib.as_closest_canonical(nib.Nifti1Image(stored, affine))
    assert ras_shape(space) == canonical.shape
    np.testing.assert_allclose(ras_affine(space), canonical.affine)
    view = file_view(canonical.get_fdata(), space)
    np.testing.assert_array_equal(view, stored)
    written = np.zeros(canonical.shape)
    file_view(written, space)[...] = stored
    np.testing.assert_array_equal(written, canonical.get_fdata())


@pytest.mark.parametrize(
    ("affine", "usable"),
    [
        (np.eye(4), True),
        (np.diag([0.0, 1, 1, 1]), False),
        (np.diag([np.nan, 1, 1, 1]), False),
        (np.diag([1e9, 1, 1, 1]), False),
        (np.array([[1.0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]), False),
        (np.eye(3), False),
    ],
)
def test_an_affine_that_makes_no_sense_is_recognised(affine, usable):
    assert usable_affine(affine) is usable
