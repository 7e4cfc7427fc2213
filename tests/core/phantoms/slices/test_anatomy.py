"""Building blocks of slice phantoms: where things lie, how they move, what noise does."""

import numpy as np
import pytest

from core.phantoms.slices.anatomy import (
    SLICE_SHAPE,
    SliceAnatomy,
    bias_field,
    deform,
    magnify,
    rician_noise,
    sample_template,
    slice_anatomy,
    slice_points,
    smooth_image,
)


@pytest.fixture(scope="module")
def anatomy() -> SliceAnatomy:
    return slice_anatomy(18.0, np.random.default_rng(3), ventricles=0.1)


def test_a_slice_is_hung_anterior_on_top_with_the_right_side_on_the_left() -> None:
    points = slice_points(10.0)
    assert points.shape == (3, *SLICE_SHAPE)
    assert points[0, 0, 0] > 0 > points[0, 0, -1]
    assert points[1, 0, 0] > points[1, -1, 0]
    assert np.all(points[2] == 10)
    np.testing.assert_allclose(np.abs(np.diff(points[0], axis=1)), 1, atol=1e-4)
    np.testing.assert_allclose(np.abs(np.diff(points[1], axis=0)), 1, atol=1e-4)


def test_a_tilted_slice_keeps_its_distances_and_leaves_its_height() -> None:
    points = slice_points(10.0, tilt_degrees=(5, -3, 8))
    steps = [np.linalg.norm(np.diff(points, axis=axis), axis=0) for axis in (1, 2)]
    for step in steps:
        np.testing.assert_allclose(step, 1, atol=1e-3)
    assert np.ptp(points[2]) > 10


def test_turning_the_head_about_an_axis_keeps_that_axis() -> None:
    assert np.ptp(slice_points(0.0, tilt_degrees=(0, 0, 20))[2]) == 0
    flat = slice_points(0.0)
    np.testing.assert_allclose(slice_points(0.0, tilt_degrees=(10, 0, 0))[0], flat[0], atol=1e-4)


def test_template_samples_are_the_templates_own_voxels() -> None:
    from nilearn.datasets import load_mni152_template

    image = load_mni152_template(resolution=1)
    voxel = np.array([80, 100, 90])
    point = (image.affine @ [*voxel, 1])[:3].astype(np.float32)
    sampled = sample_template("t1", point[:, None, None])
    assert sampled[0, 0] == pytest.approx(float(image.dataobj[tuple(voxel)]), abs=1e-6)


def test_shares_of_tissue_and_air_add_up_to_one(anatomy: SliceAnatomy) -> None:
    parts = [anatomy.grey, anatomy.white, anatomy.fluid, anatomy.skull, anatomy.scalp, anatomy.air]
    assert min(part.min() for part in parts) >= 0
    np.testing.assert_allclose(np.sum(parts, axis=0), 1, atol=1e-5)


def test_brain_skull_and_scalp_lie_inside_one_another(anatomy: SliceAnatomy) -> None:
    middle = anatomy.head.shape[1] // 2
    rows = {name: np.flatnonzero(getattr(anatomy, name)[:, middle] > 0.5)[0] for name in ("grey", "skull", "scalp")}
    assert rows["scalp"] < rows["skull"] < rows["grey"]
    assert 0.3 < anatomy.head.mean() < 0.8


def test_larger_ventricles_hold_more_fluid_in_the_middle_of_the_head() -> None:
    narrow, wide = (slice_anatomy(18.0, np.random.default_rng(0), ventricles=v) for v in (-0.15, 0.4))
    central = np.s_[70:150, 70:130]
    assert wide.fluid[central].sum() > 1.3 * narrow.fluid[central].sum()


def test_magnifying_enlarges_the_centre_and_leaves_the_far_alone() -> None:
    points = slice_points(0.0)
    moved = magnify(points, (0.0, -18.0), 10.0, 0.3)
    row, column = (n // 2 for n in SLICE_SHAPE)
    assert abs(moved[0, row, column + 1] - moved[0, row, column]) == pytest.approx(0.7, abs=0.02)
    np.testing.assert_allclose(moved[:, 0, 0], points[:, 0, 0], atol=1e-3)
    assert np.diff(moved[0], axis=1).max() < 0  # nothing folds


def test_deformation_has_the_deviation_asked_for_and_does_not_fold() -> None:
    points = slice_points(0.0)
    moved = deform(points, 2.0, 32.0, np.random.default_rng(0))
    assert 1.2 < (moved - points).std() < 2.8
    assert np.diff(moved[0], axis=1).max() < 0


def test_fields_are_smooth_of_unit_variance_and_repeat_with_the_seed() -> None:
    image = smooth_image((200, 200), 8.0, np.random.default_rng(0))
    assert 0.8 < image.std() < 1.2
    assert np.abs(np.diff(image, axis=0)).mean() < 0.4
    np.testing.assert_array_equal(image, smooth_image((200, 200), 8.0, np.random.default_rng(0)))
    field = bias_field((200, 200), 0.2, np.random.default_rng(0))
    assert 0.4 < field.min() < 1 < field.max() < 2.5
    assert np.abs(np.diff(field, axis=0)).max() < 0.02


def test_rician_noise_is_gaussian_in_signal_and_lifts_air() -> None:
    random = np.random.default_rng(0)
    signal = rician_noise(np.full((200, 200), 0.5, np.float32), 0.02, random)
    assert signal.mean() == pytest.approx(0.5, abs=0.002)
    assert signal.std() == pytest.approx(0.02, abs=0.001)
    air = rician_noise(np.zeros((200, 200), np.float32), 0.02, random)
    assert air.mean() == pytest.approx(0.02 * np.sqrt(np.pi / 2), rel=0.02)


def test_the_same_state_is_the_same_person_and_another_is_not() -> None:
    first, again, other = (slice_anatomy(20.0, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.grey, again.grey)
    assert np.abs(first.grey - other.grey).mean() > 0.01
