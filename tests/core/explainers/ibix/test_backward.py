from types import SimpleNamespace

import numpy as np
import pytest
import torch

from core.explainers import explain
from core.explainers.ibix.backward import Backward
from core.explainers.ibix.explainer import Ibix
from core.explainers.ibix.superpixels import superpixels_of
from tests.core.explainers import regressors
from tests.core.explainers.regressors import (
    BOXES,
    SHAPES,
    H,
    input_of,
    region,
    scan,
    smooth,
    trace,
)
from tests.core.explainers.toys import Toy
from tests.oracles import ibix as oracle


@pytest.mark.parametrize("sums", ["absolute", "signed", "literal"])
@pytest.mark.parametrize(("dimensions", "channels", "channels_out"), [(2, 1, 1), (2, 2, 2), (3, 1, 1)])
def test_the_backward_map_is_equation_6(dimensions, channels, channels_out, sums):
    network = smooth(dimensions, channels, channels_out)
    found = trace(
        network,
        dimensions,
        channels,
        channels_out,
        direction="backward",
        superpixels=30,
        jitters=6,
        levels=1,
        sums=sums,
    )
    labels = found.arrays["superpixels"].values.astype(int)
    marked = region(SHAPES[dimensions], *BOXES[dimensions])
    f = oracle.function(network)
    shares = oracle.backward(f, input_of(dimensions, channels), labels, marked, H, 6, sums, floor=1e-3)
    values = found.arrays["map"].values
    np.testing.assert_allclose(values, np.concatenate([[0], shares])[labels], atol=1e-4, rtol=1e-3)
    assert found.numbers["superpixels"] == labels.max()
    assert found.numbers["superpixels_evaluated"] + found.numbers["superpixels_skipped"] == labels.max()
    assert found.arrays["map"].side == "input"


def test_superpixels_that_cannot_reach_the_region_are_skipped_and_no_value_changes():
    shape = (40, 40)
    made = regressors.model(smooth(2))
    asked = regressors.question(made, scan(shape), region(shape, slice(20, 22), slice(20, 22)))
    maps, skipped = {}, {}
    for engine in ("windows", "batches"):
        values = {"direction": "backward", "superpixels": 60, "jitters": 6, "levels": 1, "engine": engine}
        found = Ibix().run(asked, Ibix.parameters_for(made, Ibix.parameters(values=values)))
        maps[engine], skipped[engine] = found.arrays["map"].values, found.numbers["superpixels_skipped"]
    assert skipped["batches"] == 0
    assert skipped["windows"] > 10
    np.testing.assert_allclose(maps["windows"], maps["batches"], atol=1e-5)


def test_coarse_to_fine_gives_the_superpixels_it_refines_the_values_of_one_level():
    shape = (48, 48)
    made = regressors.model(smooth(2))
    asked = regressors.question(made, scan(shape), region(shape, slice(22, 25), slice(20, 24)))

    def found(levels: int):
        values = {"direction": "backward", "superpixels": 120, "coarse_superpixels": 16, "levels": levels, "jitters": 4}
        return Ibix().run(asked, Ibix.parameters_for(made, Ibix.parameters(values=values | {"engine": "batches"})))

    one, two, three = found(1), found(2), found(3)
    top = one.arrays["map"].values > 0.05 * one.arrays["map"].values.max()
    for other in (two, three):
        np.testing.assert_allclose(other.arrays["map"].values[top], one.arrays["map"].values[top], atol=1e-5)
        assert other.numbers["evaluations"] < one.numbers["evaluations"]
    assert (two.numbers["levels"], three.numbers["levels"]) == (2, 3)


def test_how_many_superpixels_hold_half_is_counted_over_the_whole_map(trained: Toy):
    # with two levels it was counted over the finer ones alone and set beside the number of both
    given = {"direction": "backward", "superpixels": 40, "coarse_superpixels": 8, "jitters": 4}
    for levels in ("1", "2"):
        found = explain(trained.scan(400), trained.model, "ibix", levels=levels, **given)
        labels = found.arrays["superpixels"].values.astype(int)
        effects = np.sort(np.bincount(labels.ravel(), weights=found.arrays["map"].values.ravel())[1:])[::-1]
        half = found.numbers["superpixels_half"]
        assert effects[: int(half)].sum() >= effects.sum() / 2 > effects[: int(half) - 1].sum()
        assert f"{half:.0f} of {labels.max()} pieces of the scan" in found.sentence


@pytest.mark.parametrize("changed", [1, 2, 3, None])
def test_a_change_of_any_one_superpixel_is_a_change(changed):
    image = np.zeros((1, 6, 6), dtype=np.float32)
    superpixels = superpixels_of(image, 4, 10.0, (1, 1), np.indices((6, 6)).sum(axis=0) < 9)
    assert len(superpixels) == 4
    labels = torch.from_numpy(superpixels.labels)

    class OneOnly:
        def direction(self, window, inside):
            return (inside & (labels[window] == (changed or -1)))[None].float()

    asked = SimpleNamespace(
        levels=[SimpleNamespace(superpixels=superpixels)],
        region=SimpleNamespace(marked=torch.ones(2, 2)),
        perturbation=OneOnly(),
    )
    assert Backward.changes_anything(asked) == (changed is not None)
