"""Errors of made images, against numbers worked out by hand and plainer code."""

import numpy as np
import pytest

from core.metrics.difference import (
    TISSUES_HU,
    difference,
    error_by_tissue,
    fit_intensity_regression,
    mean_absolute_error,
    mean_image,
    mean_squared_error,
    structural_similarity,
    tissue_of,
)

RANDOM = np.random.default_rng(0)


def test_the_difference_is_below_zero_where_the_made_image_is_too_low() -> None:
    made, true = np.array([0.0, 5.0, 2.0]), np.array([1.0, 3.0, 2.0])
    np.testing.assert_array_equal(difference(made, true), [-1, 2, 0])
    assert mean_absolute_error(made, true) == 1
    assert mean_squared_error(made, true) == pytest.approx(5 / 3)


def test_images_of_two_shapes_have_no_difference() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        difference(np.zeros((3, 4)), np.zeros((4, 3)))


def test_unsigned_pictures_do_not_wrap_around() -> None:
    assert mean_absolute_error(np.array([0], np.uint8), np.array([255], np.uint8)) == 255


def test_tissue_is_told_by_the_true_value_and_every_pixel_is_in_one() -> None:
    true = np.array([-1000.0, -200.1, -200.0, 0.0, 200.0, 200.1, 1200.0])
    masks = tissue_of(true)
    np.testing.assert_array_equal(masks["air"], [1, 1, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(masks["soft"], [0, 0, 1, 1, 1, 0, 0])
    np.testing.assert_array_equal(masks["bone"], [0, 0, 0, 0, 0, 1, 1])
    # a made image that calls bone air is wrong in bone
    errors = error_by_tissue(np.array([-1000.0, 10.0, -1000.0]), np.array([-1000.0, 0.0, 1000.0]))
    assert errors == {"air": 0, "soft": 10, "bone": 2000}
    assert np.isnan(error_by_tissue(np.zeros(3), np.zeros(3))["bone"])


def test_the_tissues_follow_each_other_without_a_gap() -> None:
    ends = sorted(TISSUES_HU.values())
    assert list(TISSUES_HU.values()) == ends
    assert [ends[0][0], ends[-1][1]] == [-np.inf, np.inf]
    assert [high for _, high in ends[:-1]] == [low for low, _ in ends[1:]] == [-200, 200]


def test_structural_similarity_is_the_equation_of_the_paper() -> None:
    """Wang et al. (2004), equation 13, window by window."""
    true = RANDOM.random((24, 20)) * 255
    made = true + RANDOM.normal(0, 20, true.shape)
    offsets = np.arange(-5, 6)
    window = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 1.5**2))
    window /= window.sum()
    constants = ((0.01 * 255) ** 2, (0.03 * 255) ** 2)
    found = []
    for row in range(5, 19):
        for column in range(5, 15):
            place = (slice(row - 5, row + 6), slice(column - 5, column + 6))
            a, b = made[place], true[place]
            mean_a, mean_b = (window * a).sum(), (window * b).sum()
            var_a, var_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
            both = (window * (a - mean_a) * (b - mean_b)).sum()
            found.append(
                (2 * mean_a * mean_b + constants[0])
                * (2 * both + constants[1])
                / (mean_a**2 + mean_b**2 + constants[0])
                / (var_a + var_b + constants[1])
            )
    assert structural_similarity(made, true, 0, 255) == pytest.approx(np.mean(found), abs=1e-6)


def test_structural_similarity_does_not_depend_on_the_units() -> None:
    true, made = RANDOM.random((2, 32, 32))
    one = structural_similarity(made, true, 0, 1)
    assert structural_similarity(true, true, 0, 1) == pytest.approx(1)
    assert -1 <= one < 0.5
    # contrast and structure terms do not see the shift of −1024, only the luminance term does
    assert structural_similarity(255 * made, 255 * true, 0, 255) == pytest.approx(one)
    assert np.isnan(structural_similarity(true[:8], true[:8], 0, 1))


def test_the_regression_guesses_the_mean_target_of_each_value() -> None:
    images = np.array([0.0, 0.0, 1.0, 1.0, 2.0, 4.0])
    targets = np.array([10.0, 20.0, 5.0, 7.0, -3.0, 9.0])
    guess = fit_intensity_regression(images, targets, bins=5)
    # 3 was never seen: between its neighbours; beyond the ends: the ends
    np.testing.assert_allclose(guess(np.array([[0, 1, 2], [3, 4, 99]])), [[15, 6, -3], [3, 9, 9]])
    assert guess(np.array([-5.0])) == 15


def test_no_function_of_the_pixels_value_fits_better_than_the_regression() -> None:
    images = RANDOM.random((3, 16, 16)).round(1)
    targets = np.sin(5 * images) + RANDOM.normal(0, 0.1, images.shape)
    guess = fit_intensity_regression(images, targets)
    assert guess.values.shape == (128,)
    best = mean_squared_error(guess(images), targets)
    assert best == pytest.approx(sum(targets[images == v].var() * (images == v).sum() for v in np.unique(images)) / 768)
    assert best < mean_squared_error(np.polyval(np.polyfit(images.ravel(), targets.ravel(), 3), images), targets)


def test_the_mean_image_has_the_least_squared_error_of_all_constant_guesses() -> None:
    targets = RANDOM.random((5, 4, 4))
    mean = mean_image(targets)
    np.testing.assert_allclose(mean, targets.mean(axis=0), rtol=1e-6)
    error = np.square(targets - mean).mean()
    assert all(np.square(targets - (mean + shift)).mean() > error for shift in (-0.01, 0.01))


def test_pairs_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="not pairs"):
        fit_intensity_regression(np.zeros((2, 3)), np.zeros((3, 2)))
