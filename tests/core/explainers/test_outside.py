from types import SimpleNamespace

import numpy as np
import pytest
import torch

from core.explainers.base import Findings, MapArray
from core.explainers.outside import outside_first, outside_numbers
from core.metrics.localisation import OUTSIDE, RegionShare


def found_in(picture: np.ndarray, values: np.ndarray, regions=()) -> dict[str, float]:
    prepared = SimpleNamespace(tensor=torch.from_numpy(picture.astype(np.float32))[None, None])
    findings = Findings({"map": MapArray(values.astype(np.float32), "map", "attribution")})
    return outside_numbers(findings, prepared, regions)


def limb(background: float, tissue: float) -> np.ndarray:
    picture = np.full((40, 60), background)
    picture[10:30, 15:45] = tissue
    return picture + np.random.default_rng(0).normal(0, 0.002, picture.shape)


@pytest.mark.parametrize(("background", "tissue"), [(0.0, 1.0), (1.0, 0.2), (-1000.0, 40.0)])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 1.0])
def test_share_of_the_map_outside_the_body_is_recorded_where_it_is_most(background, tissue, share):
    values = np.zeros((40, 60))
    values[15:25, 20:40], values[2:5, 5:55] = (1 - share) / 200, -share / 150
    found = found_in(limb(background, tissue), values)
    assert found == ({"outside_body": pytest.approx(share)} if share >= 0.5 else {})


def test_a_hole_in_the_body_is_body_and_a_picture_without_a_border_has_no_outside():
    picture, values = limb(0, 1), np.zeros((40, 60))
    picture[18:22, 25:35], values[18:22, 25:35] = 0, 1
    assert found_in(picture, values) == {}
    assert found_in(np.random.default_rng(1).random((40, 60)), np.ones((40, 60))) == {}
    assert found_in(np.ones((40, 60)), np.ones((40, 60))) == {}


def test_where_an_atlas_names_regions_it_says_what_is_outside():
    rows = (RegionShare(OUTSIDE, 0.82, 0.1, 10), RegionShare("left insula", 0.18, 0.1, 10))
    assert found_in(limb(0, 1), np.ones((40, 60)), rows) == {}
    said = outside_first(SimpleNamespace(regions=rows, numbers={}))
    assert said == "Most of the map, 82%, lies outside the regions of the atlas. "
    few = (RegionShare("left insula", 0.6, 0.1, 10), RegionShare(OUTSIDE, 0.4, 0.1, 10))
    assert outside_first(SimpleNamespace(regions=few, numbers={})) == ""
    assert "74%, lies outside the body" in outside_first(SimpleNamespace(regions=(), numbers={"outside_body": 0.74}))
