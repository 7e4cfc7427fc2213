"""Random fills: where they go, how much, and that they are repeatable."""

import pytest
import torch

from core.training.fitting.fills import fill_at_random, random_blobs


def _support() -> torch.Tensor:
    x, y, z = torch.meshgrid(*(torch.linspace(-1, 1, n) for n in (30, 36, 30)), indexing="ij")
    return x**2 + y**2 + z**2 < 0.8


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3])
def test_blobs_cover_the_share_of_the_support_that_was_asked_for_and_nothing_else(share: float) -> None:
    support = _support()
    blobs = random_blobs(support, (6.0, 6.0, 6.0), 20.0, share, torch.Generator().manual_seed(0))
    assert not (blobs & ~support).any()
    assert float(blobs.sum() / support.sum()) == pytest.approx(share, abs=0.005)


def test_wider_blobs_have_less_surface() -> None:
    support = torch.ones(64, 64, dtype=torch.bool)

    def edges(width_mm: float) -> int:
        blobs = random_blobs(support, (1.5, 1.5), width_mm, 0.3, torch.Generator().manual_seed(0)).int()
        return int(blobs.diff(dim=0).abs().sum() + blobs.diff(dim=1).abs().sum())

    assert edges(24.0) < 0.7 * edges(6.0)


def test_filled_images_differ_inside_the_support_only_and_stay_in_range() -> None:
    support = _support()
    images = torch.rand(6, 1, *support.shape, generator=torch.Generator().manual_seed(1))
    mean = torch.full((1, *support.shape), 0.5)
    filled = fill_at_random(images, mean, support, (6.0,) * 3, (0.0, 1.0), 1.0, torch.Generator().manual_seed(2))
    changed = filled != images
    assert all(changed[i].any() for i in range(6))
    assert not (changed & ~support).any()
    assert filled.min() >= 0 and filled.max() <= 1


def test_images_are_left_alone_as_often_as_asked_and_the_batch_itself_never_changes() -> None:
    support = torch.ones(16, 16, dtype=torch.bool)
    images = torch.rand(400, 1, 16, 16)
    before = images.clone()
    mean = torch.zeros(1, 16, 16)

    def filled(share: float) -> torch.Tensor:
        return fill_at_random(images, mean, support, (3.0, 3.0), (0.0, 1.0), share, torch.Generator().manual_seed(3))

    assert torch.equal(filled(0.0), images)
    touched = (filled(0.75) != images).flatten(1).any(1).float().mean()
    assert 0.68 < float(touched) < 0.82
    assert torch.equal(images, before)


def test_the_same_generator_state_gives_the_same_fills() -> None:
    support = torch.ones(16, 16, dtype=torch.bool)
    images, mean = torch.rand(4, 1, 16, 16), torch.zeros(1, 16, 16)
    one, two = (
        fill_at_random(images, mean, support, (3.0, 3.0), (0.0, 1.0), 1.0, torch.Generator().manual_seed(5))
        for _ in range(2)
    )
    assert torch.equal(one, two)
