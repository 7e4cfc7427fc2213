"""Folders of image pairs: who belongs to whom, and who is held out."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.cohorts.pairs import PairCohort, read_pairs, split_by_case
from core.errors import BadInput
from tests.core.cohorts.trees import BOLD, T1, T2, tree


def write(path: Path, value: int = 100) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 8), value, np.uint8)).save(path)


def pairs_in(folder: Path, names: list[str], folders: tuple[str, str] = ("T1", "T2")) -> None:
    for name in names:
        write(folder / folders[0] / f"{name}.png", 10)
        write(folder / folders[1] / f"{name}.png", 20)


def cases(cohort: PairCohort, split: str) -> set[str]:
    return {pair.case for pair in cohort.part(split)}


def test_files_of_one_name_are_a_pair_and_load_in_the_order_input_target(tmp_path: Path) -> None:
    pairs_in(tmp_path, ["001_a", "001_b", "002_a"])
    cohort = read_pairs(tmp_path)
    assert [(pair.name, pair.case, pair.split) for pair in cohort.pairs] == [
        ("001_a", "001", ""),
        ("001_b", "001", ""),
        ("002_a", "002", ""),
    ]
    shown, true = cohort.load(cohort.pairs[0])
    assert (shown.array.max(), true.array.max()) == (10, 20)
    assert (cohort.input_name, cohort.target_name) == ("T1", "T2")


def test_endings_may_differ_and_a_file_without_its_partner_is_left_out_and_named(tmp_path: Path) -> None:
    write(tmp_path / "MRI" / "1.png")
    write(tmp_path / "CT" / "1.tiff")
    write(tmp_path / "CT" / "2.png")
    cohort = read_pairs(tmp_path)
    assert [pair.name for pair in cohort.pairs] == ["1"]
    assert cohort.left_out == {"2": "without its partner"}


def test_folders_train_and_test_are_the_splits_and_validation_comes_from_train(tmp_path: Path) -> None:
    pairs_in(tmp_path / "train", [f"{n:03d}" for n in range(10)])
    pairs_in(tmp_path / "test", ["100", "101"])
    cohort = split_by_case(read_pairs(tmp_path), validation=0.2, test=0.5, seed=0)
    assert cases(cohort, "test") == {"100", "101"}
    assert len(cases(cohort, "validation")) == 2
    assert len(cases(cohort, "train")) == 8


def test_whole_cases_are_held_out_and_the_seed_decides_which(tmp_path: Path) -> None:
    pairs_in(tmp_path, [f"{case:02d}{number}" for case in range(10) for number in range(3)])
    cohort = read_pairs(tmp_path, case_pattern=r"\d\d")
    split = split_by_case(cohort, validation=0.1, test=0.3, seed=1)
    parts = [cases(split, name) for name in ("train", "validation", "test")]
    assert [len(part) for part in parts] == [6, 1, 3]
    assert len(set.union(*parts)) == 10
    assert split_by_case(cohort, 0.1, 0.3, 1).pairs == split.pairs
    assert split_by_case(cohort, 0.1, 0.3, 2).pairs != split.pairs


def test_a_small_share_still_holds_out_one_case_and_a_share_of_none_holds_out_none(tmp_path: Path) -> None:
    pairs_in(tmp_path, ["1", "2", "3"])
    split = split_by_case(read_pairs(tmp_path), validation=0.01, test=0.0, seed=0)
    assert (len(split.part("validation")), len(split.part("test")), len(split.part("train"))) == (1, 0, 2)


def test_pairs_of_low_quality_are_left_out_and_so_are_those_nobody_judged(tmp_path: Path) -> None:
    pairs_in(tmp_path, ["1", "2", "3"])
    (tmp_path / "dice.csv").write_text("file,dice\n1.png,0.9\n2.png,0.5\n")
    cohort = read_pairs(tmp_path, quality_table="dice.csv", quality_from=0.85)
    assert [pair.name for pair in cohort.pairs] == ["1"]
    assert cohort.left_out == {"2": "quality below 0.85", "3": "not in the quality table"}


def test_folders_of_other_names_are_named(tmp_path: Path) -> None:
    pairs_in(tmp_path, ["1"], ("flair", "dwi"))
    with pytest.raises(BadInput, match="--param input_folder=NAME"):
        read_pairs(tmp_path)
    assert len(read_pairs(tmp_path, "flair", "dwi").pairs) == 1
    with pytest.raises(BadInput, match="Name both"):
        read_pairs(tmp_path, "flair")


@pytest.mark.parametrize("name", ["..", "a/b", "."])
def test_a_folder_outside_the_cohort_cannot_be_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="not paths"):
        read_pairs(tmp_path, "T1", name)


def test_a_link_out_of_the_cohort_is_refused(tmp_path: Path) -> None:
    pairs_in(tmp_path / "cohort", ["1"])
    write(tmp_path / "secret.png")
    (tmp_path / "cohort" / "T1" / "2.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(BadInput, match="outside the cohort"):
        read_pairs(tmp_path / "cohort")


@pytest.mark.parametrize(
    ("pattern", "words"), [("(", "not a regular expression"), ("x", "does not meet"), ("z*", "does not meet")]
)
def test_a_pattern_that_tells_no_case_is_refused(tmp_path: Path, pattern: str, words: str) -> None:
    pairs_in(tmp_path, ["1"])
    with pytest.raises(BadInput, match=words):
        read_pairs(tmp_path, case_pattern=pattern)


def test_a_case_or_an_image_in_two_splits_is_refused(tmp_path: Path) -> None:
    pairs_in(tmp_path / "train", ["1_a"])
    pairs_in(tmp_path / "test", ["1_b"])
    with pytest.raises(BadInput, match="The case 1 is in"):
        split_by_case(read_pairs(tmp_path), 0.1, 0.1, 0)
    pairs_in(tmp_path / "test", ["1_a"])
    with pytest.raises(BadInput, match="in two splits"):
        read_pairs(tmp_path)


def test_too_few_cases_an_empty_folder_a_broken_table_and_a_name_twice_are_said_in_a_sentence(tmp_path: Path) -> None:
    pairs_in(tmp_path, ["1_a", "1_b", "2_a"])
    with pytest.raises(BadInput, match="2 case"):
        split_by_case(read_pairs(tmp_path), 0.1, 0.1, 0)
    (tmp_path / "q.csv").write_text("file,dice\n1_a.png,good\n")
    with pytest.raises(BadInput, match="must be CSV"):
        read_pairs(tmp_path, quality_table="q.csv")
    with pytest.raises(BadInput, match="no quality table"):
        read_pairs(tmp_path, quality_table="../q.csv")
    write(tmp_path / "T1" / "1_a.jpg")
    with pytest.raises(BadInput, match="two files called 1_a"):
        read_pairs(tmp_path)
    (tmp_path / "empty" / "T1").mkdir(parents=True)
    (tmp_path / "empty" / "T2").mkdir()
    with pytest.raises(BadInput, match="holds no pair"):
        read_pairs(tmp_path / "empty")


def test_the_two_images_of_a_session_of_a_bids_tree_are_a_pair(tmp_path: Path) -> None:
    images = {"sub-01/ses-1": [T1, T2], "sub-01/ses-2": [T2, T1, BOLD], "sub-02/ses-1": [T1], "sub-03/ses-1": [T1, T2]}
    cohort = read_pairs(tree(tmp_path, images))
    assert [(pair.name, pair.case) for pair in cohort.pairs] == [
        ("sub-01_ses-1", "sub-01"),
        ("sub-01_ses-2", "sub-01"),
        ("sub-03_ses-1", "sub-03"),
    ]
    assert cohort.left_out == {"sub-02_ses-1": "without its partner"}
    assert [[float(scan.array[0, 0, 0, 0]) for scan in cohort.load(pair)] for pair in cohort.pairs] == [
        [1, 2],
        [4, 3],
        [7, 8],
    ]
    other = read_pairs(tmp_path, "T1w", "task-rest_bold")
    assert [pair.name for pair in other.pairs] == ["sub-01_ses-2"]


def test_a_bids_tree_without_pairs_or_with_uncertain_ones_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no pair: give sessions both images, T1w and T2w"):
        read_pairs(tree(tmp_path / "one", {"sub-01": [T1], "sub-02": [T1]}))
    several = ["anat/{}_acq-a_T2w.nii.gz", "anat/{}_acq-b_T2w.nii.gz", T1]
    with pytest.raises(BadInput, match="several images that end in T2w"):
        read_pairs(tree(tmp_path / "two", {"sub-01": several}))
    outside = tree(tmp_path / "outside", {"sub-02": [T1, T2]})
    inside = tree(tmp_path / "three", {"sub-01": [T1, T2]})
    (inside / "sub-02").symlink_to(outside / "sub-02")
    with pytest.raises(BadInput, match="outside the cohort folder"):
        read_pairs(inside)
