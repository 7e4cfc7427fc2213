import io
import json
import zipfile

import numpy as np
import pytest

from core.explainers.base import MapArray
from core.reports.explanation import RECORD, StoredExplanation, read_explanation
from core.scans import Scan
from dashboard.results import downloads, filters


def stored(folder, scores, arrays=(), score="sum", **numbers) -> StoredExplanation:
    """What is on the disk of a map that was made of filters."""
    found = {"map": MapArray(np.ones((4, 5), np.float32), "Projected activation", "attribution", diverging=True)}
    found |= {name: MapArray(np.full((4, 5), -2.0, np.float32), name, "attribution") for name in arrays}
    for name, array in found.items():
        np.save(folder / f"{name}.npy", array.values)
    details = {name: {"title": a.title, "kind": a.kind, "unit": "", "neutral": 0.0, "diverging": True, "side": "input"}
               for name, a in found.items()}  # fmt: skip
    record = {
        "explainer": "any",
        "parameters": {"score": score},
        "arrays": {name: f"{name}.npy" for name in found},
        "array_details": details,
        "numbers": {**{f"score_filter_{index:03d}": value for index, value in scores.items()}, **numbers},
    }
    (folder / RECORD).write_text(json.dumps(record))
    return read_explanation(folder)


def test_filters_come_strongest_first_with_their_part_of_the_layer(tmp_path):
    scores = {17: 6.0, 3: 2.0}
    found = stored(tmp_path, scores, ["filter_017", "filter_003"], share_of_activation=0.4, filters_in_layer=64)
    first, second = filters.filters_of(found)
    assert (first.index, first.title, first.share) == (17, "Filter 17", pytest.approx(6 / 20))
    assert first.caption == "30.0% of the layer"
    assert second.share == pytest.approx(2 / 20)
    assert filters.layer_sentence(found) == "The 2 strongest of 64 filters hold 40% of the layer's activation."
    assert filters.scores_of(found) == {17: 6.0, 3: 2.0}


def test_a_largest_activation_is_no_part_of_a_whole(tmp_path):
    found = stored(tmp_path, {1: 6.0}, ["filter_001"], score="max", share_of_activation=0.4)
    (one,) = filters.filters_of(found)
    assert one.share is None
    assert one.caption == "score 6"


def test_a_map_without_filters_is_not_taken_for_one(tmp_path):
    found = stored(tmp_path, {})
    assert not filters.is_of_filters(found)
    assert filters.filters_of(found) == []


def test_filters_that_were_used_but_not_kept_are_none_to_show(tmp_path):
    found = stored(tmp_path, {1: 2.0, 2: 1.0})
    assert filters.is_of_filters(found)
    assert filters.filters_of(found) == []
    assert filters.layer_sentence(found) == "The 2 strongest filters were used."


def test_the_maps_of_all_filters_leave_in_one_file(tmp_path):
    found = stored(tmp_path, {1: 2.0}, ["filter_001"])
    arrays = {name: array for name, array in found.arrays.items() if name != "map"}
    packed = downloads._zip(arrays, Scan(np.zeros((1, 4, 5), np.float32), np.eye(4)))
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.namelist() == ["filter_001.png", "filter_001.npy"]
        values = np.load(io.BytesIO(archive.read("filter_001.npy")))
    assert (values == -2).all()


def test_the_same_filter_of_two_runs_has_two_keys_and_each_opens_its_own(tmp_path):
    sources = []
    for run in ("a", "b"):
        (tmp_path / run).mkdir()
        found = stored(tmp_path / run, {1: 2.0, 4: 1.0}, ["filter_001", "filter_004"])
        sources.append(filters.Source(run, found, f"Network {run}"))
    known = filters.openable(sources)
    assert len(known) == 4
    for source in sources:
        opened, one = known[source.key(filters.filters_of(source.explanation)[1])]
        assert (opened, one.index) == (source, 4)
    assert sources[1].heading == "Network b: filters of the last convolution"
    assert filters.Source("a", sources[0].explanation).heading == "Filters of the last convolution"
