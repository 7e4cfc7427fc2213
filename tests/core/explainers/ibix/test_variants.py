import typing

import numpy as np
import pytest
import torch

from core.errors import BadInput
from core.explainers.ibix.equations import RegionSums
from core.explainers.ibix.explainer import Ibix
from core.explainers.ibix.parameters import IbixParameters
from core.explainers.ibix.traces import TRACES
from core.explainers.ibix.variants import VARIANTS, Paper, PublishedCode
from tests.core.explainers import regressors
from tests.core.explainers.regressors import BOXES, SHAPES, region, scan, smooth


def variant(cls, network=None, **values):
    made = regressors.model(network or smooth(2))
    parameters = Ibix.parameters_for(made, Ibix.parameters(values=values))
    return cls(regressors.question(made, scan(SHAPES[2]), region(SHAPES[2], *BOXES[2])), parameters, None)


def test_there_is_a_variant_and_a_trace_for_whatever_can_be_chosen():
    choices = {name: set(typing.get_args(field.annotation)) for name, field in IbixParameters.model_fields.items()}
    assert set(VARIANTS) == choices["variant"]
    assert {direction for direction, _ in TRACES} == choices["direction"] - {"auto"}
    assert {mode for _, mode in TRACES} == choices["mode"]
    assert len(TRACES) == 4


def test_a_superpixels_value_is_its_share_or_its_effect_per_pixel_or_its_effect():
    sums = [RegionSums(1.0, 2.0, 3.0, 8.0), RegionSums(-1.0, 4.0, 1.0, 4.0)]
    sizes = np.array([2, 4])
    values = {how: variant(Paper, divide_by=how).value(sums, sizes).tolist() for how in ("pixels", "nothing")}
    assert values == {"pixels": [1.0, 1.0], "nothing": [2.0, 4.0]}
    assert variant(Paper, divide_by="all_outputs").value(sums, sizes).tolist() == [0.25, 1.0]


def test_the_published_program_cuts_the_mean_over_the_marked_samples_to_whole_grey_levels():
    marked = int(region(SHAPES[2], *BOXES[2]).sum())
    sums = [RegionSums(inside_absolute=2.9 * marked), RegionSums(inside_absolute=0.9 * marked)]
    assert variant(PublishedCode).value(sums, np.array([1, 1])).tolist() == [2.0, 0.0]


def test_the_published_program_reads_whole_grey_levels_and_the_paper_what_is_there():
    x = torch.tensor([[[[0.1234, 0.5]]]])
    assert variant(Paper).input_of(x) is x
    assert torch.equal(variant(PublishedCode).input_of(x), torch.tensor([[[[31 / 255, 128 / 255]]]]))


def test_jitters_beyond_the_range_are_looked_for_only_where_values_are_added():
    def seen():
        raise AssertionError("nobody should look")

    for values in ({"perturbation": "blur"}, {"clip": True}, {"mode": "gradient"}):
        numbers, warnings = variant(Paper, **values).range_notes(seen)
        assert numbers["jitter_largest"] > 0
        assert warnings == []
    numbers, warnings = variant(Paper, jitter_percent=90.0).range_notes(lambda: np.array([[0.5, 0.05]]))
    assert numbers["share_leaving_range"] == 1.0
    assert "100%" in warnings[0] or ">99.9%" in warnings[0]
    assert variant(PublishedCode).range_notes(seen) == ({}, [])


def test_a_share_that_is_multiplied_has_no_scan_units():
    with pytest.raises(BadInput, match="set jitter_percent instead"):
        variant(Paper, perturbation="multiply", jitter_range=1.0)
