import numpy as np
import pytest
import torch
from scipy import ndimage

from core.explainers.ibix.perturbations import Perturbation

WINDOW = (slice(4, 8), slice(5, 9))


def marked() -> torch.Tensor:
    inside = torch.ones(4, 4, dtype=torch.bool)
    inside[0, 0] = False
    return inside


def direction(kind: str, x: torch.Tensor, **options: object) -> torch.Tensor:
    return Perturbation(kind, x, (1.0, 1.0), **options).direction(WINDOW, marked())


def test_only_the_region_is_changed_by_any_perturbation():
    x = torch.rand(1, 2, 14, 15)
    for kind in ("add", "multiply", "noise", "blur", "mean", "inpaint"):
        d = direction(kind, x)
        assert d.shape == (2, 4, 4)
        assert (d[:, 0, 0] == 0).all()
        assert d.abs().max() > 0
        alone = direction(kind, x, channel=1)
        torch.testing.assert_close(alone[1], d[1])
        assert not alone[0].any()


def test_adding_multiplying_and_blurring_are_what_they_say():
    x = torch.rand(1, 1, 14, 15)
    inside, here = marked(), x[0, 0, 4:8, 5:9]
    torch.testing.assert_close(direction("add", x)[0], inside.float())
    torch.testing.assert_close(direction("multiply", x)[0], here * inside)
    blurred = torch.from_numpy(ndimage.gaussian_filter(x[0, 0].numpy(), 4.0 / 2.3548, mode="nearest"))[4:8, 5:9]
    torch.testing.assert_close(direction("blur", x, blur_mm=4.0)[0], (blurred - here) * inside)


def test_noise_is_drawn_once_and_from_its_seed():
    x = torch.zeros(1, 1, 14, 15)
    torch.testing.assert_close(direction("noise", x, seed=3), direction("noise", x, seed=3))
    assert not torch.equal(direction("noise", x, seed=3), direction("noise", x, seed=4))


def test_the_mean_is_that_of_the_ring_around_the_region():
    x = torch.rand(1, 1, 14, 15)
    place = np.zeros((14, 15), dtype=bool)
    place[WINDOW] = marked().numpy()
    ring = ndimage.binary_dilation(place, iterations=3) & ~place
    expected = x[0, 0].numpy()[ring].mean() - x[0, 0, 4:8, 5:9].numpy()
    np.testing.assert_allclose(direction("mean", x)[0].numpy(), expected * marked().numpy(), atol=1e-6)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_filling_in_continues_a_ramp_over_a_hole(dimensions):
    axes = np.meshgrid(*(np.arange(12.0),) * dimensions, indexing="ij")
    ramp = 0.05 * axes[0] + 0.03 * axes[-1]
    window = (slice(4, 7),) * dimensions
    holed = ramp.copy()
    holed[window] = 9.0
    x = torch.from_numpy(holed.astype(np.float32))[None, None]
    d = Perturbation("inpaint", x, (1.0,) * dimensions).direction(
        window, torch.ones((3,) * dimensions, dtype=torch.bool)
    )
    np.testing.assert_allclose(9.0 + d[0].numpy(), ramp[window], atol=2e-3)


def test_a_region_that_is_the_whole_image_goes_towards_its_mean():
    x = torch.rand(1, 1, 6, 6)
    d = Perturbation("mean", x, (1.0, 1.0)).direction((slice(0, 6), slice(0, 6)), torch.ones(6, 6, dtype=torch.bool))
    torch.testing.assert_close(d[0] + x[0, 0], torch.full((6, 6), float(x.mean())))
