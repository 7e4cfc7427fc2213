"""Paper 3's networks: the layers of its tables 2 to 4, on any size, and small enough to be shipped."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from core.errors import BadInput
from core.models.trainable import FirstLook
from core.models.zoo import build
from core.models.zoo.anatomy_cnn import AnatomyCNN, start_as_he

#: The tables row by row as printed: a convolution by its filters, "pool", a dense layer as ("dense", units).
TABLE_2 = [32, 64, "pool", ("dense", 128), ("dense", 24)]
TABLE_3 = [32, 16, "pool", 64, 32, "pool", 128, 128, 64, "pool", 256, 256, 128, "pool"]
TABLE_3 += [("dense", 128), ("dense", 128), ("dense", 24)]
TABLE_4 = TABLE_3
VARIANTS = ("shallow", "deeper", "regularised")


def network(variant: str = "deeper", shape: tuple[int, ...] = (32, 32), **arguments: object) -> nn.Module:
    torch.manual_seed(0)
    return build("anatomy-cnn", {"shape": shape, "variant": variant, **arguments}).eval()


def rows(made: nn.Module) -> list[Any]:
    """The network's layers in the order in which they run, as the tables print them."""
    found: list[Any] = []

    def note(module: nn.Module, _inputs: object, _output: object) -> None:
        if isinstance(module, nn.Conv2d):
            found.append(module.out_channels)
        elif isinstance(module, nn.MaxPool2d):
            found.append("pool")
        elif isinstance(module, nn.Linear):
            found.append(("dense", module.out_features))

    handles = [module.register_forward_hook(note) for module in made.modules()]
    made(torch.rand(1, 1, 32, 32))
    for handle in handles:
        handle.remove()
    return found


@pytest.mark.parametrize(
    "variant, table", [("shallow", TABLE_2), ("deeper", TABLE_3), ("regularised", TABLE_4)], ids=VARIANTS
)
def test_layers_follow_each_other_as_in_the_papers_tables(variant: str, table: list[Any]) -> None:
    assert rows(network(variant)) == table


@pytest.mark.parametrize("variant", VARIANTS)
def test_convolutions_are_3_by_3_and_keep_the_size_and_poolings_halve_it(variant: str) -> None:
    made = network(variant)
    for convolution in (m for m in made.modules() if isinstance(m, nn.Conv2d)):
        assert (convolution.kernel_size, convolution.stride, convolution.padding) == ((3, 3), (1, 1), (1, 1))
        assert convolution.bias is not None
    for pooling in (m for m in made.modules() if isinstance(m, nn.MaxPool2d)):
        assert (pooling.kernel_size, pooling.stride, pooling.padding) == (2, 2, 0)


def test_batch_norm_follows_every_convolution_of_table_4_and_none_of_the_others() -> None:
    regularised: Any = network("regularised")
    kinds = [type(layer) for block in regularised.features for layer in block]
    convolutions = [place for place, kind in enumerate(kinds) if kind is nn.Conv2d]
    assert len(convolutions) == 10
    assert all(kinds[place + 1 : place + 3] == [nn.BatchNorm2d, nn.ReLU] for place in convolutions)
    for variant in ("shallow", "deeper"):
        assert not any(isinstance(module, nn.BatchNorm2d) for module in network(variant).modules())


@pytest.mark.parametrize(
    "variant, shares", [("shallow", [0.25, 0.25]), ("deeper", [0, 0, 0]), ("regularised", [0.5, 0.5, 0.5])]
)
def test_shares_dropped_after_the_last_pooling_and_the_hidden_dense_layers(variant: str, shares: list[float]) -> None:
    made: Any = network(variant)
    assert [m.p for m in made.modules() if isinstance(m, nn.Dropout)] == shares
    with torch.no_grad():
        made.dropout.train()
        zeros = (made.dropout(torch.ones(100, 100)) == 0).float().mean()
    assert zeros == pytest.approx(shares[0], abs=0.02)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("shape", [(16, 16), (33, 47), (50, 17), (17, 19, 16)])
def test_it_answers_for_any_size_odd_ones_and_volumes_too(variant: str, shape: tuple[int, ...]) -> None:
    made = network(variant, shape, classes=5, channels=2)
    with torch.inference_mode():
        assert made(torch.rand(3, 2, *shape)).shape == (3, 5)


