"""What was written before ``parts`` and ``curves`` were in the record shows the same as what is written now."""

import json
from pathlib import Path

import numpy as np
import pytest

from core.explainers import Curve
from core.explainers.deconvnet.filters import filters_as_parts
from core.explainers.mask.explainer import Mask
from core.reports.explanation import RECORD, read_explanation
from core.reports.older import of_today

#: Written by version 0.1 for a film of the anatomy network (numbers shortened, arrays of 4 by 5 pixels).
FILTERS = {
    "explainer": "deconvnet",
    "model": "chest",
    "target": "hand",
    "parameters": {"layer": "features.9", "filters": 2, "score": "sum", "combine": "overlay", "separate": "auto"},
    "arrays": {"map": "map.npy", "filter_017": "filter_017.npy", "perturbed": "perturbed.npy"},
    "numbers": {
        "hidden_share": 0.05,
        "score_filter_003": 2.0,
        "score_filter_017": 6.0,
        "filters_in_layer": 64.0,
        "filters_shown": 2.0,
        "share_of_activation": 0.4,
    },
    "history": {},
}
CURVES = {"iteration": [1.0, 2.0], "loss": [2.0, 1.0], "probability": [0.9, 0.2], "hidden cm³": [3.0, 2.0]}


def stored(folder: Path, record: dict, **changes):
    record = {**record, **changes}
    details = {"title": "t", "kind": "attribution", "unit": "", "neutral": 0.0, "diverging": True, "side": "input"}
    for file in record["arrays"].values():
        np.save(folder / file, np.ones((4, 5), np.float32))
    record["array_details"] = dict.fromkeys(record["arrays"], details)
    (folder / RECORD).write_text(json.dumps(record))
    return read_explanation(folder)


def test_filters_of_a_record_of_yesterday_are_parts(tmp_path):
    parts = stored(tmp_path, FILTERS).parts
    assert parts == filters_as_parts("features.9", {17: 6.0, 3: 2.0}, {"filter_017"}, 20.0, 0.4, 64)
    assert parts.title == "Filters of features.9"
    assert parts.sentence == "The 2 strongest of 64 filters hold 40% of the layer's activation."
    first, second = parts.members
    assert (first.index, first.title, first.array, first.share) == (17, "Filter 17", "filter_017", pytest.approx(0.3))
    assert first.caption == "30.0% of the layer"
    assert (second.array, second.share) == (None, pytest.approx(0.1))


def test_a_largest_activation_of_yesterday_is_no_part_of_a_whole(tmp_path):
    parts = stored(tmp_path, FILTERS, parameters={"score": "max"}).parts
    assert {part.share for part in parts.members} == {None}
    assert parts.members[0].caption == "score 6"
    assert parts.title == "Filters of the last convolution"


def test_filters_of_which_little_was_written_are_parts_all_the_same(tmp_path):
    parts = stored(tmp_path, FILTERS, numbers={"score_filter_003": 2.0, "score_filter_001": 1.0}).parts
    assert parts.sentence == "The 2 strongest filters were used."
    assert parts.shown == ()


def test_a_map_without_filters_has_no_parts(tmp_path):
    assert stored(tmp_path, FILTERS, numbers={"hidden_share": 0.1}).parts is None


def test_curves_of_yesterday_are_drawn_as_their_explainer_draws_them_now(tmp_path):
    found = stored(tmp_path, FILTERS, explainer="mask", history=CURVES, numbers={})
    assert list(found.curves) == ["probability", "loss", "hidden cm³"]
    assert found.curves["loss"] == Mask.curves["loss"]
    assert found.curves["hidden cm³"] == Curve("hidden", "cm³")


def test_curves_of_an_explainer_that_is_gone_have_their_names(tmp_path):
    assert stored(tmp_path, FILTERS, explainer="gone", history=CURVES).curves == {}


def test_what_was_written_is_not_written_anew(tmp_path):
    stored(tmp_path, FILTERS)
    assert "parts" not in json.loads((tmp_path / RECORD).read_text())


@pytest.mark.parametrize(
    ("numbers", "passed", "state"),
    [
        ({"asked": 1.0, "hidden_share": 0.1}, True, "holds"),
        ({"hidden_share": 0.1}, False, "fails"),
        ({"asked": 0.0}, None, "nothing"),
    ],
)
def test_a_record_of_yesterday_has_a_verdict_by_its_checks(tmp_path, numbers, passed, state):
    checks = [{"name": "goal", "title": "Goal reached", "value": 0.1, "sentence": "It fell.", "passed": passed}]
    found = of_today({"checks": checks, "numbers": numbers, "history": {}, "explainer": "mask"})
    assert found["verdict"]["state"] == state
    (check,) = found["checks"]
    assert check == {**checks[0], "applies": True, "remedy": found["verdict"]["remedy"]}
    assert bool(check["remedy"]) == (state == "fails"), "a missed goal is no result"
