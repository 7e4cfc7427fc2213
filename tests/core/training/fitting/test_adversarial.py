"""The game of pix2pix, on images small enough to play it in seconds."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from core.errors import BadInput
from core.models.zoo import build
from core.models.zoo.patch_gan import PatchGAN
from core.progress import Progress, silent
from core.training.fitting.adversarial import GameSettings, jittered_batches, play

SETTINGS = GameSettings(
    steps=120,
    batch=4,
    learning_rate=2e-3,
    decay_share=0.5,
    l1_weight=100,
    gan_weight=1,
    crop=256,
    jitter_pixels=0,
    flip=False,
)


def inverted(count: int = 16, size: int = 16) -> tuple[torch.Tensor, torch.Tensor]:
    """Smooth images, and what should become of them: their negatives."""
    x = torch.randn(count, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    x = functional.interpolate(x, size, mode="bilinear").tanh()
    return x, -x


def networks() -> tuple[torch.nn.Module, torch.nn.Module]:
    torch.manual_seed(0)
    return build("pix2pix-unet", {"width": 4, "levels": 3}), PatchGAN(2, width=4, halvings=1)


def altered(**values: object) -> GameSettings:
    return GameSettings(**{**SETTINGS.__dict__, **values})


def test_the_generator_learns_and_both_losses_are_told() -> None:
    x, y = inverted()
    generator, discriminator = networks()
    before = float((generator.eval()(x) - y).detach().abs().mean())
    rows: list[Progress] = []
    play(generator, discriminator, x, y, SETTINGS, np.random.default_rng(0), rows.append)
    assert float((generator(x) - y).detach().abs().mean()) < 0.3 * before
    assert not generator.training
    assert [row.history["step"] for row in rows] == list(range(10, 121, 10))
    assert set(rows[-1].history) == {"step", "l1", "adversarial", "discriminator"}
    assert rows[-1].fraction == 1 and rows[-1].history["l1"] < rows[0].history["l1"]


def test_one_step_is_the_one_of_the_equations() -> None:
    """Losses of the first step, worked out from the networks as they were."""
    x, y = inverted(4)
    generator, discriminator = networks()
    torch.manual_seed(1)
    generator.train(), discriminator.train()
    made = generator(x)
    bce = functional.binary_cross_entropy
    real, fake = torch.sigmoid(discriminator(x, y)), torch.sigmoid(discriminator(x, made))
    wanted = (bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake))) / 2

    generator, discriminator = networks()
    torch.manual_seed(1)
    rows: list[Progress] = []
    play(generator, discriminator, x, y, altered(steps=1), np.random.default_rng(0), rows.append)
    # a batch of all pairs, in another order: means do not see it
    assert rows[0].history["discriminator"] == pytest.approx(float(wanted.detach()), rel=1e-4)
    assert rows[0].history["l1"] == pytest.approx(float((made - y).detach().abs().mean()), rel=1e-4)


def test_the_same_seed_plays_the_same_game() -> None:
    x, y = inverted()
    weights = []
    for _ in range(2):
        generator, discriminator = networks()
        play(generator, discriminator, x, y, altered(steps=3), np.random.default_rng(0), silent)
        weights.append(torch.cat([p.flatten() for p in generator.parameters()]))
    assert torch.equal(*weights)


def test_the_rate_falls_to_nothing_in_the_end() -> None:
    x, y = inverted()
    generator, discriminator = networks()
    # all of the steps are the falling part: half as far as at full rate, or less
    moved = []
    for decay in (0.0, 1.0):
        generator, discriminator = networks()
        before = generator.encoder[0].convolution.weight.detach().clone()
        play(generator, discriminator, x, y, altered(steps=20, decay_share=decay), np.random.default_rng(0), silent)
        moved.append(float((generator.encoder[0].convolution.weight - before).detach().abs().mean()))
    assert moved[1] < 0.8 * moved[0]


def test_input_and_target_are_jittered_alike_and_every_pair_is_used() -> None:
    x = torch.rand(5, 2, 12, 12)
    y = 3 * x[:, :1]
    settings = altered(batch=3, jitter_pixels=4, flip=True)
    batches = jittered_batches(x, y, settings, np.random.default_rng(0), torch.device("cpu"))
    for _ in range(10):
        a, b = next(batches)
        assert a.shape == (3, 2, 12, 12) and b.shape == (3, 1, 12, 12)
        torch.testing.assert_close(3 * a[:, :1], b)
    plain = jittered_batches(x, y, altered(batch=5), np.random.default_rng(0), torch.device("cpu"))
    a, _ = next(plain)
    assert sorted(image.sum().item() for image in a) == sorted(image.sum().item() for image in x)


def test_images_larger_than_the_crop_are_cropped() -> None:
    x = torch.arange(100.0).reshape(1, 1, 10, 10)
    batches = jittered_batches(x, x, altered(batch=1, crop=8), np.random.default_rng(0), torch.device("cpu"))
    corners = set()
    for _ in range(40):
        a, _ = next(batches)
        assert a.shape == (1, 1, 8, 8)
        corners.add(a[0, 0, 0, 0].item())
    assert corners == {10.0 * row + column for row in range(3) for column in range(3)}


def test_a_game_that_diverges_is_ended_with_a_sentence() -> None:
    x, y = inverted()
    generator, discriminator = networks()
    with pytest.raises(BadInput, match="lower learning_rate"):
        play(generator, discriminator, x * float("nan"), y, SETTINGS, np.random.default_rng(0), silent)