def test_every_rectifier_is_its_own_and_leaves_its_input_alone() -> None:
    for variant, count in (("shallow", 3), ("deeper", 12), ("regularised", 12)):
        rectifiers = [m for _, m in network(variant).named_modules(remove_duplicate=False) if isinstance(m, nn.ReLU)]
        assert len({id(rectifier) for rectifier in rectifiers}) == len(rectifiers) == count
        assert not any(rectifier.inplace for rectifier in rectifiers)


@pytest.mark.parametrize("variant", VARIANTS)
def test_at_64_pixels_half_precision_weights_take_at_most_20_megabytes(variant: str) -> None:
    with torch.device("meta"):
        made = network(variant, (64, 64), classes=8)
    stored = sum(2 * value.numel() for value in made.state_dict().values())
    assert 2e6 < stored <= 20e6


def test_at_the_papers_size_each_network_has_the_weights_that_its_table_adds_up_to() -> None:
    def counted(table: list[Any], batch_norm: bool) -> int:
        total, width, side = 0, 1, 224
        for row in table:
            if row == "pool":
                side //= 2
            elif isinstance(row, int):
                total += 9 * width * row + row + 2 * row * batch_norm
                width = row
            else:
                units = row[1]
                total += width * side * side * units + units
                width, side = units, 1
        return total

    tables = {"shallow": (TABLE_2, False), "deeper": (TABLE_3, False), "regularised": (TABLE_4, True)}
    for variant, (table, batch_norm) in tables.items():
        with torch.device("meta"):
            made = network(variant, (224, 224))
        assert sum(weights.numel() for weights in made.parameters()) == counted(table, batch_norm)


@pytest.mark.parametrize(
    "arguments, reason",
    [
        ({"variant": "deepest"}, "variant is one of shallow, deeper, regularised, not 'deepest'"),
        ({"variant": "deeper", "shape": (64, 15)}, "deeper needs at least 16 samples a side"),
        ({"variant": "shallow", "shape": (1, 1)}, "shallow needs at least 2 samples a side"),
        ({"shape": (64,)}, "shape has two or three numbers, not 1"),
        ({"shape": ()}, "shape has two or three numbers, not 0"),
        ({"shape": (8, 8), "depth": 3}, "unexpected keyword argument 'depth'"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_with_the_reason(arguments: dict[str, object], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        build("anatomy-cnn", {"shape": (64, 64), **arguments})


@pytest.mark.parametrize("variant", VARIANTS)
def test_first_answers_are_near_chance(variant: str) -> None:
    torch.manual_seed(0)
    made = build("anatomy-cnn", {"shape": [32, 32], "classes": 8, "channels": 1, "variant": variant})
    assert isinstance(made, AnatomyCNN)
    with torch.no_grad():
        made.start(FirstLook(torch.zeros(1, 32, 32), 0, 1))
        loss = functional.cross_entropy(made(torch.rand(32, 1, 32, 32)), torch.arange(32) % 8)
    assert float(loss) == pytest.approx(np.log(8), rel=0.1)


def test_starting_weights_keep_the_size_of_the_signal() -> None:
    torch.manual_seed(0)
    layers = [nn.Sequential(nn.Conv2d(32, 32, 3, padding=1, padding_mode="circular"), nn.ReLU()) for _ in range(8)]
    network = nn.Sequential(*layers)
    start_as_he(network)
    x = torch.randn(2, 32, 16, 16).relu()
    with torch.no_grad():
        assert 0.4 < float(network(x).std() / x.std()) < 2.5


@pytest.mark.parametrize(
    ("shape", "rate"), [((64, 64), 1.0), ((16, 20), 1.0), ((128, 128), 0.25), ((128, 64), 0.25), ((128, 64, 64), 0.125)]
)
def test_the_first_dense_layer_learns_slower_the_more_places_it_sums_over(shape: tuple[int, ...], rate: float) -> None:
    made = network("shallow", shape)
    assert isinstance(made, AnatomyCNN)
    assert dict(made.slower_weights()) == {"dense.linear1.weight": rate}
