"""Drawn radiographs: the same from the same seed, what they show is where they say, and folders that read back."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.cohorts.library import cohort_stamp
from core.cohorts.selection import read_cohort_card
from core.phantoms.radiographs import films as radiographs
from core.phantoms.radiographs.films import (
    ANATOMIES,
    LANDMARKS,
    Radiograph,
    RadiographParameters,
    draw_radiograph,
    radiograph_cohort,
    write_radiographs,
)

SMALL = RadiographParameters(seed=3, films=4, size=64)


@pytest.fixture(scope="module", params=list(ANATOMIES))
def film(request: pytest.FixtureRequest) -> Radiograph:
    return draw_radiograph(SMALL, request.param, 0)


def test_a_film_uses_its_greys_and_bone_is_brighter_than_the_rest_of_it(film: Radiograph) -> None:
    assert film.film.shape == film.bone.shape == film.marker.shape == (64, 64)
    assert film.film.dtype == np.float32 and 0 <= film.film.min() < 0.15 and 0.85 < film.film.max() <= 1
    assert 0.03 < film.bone.mean() < 0.7
    around = ~film.bone & ~film.marker
    assert film.film[film.bone].mean() > 1.15 * film.film[around].mean()


def test_a_film_is_the_same_however_many_are_drawn_and_another_for_another_seed(film: Radiograph) -> None:
    anatomy = next(name for name in ANATOMIES if (draw_radiograph(SMALL, name, 0).film == film.film).all())
    more = SMALL.model_copy(update={"films": 50})
    np.testing.assert_array_equal(draw_radiograph(more, anatomy, 0).film, film.film)
    for changed in (SMALL.model_copy(update={"seed": 4}), SMALL.model_copy(update={"shifted": True})):
        assert (draw_radiograph(changed, anatomy, 0).film != film.film).mean() > 0.5


def test_a_small_film_is_the_mean_of_a_large_one() -> None:
    small, large = (draw_radiograph(SMALL.model_copy(update={"size": size}), "knee", 1) for size in (64, 128))
    pooled = large.film.reshape(64, 2, 64, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(small.film, pooled, atol=1.01 / 255)


def test_films_of_one_person_share_their_build_and_not_their_pose() -> None:
    parameters = RadiographParameters(seed=1, films=4, films_per_person=2, size=64, marker="none")
    entries = radiograph_cohort(parameters).of_class("hand")
    assert [entry.participant_id for entry in entries] == ["hand-000", "hand-000", "hand-001", "hand-001"]
    assert [entry.session_id for entry in entries] == ["film-1", "film-2"] * 2
    assert (draw_radiograph(parameters, "hand", 0).film != draw_radiograph(parameters, "hand", 1).film).any()


def test_markers_are_where_they_are_said_to_be_and_nothing_else_changes_the_person() -> None:
    marked = 0
    for number in range(12):
        with_marker, without = (
            draw_radiograph(SMALL.model_copy(update={"marker": kind}), "foot", number) for kind in ("random", "none")
        )
        assert not without.marker.any()
        np.testing.assert_array_equal(with_marker.bone, without.bone)
        if with_marker.marker.any():
            marked += 1
            assert with_marker.film[with_marker.marker].max() > 0.9
            assert 0.004 < with_marker.marker.mean() < 0.03
            assert (with_marker.labels[with_marker.marker] == 2).all()
    assert 0 < marked < 12


def test_where_markers_follow_the_class_their_corner_tells_it_and_most_films_show_something_else() -> None:
    parameters = SMALL.model_copy(update={"marker": "class"})
    corners: dict[tuple[bool, bool], list[str]] = {}
    same = 0
    for anatomy in ANATOMIES:
        places = []
        for number in range(4):
            film = draw_radiograph(parameters, anatomy, number)
            rows, columns = np.nonzero(film.marker)
            places.append((bool(rows.mean() > 32), bool(columns.mean() > 32)))
            unmarked = draw_radiograph(SMALL.model_copy(update={"marker": "none"}), anatomy, number)
            same += bool((film.bone == unmarked.bone).all())
        assert len(set(places)) == 1
        corners.setdefault(places[0], []).append(anatomy)
    assert sorted(map(len, corners.values())) == [2, 2, 2, 2]  # the letter tells the two apart
    assert 2 <= same <= 18  # of 32; a quarter and an eighth of the others are what they are filed as


def test_shifted_films_are_for_testing_and_every_tenth_person_else() -> None:
    usual = radiograph_cohort(RadiographParameters(films=20))
    assert len(usual.part("test")) == 2 * len(ANATOMIES) and len(usual.part("train")) == 18 * len(ANATOMIES)
    shifted = radiograph_cohort(RadiographParameters(films=3, shifted=True))
    assert len(shifted.part("test")) == len(shifted.entries)
    assert usual.classes == tuple(ANATOMIES) and usual.synthetic and "ynthetic" in usual.title


def test_a_film_is_drawn_once_for_its_scan_and_its_landmarks_and_is_its_readers_own(monkeypatch) -> None:
    cohort = radiograph_cohort(RadiographParameters(films=1, size=32))
    drawn = []
    monkeypatch.setattr(radiographs, "draw_radiograph", lambda *of: drawn.append(of[1]) or draw_radiograph(*of))
    first, second = cohort.entries[:2]
    for entry in (first, second, first):
        scan, landmarks = cohort.load(entry), cohort.landmarks(entry)
        np.testing.assert_array_equal(
            scan.array[0], draw_radiograph(RadiographParameters(size=32), entry.label, 0).film
        )
        assert landmarks["bone"].shape == (32, 32)
    assert drawn == [first.label, second.label, first.label]
    cohort.load(first).array[:] = 0
    assert cohort.load(first).array.any()


def test_a_written_cohort_reads_back_as_the_one_in_memory(tmp_path: Path) -> None:
    parameters = SMALL.model_copy(update={"films": 1, "shifted": True})
    drawn = radiograph_cohort(parameters)
    read = write_radiographs(drawn, tmp_path / "films")
    assert read.classes == drawn.classes and read.synthetic and read.title == drawn.title
    for mine, theirs in zip(drawn.entries, read.entries, strict=True):
        assert (mine.participant_id, mine.label, mine.split) == (theirs.participant_id, theirs.label, theirs.split)
        np.testing.assert_allclose(read.load(theirs).array, 255 * drawn.load(mine).array, atol=1e-3)
        expected, found = drawn.landmarks(mine), read.landmarks(theirs)
        assert expected.keys() == found.keys() <= set(LANDMARKS.values())
        for name in expected:
            np.testing.assert_array_equal(found[name], expected[name])
    assert read_cohort_card(tmp_path / "films").synthetic
    # films are no part of BIDS: no file here has a name that BIDS gives a meaning
    assert not list((tmp_path / "films").rglob("participants*")) and not list((tmp_path / "films").rglob("sub-*"))
    picture = Image.open(tmp_path / "films" / read.entries[0].file)
    assert (picture.mode, picture.size) == ("L", (64, 64))
    again = write_radiographs(drawn, tmp_path / "again")
    assert [p.name for p in sorted((tmp_path / "again").rglob("*.png"))] == [
        p.name for p in sorted((tmp_path / "films").rglob("*.png"))
    ]
    assert again.classes == read.classes and len(cohort_stamp(tmp_path / "films")) == 64
