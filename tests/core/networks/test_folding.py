"""Folding batch norm into convolutions changes the speed and nothing else."""

import pytest
import torch
from torch import nn

from core.models.zoo import build
from core.networks.folding import fold_batch_norm


def _with_random_statistics(network: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            module.weight.data.uniform_(0.5, 2)
            module.bias.data.normal_()
    return network.eval()


@pytest.mark.parametrize("shape", [(33, 33), (17, 19, 17)])
def test_the_folded_network_gives_the_same_logits_and_gradients(shape: tuple[int, ...]) -> None:
    network = _with_random_statistics(build("block-cnn", {"shape": shape})).double()
    folded = fold_batch_norm(network)
    x = torch.rand(2, 1, *shape, dtype=torch.float64)
    for model in (network, folded):
        model.requires_grad_(False)
    plain, fast = (x.clone().requires_grad_() for _ in range(2))
    torch.testing.assert_close(folded(fast), network(plain))
    network(plain)[:, 0].sum().backward()
    folded(fast)[:, 0].sum().backward()
    torch.testing.assert_close(fast.grad, plain.grad)
    assert not any(isinstance(m, nn.BatchNorm2d | nn.BatchNorm3d) for m in folded.modules())


def test_the_network_that_was_given_is_not_changed() -> None:
    network = _with_random_statistics(build("block-cnn", {"shape": (9, 9)})).train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    fold_batch_norm(network)
    assert network.training and all(p.requires_grad for p in network.parameters())
    for key, value in network.state_dict().items():
        torch.testing.assert_close(value, before[key])


def test_layers_keep_their_names() -> None:
    network = build("block-cnn", {"shape": (9, 9)})
    assert dict(fold_batch_norm(network).named_modules()).keys() == dict(network.named_modules()).keys()


def test_a_norm_that_follows_no_convolution_or_keeps_no_statistics_stays() -> None:
    network = nn.Sequential(
        nn.BatchNorm2d(1),
        nn.Conv2d(1, 2, 3),
        nn.BatchNorm2d(2, track_running_stats=False),
        nn.ReLU(),
        nn.BatchNorm2d(2),
    )
    folded = fold_batch_norm(network)
    assert len([m for m in folded.modules() if isinstance(m, nn.BatchNorm2d)]) == 3
    assert not folded.training
    assert not any(weights.requires_grad for weights in folded.parameters())
