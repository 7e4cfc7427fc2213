import numpy as np
import pytest

from core.errors import BadInput
from core.runs import Landmark, RunStore
from core.scans import Scan, Upload
from dashboard.backend import questions

OWNER = "anna"
SHAPE = (4, 5)


@pytest.fixture
def filmed(tmp_path, monkeypatch):
    """A store with one film: (store, content hash)."""
    opened = RunStore.open(tmp_path / "store")
    monkeypatch.setattr(questions, "store", lambda: opened)
    yield opened, opened.of(OWNER).add_scan(Scan(np.ones((1, *SHAPE), np.float32), np.eye(4)))
    opened.close()


def read(tmp_path, filmed, values):
    np.save(tmp_path / "mask.npy", values)
    store, scan = filmed
    found = questions.read_landmarks([Upload("mask", tmp_path / "mask.npy")], scan, OWNER)
    return {name: store.of(OWNER).region(region) for name, region in found.items()}


def test_whole_numbers_are_so_many_landmarks(tmp_path, filmed):
    values = np.zeros(SHAPE, np.uint8)
    values[0], values[2] = 1, 4
    found = read(tmp_path, filmed, values)
    assert list(found) == ["landmark 1", "landmark 4"]
    assert np.array_equal(found["landmark 4"], values == 4)


@pytest.mark.parametrize("values", [np.eye(4, 5) * 255, np.arange(20.0).reshape(SHAPE), np.full(SHAPE, 0.5)])
def test_anything_else_is_one_landmark_where_it_is_above_0(tmp_path, filmed, values):
    found = read(tmp_path, filmed, values)
    assert list(found) == ["landmark"]
    assert np.array_equal(found["landmark"], values > 0)


def test_a_mask_that_marks_nothing_is_told(tmp_path, filmed):
    with pytest.raises(BadInput, match="marks nothing"):
        read(tmp_path, filmed, np.full(SHAPE, np.nan))


def test_a_mask_for_a_scan_of_somebody_else_is_not_read(tmp_path, filmed):
    np.save(tmp_path / "mask.npy", np.ones(SHAPE))
    with pytest.raises(BadInput, match="no longer in the store"):
        questions.read_landmarks([Upload("mask", tmp_path / "mask.npy")], filmed[1], "bert")


def test_what_a_film_comes_with_never_replaces_what_a_person_drew(filmed):
    store, scan = filmed
    own = Landmark("mine", store.of(OWNER).add_region(np.eye(4, 5, dtype=bool)))
    questions.keep_landmarks(scan, OWNER, {"bone": np.ones(SHAPE, dtype=bool)})
    assert [landmark.name for landmark in store.of(OWNER).landmarks(scan)] == ["bone"]
    store.of(OWNER).keep_landmarks(scan, [own])
    questions.keep_landmarks(scan, OWNER, {"bone": np.ones(SHAPE, dtype=bool)})
    assert store.of(OWNER).landmarks(scan) == (own,)
