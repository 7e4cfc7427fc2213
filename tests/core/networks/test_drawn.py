"""Networks drawn at random, asked in every way there is: windows, quick copies, places of layers.

250 of them each time; ``make fuzz-networks`` draws 2,000, or as many as COUNT says.
"""

import math
import os

import pytest
import torch
from torch import nn

from core.networks.choosing import responses_for
from core.networks.fast import fast_network
from core.networks.feature_maps import last_feature_map
from core.networks.geometry import layer_sampling
from core.networks.responses import at
from tests.core.networks.drawn import drawn_network
from tests.core.networks.windows.windowing import windows_of

COUNT, BLOCK = int(os.environ.get("LIGHTBOX_DRAWN_NETWORKS", "250")), 25
MEMORY = 64 * 2**20


def asked_in_windows(network: nn.Module, x: torch.Tensor, seed: int) -> bool:
    """Compare answers to changed windows with the network's; whether windows were used."""
    untouched = x.clone()
    responses = responses_for(network, x, MEMORY)
    whole = network(x.clone())
    windows = windows_of(tuple(x.shape[2:]), seed)[1:5]
    for window in windows:
        values = torch.randn(2, x.shape[1], *(axis.stop - axis.start for axis in window), dtype=x.dtype)
        box, answers = responses.changed(window, values)
        for value, answer in zip(values, answers, strict=True):
            changed = x.clone()
            at(changed, window).copy_(value)
            expected, found = network(changed), whole.clone()
            at(found, box).copy_(answer)
            # whole images are answered in float32
            close = 1e-8 if responses.reason is None else 1e-4
            largest = float(expected.nan_to_num(0, 0, 0).abs().max())
            torch.testing.assert_close(found, expected, rtol=close, atol=close * largest, equal_nan=True)
    assert torch.equal(x, untouched)
    if responses.reason is not None:
        # the first check would hide that a layer's windows are wrong
        assert "failed with" not in responses.reason and "differs" not in responses.reason, responses.reason
    return responses.reason is None


def asked_quickly(network: nn.Module, x: torch.Tensor) -> None:
    """Compare the quick copy with the network, in float32."""
    network, x = network.float(), x.float()
    inputs = torch.cat([x, x / 2, torch.randn_like(x)])
    expected = network(inputs.clone())
    found = fast_network(network, x.ndim - 2, "float32")(inputs)
    largest = float(expected.nan_to_num(0, 0, 0).abs().max())
    torch.testing.assert_close(found, expected, rtol=2e-3, atol=2e-3 * largest, equal_nan=True)


def placed(network: nn.Module, x: torch.Tensor) -> None:
    """Its last map is found, and each of its samples lies somewhere."""
    name = last_feature_map(network, x)
    if name is None:
        return
    sampling = layer_sampling(network, network.get_submodule(name), x)
    assert all(0 < step < math.inf for step in sampling.step)
    assert all(map(math.isfinite, sampling.start))


@pytest.mark.parametrize("first", range(0, COUNT, BLOCK))
@torch.no_grad()
def test_drawn_networks_are_asked_rightly_in_every_way(first):
    windowed = 0
    for seed in range(first, min(first + BLOCK, COUNT)):
        network, x = drawn_network(seed)
        try:
            windowed += asked_in_windows(network, x, seed)
            asked_quickly(network, x)
            placed(network, x.float())
        except Exception as error:
            error.add_note(f"seed {seed}: {network}")
            raise
    # what is always asked in whole images would test nothing
    assert windowed >= 0.5 * min(BLOCK, COUNT - first)
