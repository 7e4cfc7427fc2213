import numpy as np
import pytest

from core.metrics.running import RunningImage


def test_mean_and_spread_are_those_of_all_images_together():
    random = np.random.default_rng(0)
    images = random.random((7, 3, 4)).astype(np.float32) + 1e4
    running = RunningImage()
    for image in images:
        running.add(image)
    exact = images.astype(np.float64)
    np.testing.assert_array_equal(running.mean, exact.mean(axis=0).astype(np.float32))
    np.testing.assert_allclose(running.spread, exact.std(axis=0), rtol=1e-6)
    assert (running.mean.dtype, running.spread.dtype) == (np.float32, np.float32)
    assert running.count == 7


def test_images_of_another_shape_than_the_first_are_counted_and_not_added():
    running = RunningImage()
    for values in (np.full((2, 3), 1.0), np.full((2, 3), 4.0), np.full((3, 2), 99.0)):
        running.add(values)
    np.testing.assert_array_equal(running.mean, np.full((2, 3), 2.5, np.float32))
    np.testing.assert_array_equal(running.spread, np.full((2, 3), 1.5, np.float32))
    assert (running.count, running.others) == (2, 1)


@pytest.mark.parametrize("spread", [True, False])
def test_nothing_is_said_before_the_first_image_nor_of_a_spread_that_nobody_wanted(spread):
    running = RunningImage(spread)
    assert running.mean is None
    assert running.spread is None
    running.add(np.ones(2))
    assert (running.spread is not None) is spread
