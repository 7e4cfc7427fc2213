import nibabel as nib
import numpy as np
import pytest

from core.scans.grid import Grid, resample


def line(count: int, spacing: float, start: float = 0.0) -> Grid:
    """An image whose first axis has `count` samples, `spacing` mm apart; three columns of 1 mm."""
    affine = np.diag([spacing, 1.0, 1.0, 1.0])
    affine[0, 3] = start
    return Grid((count, 3), affine)


def test_spacing_is_the_distance_between_neighbours_also_on_a_turned_grid():
    turned = np.array([[0.0, -2.0, 0.0, 5.0], [3.0, 0.0, 0.0, 0.0], [0.0, 0.0, 4.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    assert Grid((5, 6, 7), turned).spacing_mm == (3.0, 2.0, 4.0)
    assert Grid((5, 6), turned).spacing_mm == (3.0, 2.0)


def test_grids_are_the_same_when_no_sample_moves_by_more_than_the_tolerance():
    moved = line(5, 1.0, start=0.01)
    assert not line(5, 1.0).same_as(moved)
    assert line(5, 1.0).same_as(moved, tolerance_mm=0.02)
    assert not line(5, 1.0).same_as(line(6, 1.0))


def test_the_same_grid_gives_the_values_themselves():
    values = np.random.default_rng(0).random((5, 3))
    np.testing.assert_array_equal(resample(values, line(5, 1.0), line(5, 1.0)), values.astype(np.float32))


def test_linear_interpolation_lies_between_its_neighbours_and_the_fill_outside():
    values = np.repeat(np.array([0.0, 10.0, 20.0])[:, None], 3, axis=1)
    found = resample(values, line(3, 2.0), line(7, 1.0, start=-1.0), fill=-5.0)
    np.testing.assert_allclose(found[:, 1], [-5, 0, 5, 10, 15, 20, -5])
    assert found.dtype == np.float32


def test_labels_are_never_mixed_and_keep_their_type():
    values = np.repeat(np.array([3, 7, 7, 9], dtype=np.int32)[:, None], 3, axis=1)
    found = resample(values, line(4, 1.0), line(2, 2.0, start=0.4), order=0)
    assert found.dtype == np.int32
    assert found[:, 0].tolist() == [3, 7]


@pytest.mark.parametrize("step", [2, 4])
def test_before_a_coarser_grid_detail_is_blurred_by_the_width_that_the_coarser_step_adds(step):
    """A Gaussian stays one: its variance grows by (step² − 1) / 2.3548², and its peak falls accordingly."""
    width, count, centre = 3.0, 81, 40
    profile = np.exp(-0.5 * ((np.arange(count) - centre) / width) ** 2)
    found = resample(np.repeat(profile[:, None], 3, axis=1), line(count, 1.0), line(count // step + 1, float(step)))
    blur = np.sqrt(step**2 - 1) / 2.3548
    assert found[centre // step, 1] == pytest.approx(width / np.hypot(width, blur), rel=5e-3)


def test_a_finer_grid_is_not_blurred():
    profile = np.zeros(9)
    profile[4] = 1
    found = resample(np.repeat(profile[:, None], 3, axis=1), line(9, 2.0), line(17, 1.0))
    np.testing.assert_allclose(found[6:11, 1], [0, 0.5, 1, 0.5, 0])


@pytest.mark.parametrize(
    ("affine", "known"),
    [
        (np.eye(4), False),
        (np.diag([1.2, 1, 1, 1]), False),  # only the shape of a pixel is known
        (np.diag([1, 1.2, 1, 1]), False),
        (np.diag([1.2, 0.9, 1, 1]), True),
        (np.diag([0.9, 1, 1, 1]), True),
        (np.diag([-1, 1.2, 1, 1]), True),  # turned: it lies in space
        (nib.affines.from_matvec(np.diag([1, 1.2, 1]), [5, 0, 0]), True),
    ],
)
def test_an_image_whose_file_gives_no_size_of_a_pixel_is_in_pixels(affine, known):
    assert Grid((4, 5), np.asarray(affine)).in_millimetres == known
