"""The swap test on networks whose answer is known."""

import numpy as np
import torch
from torch import nn

from core.training.fitting.swap import Swap, swap_test


class _LooksAt(nn.Module):
    """Logit of the second class: how much tissue is missing in one place."""

    def __init__(self, place: np.ndarray) -> None:
        super().__init__()
        self.place = torch.from_numpy(place)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        missing = 10 * (0.75 - (x[:, 0] * self.place).sum((1, 2)) / self.place.sum())
        return torch.stack([torch.zeros_like(missing), missing], dim=1)


def _swap(looks_at: np.ndarray, planted: np.ndarray) -> dict[str, float]:
    images = torch.where(torch.from_numpy(planted), 0.4, 1.0)[None, None].repeat(3, 1, 1, 1)
    healthy, support = torch.ones(1, 40, 40), torch.ones(40, 40, dtype=torch.bool)
    random = torch.Generator().manual_seed(0)
    return swap_test(_LooksAt(looks_at), images, 1, Swap(planted, healthy, support, (3.0, 3.0)), random)


def test_a_network_that_uses_the_planted_tissue_loses_its_probability_there_and_only_there() -> None:
    planted = np.zeros((40, 40), bool)
    planted[5:12, 5:15] = True
    result = _swap(planted, planted)
    assert result["voxels_swapped"] == 70
    assert result["probability_before"] > 0.9
    assert result["probability_planted_swapped"] < 0.1
    assert result["probability_elsewhere_swapped_lowest"] > 0.9


def test_elsewhere_holds_nothing_of_what_is_planted_however_large_that_is() -> None:
    planted = np.zeros((40, 40), bool)
    planted[:, :22] = True
    result = _swap(planted, planted)
    assert result["probability_elsewhere_swapped"] == result["probability_before"]


def test_a_network_that_looks_elsewhere_does_not_pass_the_swap_test() -> None:
    planted = np.zeros((40, 40), bool)
    planted[5:12, 5:15] = True
    result = _swap(~planted, planted)
    assert result["probability_planted_swapped"] == result["probability_before"]
