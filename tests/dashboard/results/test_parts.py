import io
import json
import zipfile

import numpy as np

from core.explainers.base import MapArray
from core.reports.explanation import RECORD, StoredExplanation, read_explanation
from core.scans import Scan
from dashboard.results import downloads, parts


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


def test_parts_with_a_map_of_their_own_can_be_opened_strongest_first(tmp_path):
    found = stored(tmp_path, {17: 6.0, 3: 2.0, 5: 1.0}, ["filter_017", "filter_003"], share_of_activation=0.4)
    source = parts.Source("a", found)
    assert [(part.index, part.array) for part in source.shown] == [(17, "filter_017"), (3, "filter_003")]
    assert source.heading == "Filters of the last convolution"


def test_a_map_without_parts_is_not_taken_for_one(tmp_path):
    source = parts.Source("a", stored(tmp_path, {}))
    assert source.shown == ()
    assert parts.openable([source]) == {}


def test_the_maps_of_all_parts_leave_in_one_file(tmp_path):
    found = stored(tmp_path, {1: 2.0}, ["filter_001"])
    arrays = {name: array for name, array in found.arrays.items() if name != "map"}
    packed = downloads._zip(arrays, Scan(np.zeros((1, 4, 5), np.float32), np.eye(4)))
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.namelist() == ["filter_001.png", "filter_001-heat.png", "filter_001.npy"]
        values = np.load(io.BytesIO(archive.read("filter_001.npy")))
    assert (values == -2).all()


def test_the_same_part_of_two_runs_has_two_keys_and_each_opens_its_own(tmp_path):
    sources = []
    for run in ("a", "b"):
        (tmp_path / run).mkdir()
        found = stored(tmp_path / run, {1: 2.0, 4: 1.0}, ["filter_001", "filter_004"])
        sources.append(parts.Source(run, found, f"Network {run}"))
    known = parts.openable(sources)
    assert len(known) == 4
    for source in sources:
        opened, one = known[source.key(source.shown[1])]
        assert (opened, one.index) == (source, 4)
    assert sources[1].heading == "Network b: filters of the last convolution"
