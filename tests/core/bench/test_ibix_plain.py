import numpy as np
import pytest
import torch
from torch import nn

from core.bench._ibix_plain import best_batching, eq5_double, eq5_one_by_one, shares_double
from tests.oracles import ibix as oracle

SIZES = np.array([-0.4, -0.2, 0.2, 0.4])


@pytest.fixture
def asked():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.Sigmoid(), nn.Conv2d(3, 1, 3, padding=1)).eval()
    direction = torch.zeros(9, 8)
    direction[3:5, 4:6] = 1
    return network, torch.rand(1, 1, 9, 8), direction


def test_the_plain_way_is_equation_5_in_float64(asked):
    network, x, direction = asked
    expected = oracle.forward(oracle.function(network), x[0].double().numpy(), direction.double().numpy(), 0.4, 4)
    np.testing.assert_allclose(eq5_double(network, x, direction, SIZES), expected, atol=1e-12)


@pytest.mark.parametrize("layout", ["contiguous", "channels last"])
@pytest.mark.parametrize("batch", [1, 3, 100])
def test_batch_and_layout_change_the_speed_only(asked, batch, layout):
    network, x, direction = asked
    found = eq5_one_by_one(network, x, direction, SIZES, batch, layout)
    np.testing.assert_allclose(found, eq5_double(network, x, direction, SIZES), atol=2e-6)


def test_a_share_is_equation_6_of_one_superpixel(asked):
    network, x, direction = asked
    marked = np.zeros((9, 8), dtype=bool)
    marked[2:5, 3:6] = True
    labels = direction.numpy().astype(int)
    (expected,) = oracle.backward(oracle.function(network), x[0].double().numpy(), labels, marked, 0.4, 4)
    assert shares_double(network, x, direction, SIZES, marked) == pytest.approx(expected, abs=1e-12)


def test_padding_is_in_neither_sum_of_a_share(asked):
    network, x, direction = asked
    marked, counted = np.zeros((9, 8), dtype=bool), np.zeros((9, 8), dtype=bool)
    marked[2:5, 3:6], counted[1:8, 4:8] = True, True
    slopes = np.abs(oracle.forward(oracle.function(network), x[0].double().numpy(), direction.double().numpy(), 0.4, 4))
    expected = slopes[..., marked & counted].sum() / slopes[..., counted].sum()
    assert shares_double(network, x, direction, SIZES, marked, counted) == pytest.approx(expected, abs=1e-12)
    assert expected != pytest.approx(shares_double(network, x, direction, SIZES, marked), abs=1e-3)


def test_the_baseline_is_the_quickest_of_what_was_tried(asked):
    batch, layout, seconds = best_batching(*asked, SIZES)
    assert batch >= 2
    assert layout in ("contiguous", "channels last")
    assert seconds > 0
