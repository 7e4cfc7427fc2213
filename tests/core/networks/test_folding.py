"""Folding batch norm into convolutions changes the speed and nothing else."""

import pytest
import torch
from torch import nn

from core.models.zoo import build
from core.networks.folding import convolution_with_norm, fold_batch_norm
from tests.core.networks.userland import MAKERS, userland


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


#: their graphs do not tell that the copy is another function, or cannot be asked: `fast_network` compares
_NOT_IN_THE_GRAPH = {"a guard", "reads its weights"}


@pytest.mark.parametrize("name", sorted(set(MAKERS) - _NOT_IN_THE_GRAPH))
def test_a_network_as_people_write_them_is_folded_rightly_or_left_alone(name: str) -> None:
    network = userland(name).double()
    x = torch.randn(2, 1, 17, 19, dtype=torch.float64)
    torch.testing.assert_close(fold_batch_norm(network)(x.clone()), network(x.clone()), rtol=1e-9, atol=1e-9)


def test_pairs_are_folded_wherever_the_graph_shows_them() -> None:
    class Written(nn.Module):
        """No Sequential anywhere."""

        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4)
            self.c, self.d = nn.ConvTranspose2d(4, 2, 3), nn.BatchNorm2d(2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.d(self.c(torch.relu(self.b(self.a(x)))))

    network = _with_random_statistics(Written()).double()
    folded = fold_batch_norm(network)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    x = torch.rand(2, 1, 9, 9, dtype=torch.float64)
    torch.testing.assert_close(folded(x), network(x))


@pytest.mark.parametrize(
    ("convolution", "norm"),
    [
        (nn.ConvTranspose2d(4, 4, 3, groups=2), nn.BatchNorm2d(4)),
        (nn.utils.parametrizations.weight_norm(nn.Conv2d(1, 4, 3)), nn.BatchNorm2d(4)),
        (nn.utils.spectral_norm(nn.Conv2d(1, 4, 3)), nn.BatchNorm2d(4)),
        (nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4, track_running_stats=False)),
        (nn.Conv2d(1, 4, 3), nn.InstanceNorm2d(4)),
        (nn.Linear(1, 4), nn.BatchNorm1d(4)),
    ],
)
def test_what_is_not_surely_a_pair_is_not_made_one(convolution: nn.Module, norm: nn.Module) -> None:
    assert convolution_with_norm(convolution.eval(), norm.eval()) is None
