"""What an input is like, in numbers that need no network."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from core.acceptance.descriptors import describe
from core.models.card import InputContract, Intensity


def contract(low=0.0, high=1.0, dimensions=2):
    return InputContract(dimensions=dimensions, intensity=Intensity(low=low, high=high))


def image(*shape, seed=0):
    smooth = ndimage.gaussian_filter(np.random.default_rng(seed).random(shape), 2)
    return torch.from_numpy((smooth / smooth.max()).astype(np.float32))[None, None]


@pytest.mark.parametrize(("shape", "places"), [((40, 32), 14**2), ((20, 18, 22), 9**3)])
def test_pictures_and_volumes_are_described_by_finite_numbers_of_fixed_count(shape, places):
    found = describe(image(*shape), contract(dimensions=len(shape)))
    assert {name: len(values) for name, values in found.items()} == {
        "values": 11,
        "sharpness": 7 + len(shape) + 1,
        "detail": 2,
        "layout": places,
    }
    assert all(np.isfinite(values).all() for values in found.values())


def test_values_are_told_in_shares_of_the_trained_range():
    one = image(40, 32)
    first, second = describe(one, contract()), describe(one * 900 - 100, contract(-100, 800))
    for name, values in first.items():
        assert second[name] == pytest.approx(values, abs=1e-4)


def test_an_even_image_has_its_value_in_every_quantile_and_in_every_place():
    found = describe(torch.full((1, 1, 40, 32), 0.5), contract())
    squeezed = np.arcsinh(1.0) / 2
    assert found["values"] == pytest.approx([squeezed] * 9 + [1, 0])
    assert found["layout"] == pytest.approx(np.zeros(196))


def test_background_is_no_part_of_the_quantiles_and_full_scale_is_counted():
    half = torch.zeros((1, 1, 40, 32))
    half[..., 16:] = 1
    low, *quantiles, high, front, full = describe(half, contract())["values"]
    assert (low, front, full) == (0, 0.5, 0.5)
    assert quantiles == pytest.approx([high] * 7)


def test_far_values_count_by_their_order_of_magnitude():
    far, further = (describe(image(40, 32) * factor, contract())["values"][8] for factor in (1e6, 1e12))
    assert further - far == pytest.approx(np.log(1e6) / 2, rel=1e-3)


def test_blur_takes_detail_and_noise_brings_it():
    one = image(64, 64)
    blurred = torch.from_numpy(ndimage.gaussian_filter(one.numpy(), (0, 0, 3, 3)))
    noisy = one + 0.3 * torch.from_numpy(np.random.default_rng(1).normal(size=(1, 1, 64, 64)).astype(np.float32))
    fine = [describe(each, contract())["detail"][0] for each in (blurred, one, noisy)]
    assert fine[0] < fine[1] - 0.5 < fine[2] - 1


def test_a_wave_is_in_the_band_of_its_frequency():
    wave = np.broadcast_to(np.sin(2 * np.pi * 0.25 * np.arange(64)), (64, 64)).astype(np.float32)
    bands = describe(torch.from_numpy(wave.copy())[None, None], contract())["sharpness"][:7]
    assert int(bands.argmax()) == 4  # 0.22..0.32 cycles a sample
    assert bands[4] == pytest.approx(0, abs=0.01)


def test_channels_are_averaged_and_one_plane_of_a_volume_has_no_step_across():
    three = torch.cat([image(40, 32), torch.zeros((1, 1, 40, 32)), image(40, 32)], dim=1)
    single = describe(image(40, 32) * 2 / 3, contract())
    assert describe(three, contract())["layout"] == pytest.approx(single["layout"], abs=1e-5)
    assert describe(three, contract())["values"] == pytest.approx(single["values"], abs=1e-5)
    assert np.isfinite(describe(image(20, 1, 22), contract(dimensions=3))["sharpness"]).all()


def test_what_lies_where_moves_with_the_image():
    one = image(42, 42)
    turned = describe(one.flip(2), contract())["layout"].reshape(14, 14)
    assert turned == pytest.approx(describe(one, contract())["layout"].reshape(14, 14)[::-1], abs=1e-4)


def test_what_lies_where_does_not_depend_on_exposure():
    one = image(42, 42)
    bright = describe(0.4 * one + 0.3, contract())["layout"]
    assert bright == pytest.approx(describe(one, contract())["layout"], abs=0.1)
    assert (bright.mean(), bright.std()) == (pytest.approx(0, abs=1e-6), pytest.approx(1, abs=0.06))
