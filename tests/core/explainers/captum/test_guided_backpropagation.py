import numpy as np
import torch
from torch import nn

from core.explainers.captum.guided_backpropagation import GuidedBackpropagation, hookable_copy
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
