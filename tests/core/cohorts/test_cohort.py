"""Splits that never divide a subject."""

from collections import Counter

import pytest

from core.cohorts.cohort import Cohort, Entry, folds, split_by_subject
from core.errors import BadInput


def many(subjects: int, sessions: int, classes: tuple[str, ...] = ("CN", "AD"), pairs: bool = False) -> Cohort:
    entries = [
        Entry(f"sub-{s:03d}", f"ses-{v}", classes[s % len(classes)], pair=f"pair-{s // 2}" if pairs else "")
        for s in range(subjects)
        for v in range(sessions)
    ]
    return Cohort("made", tuple(entries), lambda entry: pytest.fail("nothing should be read"))


def test_splits_divide_subjects_never_sessions_and_hold_out_one_session_each() -> None:
    cohort = split_by_subject(many(40, 3), validation=0.1, test=0.25, seed=3)
    split_of: dict[str, set[str]] = {}
    for entry in cohort.entries:
        split_of.setdefault(entry.participant_id, set()).add(entry.split)
    assert all(len(splits) == 1 for splits in split_of.values())
    assert Counter((e.split, e.label) for e in cohort.entries) == {
        ("train", "CN"): 13 * 3,
        ("train", "AD"): 13 * 3,
        ("validation", "CN"): 2,
        ("validation", "AD"): 2,
        ("test", "CN"): 5,
        ("test", "AD"): 5,
    }
    assert all(entry.session_id == "ses-0" for entry in cohort.entries if entry.split != "train")


def test_the_same_seed_splits_alike_and_another_seed_otherwise() -> None:
    def tested(seed: int) -> list[str]:
        return [e.participant_id for e in split_by_subject(many(40, 1), 0.1, 0.2, seed).part("test")]

    assert tested(1) == tested(1) != tested(2)


def test_pairs_stay_together() -> None:
    cohort = split_by_subject(many(40, 1, pairs=True), 0.2, 0.2, seed=0)
    split_of: dict[str, set[str]] = {}
    for entry in cohort.entries:
        split_of.setdefault(entry.pair, set()).add(entry.split)
    assert all(len(splits) == 1 for splits in split_of.values())


def test_splits_that_come_with_the_cohort_are_kept_and_a_divided_subject_is_refused() -> None:
    given = Cohort("c", (Entry("a", "1", "CN", split="test"), Entry("b", "1", "AD", split="train")), lambda e: None)
    assert split_by_subject(given, 0.5, 0.5, 0).entries == given.entries
    divided = Cohort("c", (*given.entries, Entry("a", "2", "CN", split="train")), lambda e: None)
    with pytest.raises(BadInput, match="sessions of a are in different splits"):
        split_by_subject(divided, 0.1, 0.1, 0)


def test_over_all_folds_every_subject_is_tested_once_and_never_trained_on_meanwhile() -> None:
    made = folds(many(23, 2), 5, seed=0)
    tested = [entry.participant_id for fold in made for entry in fold.part("test")]
    assert sorted(tested) == sorted({e.participant_id for e in many(23, 2).entries})
    for fold in made:
        assert not {e.participant_id for e in fold.part("test")} & {e.participant_id for e in fold.part("train")}
        assert {e.label for e in fold.part("test")} == {"CN", "AD"}


def test_more_folds_than_subjects_of_a_class_are_refused() -> None:
    with pytest.raises(BadInput, match="5 folds need 5 subjects of each class"):
        folds(many(6, 1), 5, seed=0)
