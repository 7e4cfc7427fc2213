"""What a trace tells beside its map: the answer, the region on another grid, distances."""

import numpy as np
import pytest
import torch

from core.explainers.ibix.report import answer_array, leak_numbers, on_grid
from core.models.card import OutputContract


def test_the_answer_is_in_physical_units_and_one_channel_of_several_is_named():
    answer = torch.tensor([[[0.0, 1.0]], [[0.5, 0.25]]])
    output = OutputContract(channels=2, low=-100.0, high=300.0, modality="CT", units="HU")
    for channel, values, title in ((-1, [[-100, 300]], "CT, channel 0"), (1, [[100, 0]], "CT, channel 1")):
        found = answer_array(answer, output, channel)
        np.testing.assert_allclose(found.values, values)
        assert (found.title, found.unit, found.kind, found.side) == (title, "HU", "answer", "output")
        assert found.neutral == -100
    alone = answer_array(answer[:1], OutputContract(units="signal"), -1)
    assert alone.title == "the model's answer"


def test_a_region_on_another_grid_is_the_nearest_sample_of_each_place():
    region = np.array([[True, False, False], [False, False, True]])
    assert on_grid(region, (2, 3)) is region
    np.testing.assert_array_equal(on_grid(region, (4, 6)), region.repeat(2, axis=0).repeat(2, axis=1))
    fine = region.repeat(3, axis=0).repeat(3, axis=1)
    np.testing.assert_array_equal(on_grid(fine, (2, 3)), region)
    np.testing.assert_array_equal(on_grid(np.array([True, False, False, True, True]), (2,)), [False, True])


def test_marks_between_the_samples_of_a_coarser_grid_are_the_samples_that_they_lie_in():
    marked = np.zeros((6, 6), dtype=bool)
    marked[2, 5] = True
    np.testing.assert_array_equal(np.argwhere(on_grid(marked, (2, 2))), [[0, 1]])
    assert not on_grid(np.zeros((6, 6), dtype=bool), (2, 2)).any()


@pytest.mark.parametrize(("in_millimetres", "unit"), [(True, "mm"), (False, "pixels")])
def test_distances_of_a_map_are_measured_from_the_region(in_millimetres, unit):
    values, region = np.zeros((1, 30)), np.zeros((1, 30), dtype=bool)
    region[0, 0] = True
    values[0, [0, 1, 3, 12]] = 4.0, -2.0, 1.0, 1.0
    found = leak_numbers(values, region, (1.0, 2.0), in_millimetres)
    expected = {f"leak_2{unit}": 0.25, f"leak_5{unit}": 0.25, f"leak_10{unit}": 0.125, f"leak_20{unit}": 0.125}
    expected |= {f"leak_40{unit}": 0.0, "leak_near": 0.25, "near": 5.0, "reach": 24.0, "half_within": 0.0}
    assert found == pytest.approx(expected | {"in_millimetres": float(in_millimetres)})
    assert leak_numbers(np.zeros((1, 30)), region, (1.0, 2.0), in_millimetres) == {}
