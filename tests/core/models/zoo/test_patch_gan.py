"""The discriminator looks at patches of 70×70 pixels and no further."""

import pytest
import torch
from torch import nn

from core.models.zoo.patch_gan import PatchGAN


@pytest.mark.parametrize("halvings, patch", [(3, 70), (2, 34), (1, 16)])
def test_one_answer_depends_on_exactly_one_patch(halvings: int, patch: int) -> None:
    torch.manual_seed(0)
    network = PatchGAN(2, width=4, halvings=halvings).eval()
    x = torch.randn(1, 1, 160, 160, requires_grad=True)
    y = torch.randn(1, 1, 160, 160, requires_grad=True)
    answer = network(x, y)
    answer[0, 0, answer.shape[2] // 2, answer.shape[3] // 2].backward()
    for image in (x, y):
        touched = image.grad[0, 0].nonzero()
        size = touched.max(dim=0).values - touched.min(dim=0).values + 1
        assert size.tolist() == [patch, patch]


def test_layers_are_those_of_the_paper() -> None:
    convolutions = [m for m in PatchGAN(4).modules() if isinstance(m, nn.Conv2d)]
    assert [(c.out_channels, c.stride[0]) for c in convolutions] == [(64, 2), (128, 2), (256, 2), (512, 1), (1, 1)]
    # 256×256 pixels are judged in 30×30 patches
    assert PatchGAN(4, width=1)(torch.rand(2, 3, 256, 256), torch.rand(2, 1, 256, 256)).shape == (2, 1, 30, 30)


def test_the_same_answer_is_judged_by_the_input_it_came_from() -> None:
    torch.manual_seed(0)
    network = PatchGAN(2, width=2, halvings=1).eval()
    y = torch.rand(1, 1, 32, 32)
    assert not torch.allclose(network(torch.zeros_like(y), y), network(torch.ones_like(y), y))


@pytest.mark.parametrize("arguments", [{"channels": 0}, {"channels": 2, "width": 0}, {"channels": 2, "halvings": 0}])
def test_numbers_below_one_are_refused(arguments: dict) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        PatchGAN(**arguments)
