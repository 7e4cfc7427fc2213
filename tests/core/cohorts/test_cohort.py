"""Reading cohorts from folders, and splits that never divide a subject."""

from collections import Counter
from pathlib import Path

import nibabel
import numpy as np
import pytest

from core.cohorts.cohort import Cohort, Entry, folds, read_cohort, split_by_subject
from core.errors import BadInput


def save_scan(path: Path, value: float = 0.5) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(np.full((4, 5, 6), value, np.float32), np.eye(4)), path)


def table(folder: Path, text: str, name: str = "participants.tsv") -> None:
    (folder / name).write_text(text.replace(" | ", "\t" if name.endswith("tsv") else ","), encoding="utf-8")


def many(subjects: int, sessions: int, classes: tuple[str, ...] = ("CN", "AD"), pairs: bool = False) -> Cohort:
    entries = [
        Entry(f"sub-{s:03d}", f"ses-{v}", classes[s % len(classes)], pair=f"pair-{s // 2}" if pairs else "")
        for s in range(subjects)
        for v in range(sessions)
    ]
    return Cohort("made", tuple(entries), lambda entry: pytest.fail("nothing should be read"))


def test_a_folder_with_one_scan_a_subject_needs_no_file_column(tmp_path: Path) -> None:
    save_scan(tmp_path / "one.nii.gz", 0.25)
    save_scan(tmp_path / "two_T1w.nii", 0.75)
    table(tmp_path, "participant_id | diagnosis\none | CN\ntwo | AD\n")
    cohort = read_cohort(tmp_path)
    assert [entry.file for entry in cohort.entries] == ["one.nii.gz", "two_T1w.nii"]
    assert cohort.classes == ("CN", "AD")
    assert [float(cohort.load(entry).array.mean()) for entry in cohort.entries] == [0.25, 0.75]


def test_sessions_in_folders_a_csv_and_another_label_column_are_read(tmp_path: Path) -> None:
    for visit in ("ses-1", "ses-2"):
        save_scan(tmp_path / "sub-1" / visit / "anything.nii.gz")
    save_scan(tmp_path / "pictures" / "x.nii.gz")
    table(
        tmp_path,
        "participant_id | session_id | group | file | age\n"
        "sub-1 | ses-1 | a |  | 70\nsub-1 | ses-2 | a |  | 71\n"
        "sub-2 |  | b | pictures/x.nii.gz | 65\nsub-3 |  |  |  | \n",
        "participants.csv",
    )
    cohort = read_cohort(tmp_path, label_column="group")
    assert [entry.file for entry in cohort.entries] == [
        "sub-1/ses-1/anything.nii.gz",
        "sub-1/ses-2/anything.nii.gz",
        "pictures/x.nii.gz",
    ]
    assert cohort.entries[0].details == {"age": "70"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("participant_id | sex\none | F\n", "no column 'diagnosis'"),
        ("participant_id | diagnosis\n", "has no rows"),
        ("participant_id | diagnosis\none | CN\n", "1 class"),
        ("participant_id | diagnosis\nghost | CN\n", "None of the 1 scans .* ghost"),
        ("participant_id | diagnosis | file\none | CN | ../outside.nii.gz\n", "outside the cohort folder"),
        ("participant_id | diagnosis | split\none | CN | exam\n", "split of one is 'exam'"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_in_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    folder = tmp_path / "cohort"
    save_scan(folder / "one.nii.gz")
    save_scan(tmp_path / "outside.nii.gz")
    table(folder, text)
    with pytest.raises(BadInput, match=sentence):
        read_cohort(folder)


def test_people_without_a_scan_are_left_out_and_named(tmp_path: Path) -> None:
    for name in ("one", "two"):
        save_scan(tmp_path / f"{name}.nii.gz")
    table(tmp_path, "participant_id | session_id | diagnosis\none |  | CN\nghost | ses-2 | CN\ntwo |  | AD\n")
    cohort = read_cohort(tmp_path)
    assert [entry.participant_id for entry in cohort.entries] == ["one", "two"]
    assert cohort.left_out == ("ghost ses-2",)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    save_scan(tmp_path / "elsewhere.nii.gz")
    folder = tmp_path / "cohort"
    folder.mkdir()
    (folder / "one.nii.gz").symlink_to(tmp_path / "elsewhere.nii.gz")
    table(folder, "participant_id | diagnosis\none | CN\n")
    with pytest.raises(BadInput, match="outside the cohort folder"):
        read_cohort(folder)


def test_a_folder_without_a_table_or_with_a_binary_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no participants\.tsv"):
        read_cohort(tmp_path)
    (tmp_path / "participants.tsv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(BadInput, match="not a text table in UTF-8"):
        read_cohort(tmp_path)


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
