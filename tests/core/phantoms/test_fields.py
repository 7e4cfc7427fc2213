"""Random fields of any number of axes."""

import numpy as np
import pytest

from core.phantoms.fields import random_field


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_a_field_has_unit_variance_and_the_width_asked_for_on_any_number_of_axes(axes: int) -> None:
    at, fwhm = np.arange(0, {1: 4000.0, 2: 300.0, 3: 90.0}[axes]), 6.0
    fields = [random_field([at] * axes, [(0.0, at[-1])] * axes, fwhm, np.random.default_rng(n)) for n in range(4)]
    field = np.stack(fields)
    assert field.dtype == np.float32 and field.shape == (4, *[len(at)] * axes)
    assert field.std() == pytest.approx(1, abs=0.1)
    # a Gaussian kernel of this width makes neighbours so many samples apart so alike
    lag, alike = 3, np.exp(-(3**2) / 4 / (fwhm / 2.3548) ** 2)
    assert np.mean(field[..., lag:] * field[..., :-lag]) / field.var() == pytest.approx(alike, abs=0.08)


def test_the_same_span_gives_the_same_field_however_it_is_sampled() -> None:
    fine, coarse = np.arange(0, 40.0, 0.5), np.arange(0, 40.0, 2.0)
    made = [random_field([at, at], [(0.0, 40.0)] * 2, 8.0, np.random.default_rng(3)) for at in (fine, coarse)]
    np.testing.assert_allclose(made[0][::4, ::4], made[1], atol=1e-5)
