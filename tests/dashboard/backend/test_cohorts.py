"""Scans of a cohort for the store: with their landmarks, of a folder without labels too, never from outside it."""

import numpy as np
import pytest
from PIL import Image

from core.errors import BadInput
from core.settings import settings
from dashboard.backend import cohorts, questions
from tests.small_anatomy import write_cohort


@pytest.fixture(autouse=True)
def library(tmp_path, monkeypatch):
    write_cohort(tmp_path / "cohorts" / "films")
    (tmp_path / "cohorts" / "loose" / "T1").mkdir(parents=True)
    Image.fromarray(np.arange(120, dtype=np.uint8).reshape(10, 12)).save(
        tmp_path / "cohorts" / "loose" / "T1" / "a.png"
    )
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "cohorts" / "outside.png")
    monkeypatch.setenv("LIGHTBOX_COHORTS_DIR", str(tmp_path / "cohorts"))
    monkeypatch.setenv("LIGHTBOX_STORE_PATH", str(tmp_path / "store"))
    settings.cache_clear()
    questions.store.cache_clear()
    yield
    questions.store().close()
    questions.store.cache_clear()
    monkeypatch.undo()
    settings.cache_clear()


def test_a_scan_of_a_cohort_comes_with_its_landmarks():
    scan = cohorts.store_scan("films", "hand-0.png", "A film", "local")
    assert questions.shelf("local").scan_meta(scan)["label"] == "A film"
    assert [landmark.name for landmark in questions.shelf("local").landmarks(scan)] == ["bone"]


def test_a_scan_of_a_folder_without_labels_is_opened_too():
    scan = cohorts.store_scan("loose", "T1/a.png", "A slice", "local")
    assert questions.shelf("local").scan_meta(scan)["shape"][1:] == [10, 12]


@pytest.mark.parametrize(
    ("cohort", "file"),
    [("films", "ghost.png"), ("loose", "../outside.png"), ("films", "../outside.png"), ("loose", "T1"), ("loose", "")],
)
def test_nothing_else_is_opened(cohort, file):
    with pytest.raises(BadInput, match="no longer in the cohort"):
        cohorts.store_scan(cohort, file, "", "local")


def test_a_cohort_that_is_gone_says_so():
    with pytest.raises(BadInput, match="no cohort 'ghosts'"):
        cohorts.store_scan("ghosts", "a.png", "", "local")


def test_facts_of_a_cohort_are_what_its_folder_says():
    facts = cohorts.cohort_facts("films")
    assert (facts.title, facts.films, facts.classes, facts.synthetic) == ("A few films", 5, ("hand", "foot"), True)
    assert len(cohorts.film_pictures("films", ["hand-0.png", "foot-1.png"])) == 2
