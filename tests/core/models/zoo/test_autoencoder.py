"""The autoencoder of IBIX: its layers, its sizes, its names."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from core.errors import BadInput
from core.models.zoo import build


def test_filters_and_order_are_the_papers() -> None:
    network = build("autoencoder", {})
    convolutions = {name: module for name, module in network.named_children() if isinstance(module, nn.Conv2d)}
    assert {name: module.out_channels for name, module in convolutions.items()} == {
        f"conv{number}": filters for number, filters in enumerate((16, 8, 8, 8, 8, 16, 1))
    }
    assert all(module.kernel_size == (3, 3) for module in convolutions.values())
    kinds = [type(module).__name__ for module in network]
    assert kinds == 3 * ["Conv2d", "ReLU", "MaxPool2d"] + 3 * ["Conv2d", "ReLU", "Upsample"] + ["Conv2d", "Sigmoid"]


def test_the_answer_equals_the_layers_written_out() -> None:
    torch.manual_seed(0)
    network = build("autoencoder", {"channels": 2, "channels_out": 3, "widths": [4, 3]})
    x = torch.rand(2, 2, 12, 16)
    weights = network.state_dict()

    def convolve(image: torch.Tensor, number: int) -> torch.Tensor:
        padded = functional.pad(image, (1, 1, 1, 1))
        windows = functional.unfold(padded, 3)
        kernel = weights[f"conv{number}.weight"].flatten(1)
        out = kernel @ windows + weights[f"conv{number}.bias"][:, None]
        return out.reshape(len(image), -1, *image.shape[2:])

    hidden = x
    for number in (0, 1):
        hidden = convolve(hidden, number).clamp(min=0)
        hidden = hidden.unfold(2, 2, 2).unfold(3, 2, 2).amax(dim=(-1, -2))
    for number in (2, 3):
        hidden = convolve(hidden, number).clamp(min=0).repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(network(x), torch.sigmoid(convolve(hidden, 4)))


def test_it_reads_volumes_too() -> None:
    network = build("autoencoder", {"dimensions": 3, "widths": [2, 2]})
    assert network(torch.rand(1, 1, 8, 12, 4)).shape == (1, 1, 8, 12, 4)


@pytest.mark.parametrize("arguments", [{"dimensions": 4}, {"widths": []}, {"channels": 0}, {"widths": [4, 0]}])
def test_impossible_arguments_are_refused(arguments: dict) -> None:
    with pytest.raises(BadInput, match="does not take these arguments"):
        build("autoencoder", arguments)
