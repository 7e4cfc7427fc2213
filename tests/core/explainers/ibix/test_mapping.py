"""How a network is asked about one region, and what is measured."""

import pytest
import torch
from torch import nn

from core.explainers.ibix.equations import uniform_jitters
from core.explainers.ibix.mapping import Mapper, SlopeMeasure
from core.networks.choosing import responses_for
from core.networks.responses import at
from tests.core.explainers.regressors import SHAPES, smooth

WINDOW = (slice(6, 9), slice(8, 11))


def mapper_of(network: nn.Module, engine: str = "auto", bounds: tuple[float, float] | None = None) -> Mapper:
    x = torch.rand(1, 1, *SHAPES[2], generator=torch.Generator().manual_seed(0))
    measure = SlopeMeasure(uniform_jitters(0.2, 6), x.device, bounds)
    return Mapper(responses_for(network.eval().requires_grad_(False), x, 2**26, engine), measure, x, 2**26)


@pytest.mark.parametrize("engine", ["windows", "batches"])
def test_a_change_of_nothing_is_not_asked_and_has_no_slope_where_one_would_reach(engine):
    mapper = mapper_of(smooth(2), engine)
    box, slopes = mapper.slopes(WINDOW, torch.zeros(1, 3, 3))
    assert box == mapper.responses.footprint(WINDOW)
    assert slopes.shape == at(mapper.responses.output[0], box).shape
    assert not slopes.any()
    assert mapper.evaluations == 0


def test_a_window_that_reaches_nothing_has_slopes_of_no_size():
    mapper = mapper_of(nn.Conv2d(1, 2, 1, stride=5), "windows")
    window = (slice(6, 9), slice(6, 9))
    assert mapper.responses.footprint(window) is None
    for direction in (torch.zeros(1, 3, 3), torch.ones(1, 3, 3)):
        box, slopes = mapper.slopes(window, direction)
        assert box == (slice(0, 0), slice(0, 0))
        assert slopes.shape == (2, 0, 0)


def test_only_what_is_changed_is_clipped():
    mapper = mapper_of(smooth(2), bounds=(0.4, 0.6))
    x, direction = torch.tensor([[[0.1, 0.9, 0.5]]]), torch.tensor([[[0.0, 1.0, 1.0]]])
    inputs = mapper.measure.inputs(x, direction, torch.arange(6))
    assert (inputs[..., 0] == x[..., 0]).all()
    assert inputs[..., 1:].min() == pytest.approx(0.4)
    assert inputs[..., 1:].max() == pytest.approx(0.6)
