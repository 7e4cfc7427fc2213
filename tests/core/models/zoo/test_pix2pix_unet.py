"""The generator of pix2pix: the paper's widths, skips that carry, answers that repeat."""

import pytest
import torch
from torch import fx, nn

from core.errors import BadInput
from core.models.zoo import build


def small(**arguments: object) -> nn.Module:
    torch.manual_seed(0)
    return build("pix2pix-unet", {"width": 2, "levels": 5, **arguments}).eval()


def test_at_full_size_layers_are_those_of_the_paper() -> None:
    network = build("pix2pix-unet", {"channels": 3})
    down = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    up = [m for m in network.modules() if isinstance(m, nn.ConvTranspose2d)]
    assert [c.out_channels for c in down] == [64, 128, 256, 512, 512, 512, 512, 512]
    assert [c.in_channels for c in up] == [512, 1024, 1024, 1024, 1024, 512, 256, 128]
    assert [c.out_channels for c in up] == [512, 512, 512, 512, 256, 128, 64, 1]
    assert {(c.kernel_size, c.stride, c.padding) for c in down + up} == {((4, 4), (2, 2), (1, 1))}
    assert [index for index, block in enumerate(network.decoder) if hasattr(block, "dropout")] == [0, 1, 2]
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(54.4e6, rel=0.005)


@pytest.mark.parametrize("channels, channels_out, levels, size", [(1, 1, 5, 32), (3, 2, 3, 40), (1, 1, 2, 4)])
def test_it_answers_in_its_own_size_within_minus_one_and_one(
    channels: int, channels_out: int, levels: int, size: int
) -> None:
    network = small(channels=channels, channels_out=channels_out, levels=levels)
    answer = network(50 * torch.randn(2, channels, size, 2 * size))
    assert answer.shape == (2, channels_out, size, 2 * size)
    assert answer.abs().max() <= 1


def test_it_equals_the_recursive_u_net_written_plainly() -> None:
    """Isola's nesting: each level halves, asks the level below, joins what came in with what comes back, doubles."""
    network = small(channels=2)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)

    def below(x: torch.Tensor, level: int) -> torch.Tensor:
        down, up = network.encoder[level], network.decoder[-1 - level]
        x = down.convolution(x if level == 0 else nn.functional.leaky_relu(x, 0.2))
        x = down.norm(x) if hasattr(down, "norm") else x
        x = x if level == 4 else torch.cat([below(x, level + 1), x], dim=1)
        x = up.convolution(torch.relu(x))
        return up.norm(x) if hasattr(up, "norm") else torch.tanh(x)

    x = torch.randn(2, 2, 32, 32)
    torch.testing.assert_close(network(x), below(x, 0))


def test_it_can_be_traced_and_leaves_what_it_is_fed_alone() -> None:
    network = small()
    x = torch.randn(1, 1, 32, 32)
    before = x.clone()
    torch.testing.assert_close(fx.symbolic_trace(network)(x), network(x))
    assert torch.equal(x, before)
    assert not any(getattr(m, "inplace", False) for m in network.modules())


def test_dropout_acts_in_training_and_never_in_an_answer() -> None:
    network = small(levels=6)
    x = torch.randn(2, 1, 64, 64)
    assert torch.equal(network(x), network(x))
    # one image alone gets the answer it gets in company: no batch statistics
    torch.testing.assert_close(network(x)[:1], network(x[:1]))
    network.train()
    assert not torch.equal(network(x), network(x))


def test_an_image_of_one_bottleneck_pixel_can_be_trained_on_alone() -> None:
    network = small().train()
    loss = network(torch.randn(1, 1, 32, 32)).abs().sum()
    loss.backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())


@pytest.mark.parametrize("arguments", [{"levels": 1}, {"width": 0}, {"channels": 0}, {"colour": True}])
def test_arguments_that_make_no_network_are_refused(arguments: dict) -> None:
    with pytest.raises(BadInput, match="pix2pix-unet"):
        build("pix2pix-unet", arguments)
