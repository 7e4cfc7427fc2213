"""The library's cohorts by name."""

import os
from pathlib import Path

import pytest

from core.cohorts import library
from core.cohorts.library import cohort_cards, cohort_folders, cohort_stamp, library_cohort
from core.errors import BadInput
from core.settings import settings


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("shipped/cohorts/one", "shipped/cohorts/two", "own/two", "own/.hidden"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "own" / "file.txt").write_text("")
    monkeypatch.setattr(library, "ASSETS", tmp_path / "shipped")
    monkeypatch.setenv("LIGHTBOX_COHORTS_DIR", str(tmp_path / "own"))
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def test_own_cohorts_stand_beside_the_shipped_ones_and_win(folders: Path):
    assert cohort_folders() == {"one": folders / "shipped/cohorts/one", "two": folders / "own/two"}
    assert library_cohort("two") == folders / "own/two"


@pytest.mark.parametrize("name", ["three", "../own/two", ""])
def test_a_name_that_the_library_does_not_have_is_refused_with_the_ones_it_has(folders: Path, name: str):
    with pytest.raises(BadInput, match="Cohorts there: one, two"):
        library_cohort(name)


def test_cards_are_titled_and_an_unreadable_one_is_left_out(folders: Path):
    (folders / "own/two/cohort.yaml").write_text("title: [")
    assert {name: card.title for name, card in cohort_cards().items()} == {"one": "one"}


def test_the_stamp_changes_with_any_file_of_the_cohort(folders: Path):
    film = folders / "own/two/films/a.png"
    film.parent.mkdir()
    film.write_bytes(b"1")
    before = cohort_stamp(folders / "own/two")
    assert cohort_stamp(folders / "own/two") == before
    film.write_bytes(b"12")
    longer = cohort_stamp(folders / "own/two")
    assert longer != before
    film.write_bytes(b"21")  # as long as before, but later
    os.utime(film, ns=(0, 0))
    assert cohort_stamp(folders / "own/two") != longer
    film.rename(film.with_name("b.png"))
    assert len({before, longer, cohort_stamp(folders / "own/two")}) == 3
