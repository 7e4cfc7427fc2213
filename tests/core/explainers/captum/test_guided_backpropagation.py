import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from core.errors import BadInput
from core.explainers import explain
from core.explainers.captum.guided_backpropagation import GuidedBackpropagation, hookable_copy
from core.scans.scan import Scan
from tests.core.explainers.test_networks_as_written import model_of
from tests.core.networks.userland import head
from tests.oracles import maps as oracle


def test_guided_backpropagation_rectifies_every_gradient(question):
    network = question.model.network
    layers = [network.centring]
    for block in network.features:
        layers += list(block)
    layers += [nn.Flatten(1), network.classifier]
    expected = oracle.guided_backpropagation(layers, question.prepared.tensor, 1)[0]
    found = GuidedBackpropagation().attribute(question, GuidedBackpropagation.parameters()).values
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert not np.allclose(found, oracle.gradient(network, question.prepared.tensor, 1)[0], atol=1e-3)


def test_hookable_copy_answers_like_the_network_even_when_its_rectifiers_are_in_place(question):
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.LeakyReLU(0.2, inplace=True))
    x = torch.rand(1, 1, 5, 5)
    copy = hookable_copy(network)
    torch.testing.assert_close(copy(x), network(x))
    assert all(isinstance(copy[i], nn.ReLU) and not copy[i].inplace for i in (1, 3))
    assert network[1].inplace


@pytest.mark.parametrize(
    "function", [functional.relu, torch.relu, lambda x: functional.leaky_relu(x, 0.1), torch.relu_]
)
def test_rectifiers_called_as_functions_by_code_that_cannot_be_traced_are_refused(function):
    class Looking(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.conv, self.relu, self.last, self.head = nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), head(4)
            self.called = function

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.relu(self.conv(x))
            if float(x.detach().sum()) > -1:
                x = self.last(x)
            return self.head(self.relu(x) if self.called is None else self.called(x))

    refused, model = model_of(Looking()), model_of(Looking())
    model.network.called = None
    scan = Scan(np.random.default_rng(0).random((1, 24, 26), dtype=np.float32), np.eye(4))
    assert GuidedBackpropagation.unfit(refused) is None  # its code does not tell
    with pytest.raises(BadInput, match="called as functions"):
        explain(scan, refused, "guided_backpropagation")
    # a rectifier that serves twice is no function
    assert explain(scan, model, "guided_backpropagation").arrays["map"].values.any()
