"""Names of the layers that a person may ask for."""

from torch import nn

from core.networks.layers import convolutions


def test_convolutions_of_two_and_three_dimensions_are_named_in_order_and_nothing_else_is() -> None:
    inner = nn.Sequential(nn.Conv3d(1, 1, 3), nn.ReLU(), nn.ConvTranspose2d(1, 1, 3))
    network = nn.Sequential(nn.Conv2d(1, 1, 3), nn.BatchNorm2d(1), inner, nn.Conv1d(1, 1, 3), nn.Conv2d(1, 1, 1))
    assert convolutions(network) == ["0", "2.0", "4"]


def test_a_network_without_one_has_no_names() -> None:
    assert convolutions(nn.Linear(2, 2)) == []
