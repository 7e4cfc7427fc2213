"""What is followed of a network is what the network does, or it is refused."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from core.errors import BadInput
from core.explainers import explain
from core.explainers.deconvnet.chain import NotAChainError, chain_to
from core.explainers.deconvnet.comparing import compare
from core.explainers.deconvnet.explainer import Deconvnet
from core.explainers.deconvnet.projection import Projection
from core.scans.scan import Scan
from tests.core.explainers.deconvnet.test_explainer import model_of
from tests.oracles import deconvnet as oracle

GUARDS = {
    "isinstance": lambda x: isinstance(x, torch.Tensor),
    "is_tensor": torch.is_tensor,
    "torch.jit.isinstance": lambda x: torch.jit.isinstance(x, torch.Tensor),
    "isinstance of several": lambda x: isinstance(x, list | torch.Tensor),
    "type": lambda x: type(x) is torch.Tensor,
    "gradients on": lambda x: "torch.Tensor" in str(type(x)),
    "not a stand-in": lambda x: not isinstance(x, torch.fx.Proxy),
    "try": lambda x: _finite(x),
}
#: those that torch.fx's reading cannot get right
TELLING = {"is_tensor", "torch.jit.isinstance", "type", "gradients on", "not a stand-in", "try"}


def _finite(x: torch.Tensor) -> bool:
    try:
        return bool(float(x.detach().sum()) < float("inf"))
    except Exception:
        return False


class Guarded(nn.Module):
    """Pools, rectifies or doubles between its convolutions only what a guard lets through."""

    def __init__(self, guard, what: str = "pool") -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second, self.last = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3), nn.Linear(4, 3)
        self.pool, self.relu = nn.MaxPool2d(2), nn.ReLU()
        self.guard, self.what = guard, what

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu(self.first(x))
        if self.what in ("pool", "double") and self.guard(x):
            x = self.pool(x) if self.what == "pool" else 2 * x
        x = self.second(x)
        if self.what == "end" and self.guard(x):
            x = 1 - x
        x = functional.relu(x)
        return self.last(x.mean((2, 3)))


@pytest.mark.parametrize("what", ["pool", "double", "end"])
@pytest.mark.parametrize("guard", GUARDS)
def test_a_guard_is_followed_as_the_network_goes_or_refused(guard, what):
    network = Guarded(GUARDS[guard], what).double().eval().requires_grad_(False)
    x = torch.randn(1, 1, 14, 13, dtype=torch.float64)
    chain = chain_to(network, "second")
    if guard in TELLING and (guard, what) != ("try", "end"):
        with pytest.raises(NotAChainError, match=r"when torch\.fx reads it"):
            compare(network, chain, x)
        return
    compare(network, chain, x)
    layers = [network.first, nn.ReLU(), *([nn.MaxPool2d(2)] if what == "pool" else []), network.second, nn.ReLU()]
    if what == "double":
        network.second.weight.mul_(2)
    activation, levels = oracle.up(layers, x)
    found = Projection(chain_to(Guarded(GUARDS[guard], what).double().eval().requires_grad_(False), "second"), x)
    np.testing.assert_allclose(found.activation[0].numpy(), activation, atol=1e-12)
    for number, values in found.single(range(4)):
        expected = oracle.one_filter(activation, levels, number)[0]
        np.testing.assert_allclose(values, expected, atol=1e-12)


def test_a_guarded_pool_is_told_to_the_person_with_what_to_do():
    scan = Scan(np.random.default_rng(0).random((1, 24, 20), dtype=np.float32), np.eye(4))
    model = model_of(Guarded(GUARDS["type"]), "second")
    for _ in range(2):
        with pytest.raises(BadInput, match=r"this network gives second other values .* use .*, or a layer nearer"):
            explain(scan, model, "deconvnet", filters=2)
    # up to the guard it is the chain that it seems
    assert explain(scan, model, "deconvnet", filters=2, layer="first").arrays["map"].values.any()


def test_a_network_is_compared_once_for_each_shape(monkeypatch):
    asked = []
    monkeypatch.setattr(
        "core.explainers.deconvnet.comparing.compare", lambda network, chain, x: asked.append(tuple(x.shape))
    )
    model = model_of(Guarded(GUARDS["isinstance"]), "second")
    for seed in range(2):
        scan = Scan(np.random.default_rng(seed).random((1, 24, 20), dtype=np.float32), np.eye(4))
        explain(scan, model, "deconvnet", filters=2)
    assert asked == [(1, 1, 24, 20)]


def test_layers_that_run_more_often_than_the_code_says_are_noticed():
    class Again(nn.Module):
        def __init__(self, times: int) -> None:
            super().__init__()
            self.conv, self.times = nn.Conv2d(2, 2, 3, padding=1), times

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            for _ in range(self.times if type(x) is torch.Tensor else 2):
                x = self.conv(x)
            return x.mean((2, 3))

    x = torch.randn(1, 2, 8, 8)
    compare(Again(2).eval(), chain_to(Again(2).eval(), "conv"), x)
    for times in (1, 3):
        network = Again(times).eval()
        with pytest.raises(NotAChainError):
            compare(network, chain_to(network, "conv"), x)


def test_what_a_network_draws_at_random_after_the_layer_is_no_difference():
    class Drawing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.last = nn.Conv2d(1, 4, 3), nn.Linear(4, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(functional.dropout(functional.relu(self.conv(x)).mean((2, 3)), 0.5))

    network = Drawing().eval().requires_grad_(False)
    x = torch.randn(1, 1, 9, 9)
    state = torch.get_rng_state()
    compare(network, chain_to(network, "conv"), x)
    assert torch.equal(torch.get_rng_state(), state)
    assert Deconvnet.unfit(model_of(network, "conv")) is None
