"""BIDS trees are read as cohorts: subjects, sessions, the image that is meant, and what is missing."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cohorts.bids import image_name
from core.cohorts.reading import read_cohort
from core.cohorts.selection import Selection
from core.errors import BadInput
from tests.core.cohorts.trees import BOLD, T1, T2, tree

PEOPLE = "participant_id | sex | diagnosis\nsub-01 | F | AD\nsub-02 | M | CN\n"


def files(cohort):
    return [entry.file for entry in cohort.entries]


def test_a_tree_without_sessions(tmp_path: Path) -> None:
    cohort = read_cohort(tree(tmp_path, {"sub-01": [T1], "sub-02": [T1]}, PEOPLE))
    assert files(cohort) == ["sub-01/anat/sub-01_T1w.nii.gz", "sub-02/anat/sub-02_T1w.nii.gz"]
    assert [(e.participant_id, e.session_id, e.label, e.details) for e in cohort.entries] == [
        ("sub-01", "", "AD", {"sex": "F"}),
        ("sub-02", "", "CN", {"sex": "M"}),
    ]
    assert [float(cohort.load(entry).array.mean()) for entry in cohort.entries] == [1, 2]
    assert cohort.notes == ()


@pytest.mark.parametrize("prefix", ["sub-", ""])
def test_a_row_of_a_subject_stands_for_all_its_sessions(prefix: str, tmp_path: Path) -> None:
    images = {"sub-01/ses-a": [T1], "sub-01/ses-b": [T1], "sub-02/ses-a": [T1]}
    cohort = read_cohort(tree(tmp_path, images, PEOPLE.replace("sub-", prefix)))
    assert [(e.participant_id, e.session_id, e.label) for e in cohort.entries] == [
        (f"{prefix}01", "ses-a", "AD"),
        (f"{prefix}01", "ses-b", "AD"),
        (f"{prefix}02", "ses-a", "CN"),
    ]
    assert files(cohort)[1] == "sub-01/ses-b/anat/sub-01_ses-b_T1w.nii.gz"


@pytest.mark.parametrize("session", ["ses-b", "b"])
def test_a_row_may_name_its_session(session: str, tmp_path: Path) -> None:
    images = {"sub-01/ses-a": [T1], "sub-01/ses-b": [T1], "sub-02/ses-b": [T1]}
    people = f"participant_id | session_id | diagnosis\nsub-01 | {session} | AD\nsub-02 | {session} | CN\n"
    assert files(read_cohort(tree(tmp_path, images, people))) == [
        "sub-01/ses-b/anat/sub-01_ses-b_T1w.nii.gz",
        "sub-02/ses-b/anat/sub-02_ses-b_T1w.nii.gz",
    ]


def test_what_a_table_of_sessions_says_goes_over_the_subject(tmp_path: Path) -> None:
    images = {"sub-01/ses-1": [T1], "sub-01/ses-2": [T1], "sub-02/ses-1": [T1]}
    people = "participant_id | sex | age\nsub-01 | F | n/a\nsub-02 | M | 70\n"
    root = tree(tmp_path, images, people)
    (root / "sub-01" / "sub-01_sessions.tsv").write_text(
        "session_id\tdiagnosis\tage\nses-1\tCN\t71\nses-2\tAD\t73\n", encoding="utf-8"
    )
    (root / "sub-02" / "sub-02_sessions.tsv").write_text("session_id\tdiagnosis\tage\nses-1\tCN\tn/a\n")
    cohort = read_cohort(root)
    assert [(e.participant_id, e.session_id, e.label, e.details["age"]) for e in cohort.entries] == [
        ("sub-01", "ses-1", "CN", "71"),
        ("sub-01", "ses-2", "AD", "73"),
        ("sub-02", "ses-1", "CN", "70"),
    ]


@pytest.mark.parametrize("missing", ["n/a", "N/A", "NA", "NaN", "nan", "", " n/a "])
def test_what_is_missing_is_no_class(missing: str, tmp_path: Path) -> None:
    people = PEOPLE + f"sub-03 | n/a | {missing}\n{missing} | F | AD\n"
    cohort = read_cohort(tree(tmp_path, {f"sub-0{n}": [T1] for n in (1, 2, 3)}, people))
    assert cohort.classes == ("AD", "CN")
    assert cohort.notes == ("1 row without a class left out.", "1 row without a subject left out.")


def test_what_is_missing_elsewhere_is_empty(tmp_path: Path) -> None:
    people = (
        "participant_id | diagnosis | split | file | pair | age\n"
        "sub-01 | AD | n/a | n/a | n/a | n/a\nsub-02 | CN | train | n/a | n/a | 7\n"
    )
    entry = read_cohort(tree(tmp_path, {"sub-01": [T1], "sub-02": [T1]}, people)).entries[0]
    assert (entry.split, entry.pair, entry.group, entry.details) == ("", "", "sub-01", {"age": ""})


def test_of_several_kinds_of_image_t1_is_taken_and_said(tmp_path: Path) -> None:
    images = {"sub-01": [T2, T1, BOLD], "sub-02": [BOLD, T1]}
    cohort = read_cohort(tree(tmp_path, images, PEOPLE))
    assert files(cohort) == ["sub-01/anat/sub-01_T1w.nii.gz", "sub-02/anat/sub-02_T1w.nii.gz"]
    assert len(cohort.notes) == 1
    assert "T1w was taken; there are T1w 2, bold 2, T2w 1" in cohort.notes[0]
    cohort = read_cohort(tmp_path, Selection(image="bold"))
    assert files(cohort)[1] == "sub-02/func/sub-02_task-rest_bold.nii.gz"
    assert cohort.notes == ()


def test_without_t1_it_is_asked_which(tmp_path: Path) -> None:
    images = {"sub-01": [T2, BOLD], "sub-02": [T2, BOLD]}
    with pytest.raises(BadInput, match=r"several kinds \(T2w 2, bold 2\): name the one to take with image=NAME"):
        read_cohort(tree(tmp_path, images, PEOPLE))


def test_subjects_without_the_kind_that_is_taken_are_named(tmp_path: Path) -> None:
    images = {"sub-01": [T1], "sub-02": [T1], "sub-03": [T2]}
    cohort = read_cohort(tree(tmp_path, images, PEOPLE + "sub-03 | F | CN\nsub-04 | F | CN\n"))
    assert cohort.left_out == ("sub-03", "sub-04")


def test_of_runs_the_first_is_taken_and_counted(tmp_path: Path) -> None:
    runs = [f"anat/{{}}_run-{run}_T1w.nii.gz" for run in (10, 2, 1)]
    cohort = read_cohort(tree(tmp_path, {"sub-01": runs, "sub-02": [T1]}, PEOPLE))
    assert files(cohort)[0] == "sub-01/anat/sub-01_run-1_T1w.nii.gz"
    assert cohort.notes == ("Of the runs of one image the first was taken (1 session).",)


SEGMENTS = [
    f"anat/{{}}_space-{space}label-{tissue}_probseg.nii.gz"
    for space in ("MNI152NLin6Asym_", "T1w_")
    for tissue in ("CSF", "GM")
]


def test_derivatives_are_read_below_the_dataset_by_as_much_of_the_name_as_tells_them_apart(tmp_path: Path) -> None:
    tree(tmp_path, {"sub-01": [T1], "sub-02": [T1]}, PEOPLE)
    prepared = [*SEGMENTS, "anat/{}_desc-preproc_T1w.nii.gz", "anat/{}_desc-brain_mask.nii.gz"]
    tree(tmp_path, {"sub-01": prepared, "sub-02": prepared}, place="derivatives/fmriprep")
    where = {"images": "derivatives/fmriprep"}
    with pytest.raises(BadInput, match=r"sub-01 has several images that end in probseg .*label-CSF_space-MNI"):
        read_cohort(tmp_path, Selection(**where, image="probseg"))
    with pytest.raises(BadInput, match="label-GM_space-T1w_probseg"):
        read_cohort(tmp_path, Selection(**where, image="label-GM_probseg"))
    cohort = read_cohort(tmp_path, Selection(**where, image="space-MNI152NLin6Asym_label-GM_probseg"))
    assert [Path(file).name for file in files(cohort)] == [
        f"sub-0{n}_space-MNI152NLin6Asym_label-GM_probseg.nii.gz" for n in (1, 2)
    ]
    # derivatives are never mixed with the raw images
    assert files(read_cohort(tmp_path))[0] == "sub-01/anat/sub-01_T1w.nii.gz"


def test_the_name_that_was_asked_for_goes_before_one_with_more_in_it(tmp_path: Path) -> None:
    both = [T1, "anat/{}_space-MNI152NLin6Asym_T1w.nii.gz"]
    root = tree(tmp_path, {"sub-01": both, "sub-02": both}, PEOPLE)
    with pytest.raises(BadInput, match="several images that end in T1w"):
        read_cohort(root)
    assert files(read_cohort(root, Selection(image="T1w")))[0] == "sub-01/anat/sub-01_T1w.nii.gz"


def test_images_of_different_spaces_are_not_mixed(tmp_path: Path) -> None:
    images = {"sub-01": [T1], "sub-02": ["anat/{}_space-MNI152NLin6Asym_T1w.nii.gz"]}
    with pytest.raises(BadInput, match=r"differ in space \(MNI152NLin6Asym, none\)"):
        read_cohort(tree(tmp_path, images, PEOPLE))


def test_a_tree_without_its_table_is_no_folder_of_classes(tmp_path: Path) -> None:
    images = {"sub-01": ["{}_T1w.nii.gz"], "sub-02": ["{}_T1w.nii.gz"]}
    with pytest.raises(BadInput, match=r"folders of subjects and no participants\.tsv"):
        read_cohort(tree(tmp_path, images))


def test_images_beside_each_other_in_the_subject_s_folder_are_told_apart_too(tmp_path: Path) -> None:
    names = ["{}_FLAIR.nii.gz", "{}_T1w.nii.gz"]
    cohort = read_cohort(tree(tmp_path, {"sub-01": names, "sub-02": names}, PEOPLE))
    assert files(cohort) == ["sub-01/sub-01_T1w.nii.gz", "sub-02/sub-02_T1w.nii.gz"]


def test_of_names_that_are_none_of_bids_the_first_is_taken_and_counted(tmp_path: Path) -> None:
    names = ["brain.nii.gz", "after.nii.gz"]
    cohort = read_cohort(tree(tmp_path, {"sub-01": names, "sub-02": ["brain.nii.gz"]}, PEOPLE))
    assert files(cohort) == ["sub-01/after.nii.gz", "sub-02/brain.nii.gz"]
    assert cohort.notes == ("Of several images the first by name was taken (1 session).",)


def test_films_in_a_tree_are_read(tmp_path: Path) -> None:
    from PIL import Image

    root = tree(tmp_path, {}, PEOPLE)
    for name in ("sub-01", "sub-02"):
        path = root / name / "ses-1" / "mod-rx" / f"{name}_ses-1_bp-chest_vp-ap_dx.png"
        path.parent.mkdir(parents=True)
        Image.fromarray(np.full((3, 4), 7, np.uint8)).save(path)
    cohort = read_cohort(root)
    assert [entry.session_id for entry in cohort.entries] == ["ses-1", "ses-1"]
    assert cohort.load(cohort.entries[0]).shape == (3, 4)


@pytest.mark.parametrize("name", ["../other", "sub-../x", "/etc", "sub-*", "sub-\0", "ses-" + "x" * 4000])
def test_a_hostile_name_finds_nothing(name: str, tmp_path: Path) -> None:
    root = tree(tmp_path / "cohort", {"sub-01": [T1], "sub-02": [T1]}, PEOPLE + f"{name} | F | AD\n")
    (tmp_path / "other" / "anat").mkdir(parents=True)
    assert len(read_cohort(root).entries) == 2
    people = f"participant_id | session_id | diagnosis\nsub-01 | {name} | AD\nsub-01 |  | AD\nsub-02 |  | CN\n"
    assert len(read_cohort(tree(root, {}, people)).entries) == 2


def test_a_link_out_of_the_tree_is_refused(tmp_path: Path) -> None:
    root = tree(tmp_path / "cohort", {"sub-01": [T1]}, PEOPLE)
    outside = tree(tmp_path / "outside", {"sub-02": [T1]})
    (root / "sub-02").symlink_to(outside / "sub-02")
    with pytest.raises(BadInput, match="outside the cohort folder"):
        read_cohort(root)


label = st.text("abcdefgXYZ0123456789", min_size=1, max_size=8)


@given(entities=st.dictionaries(st.sampled_from(["sub", "ses", "acq", "run", "space", "desc"]), label), suffix=label)
def test_a_name_taken_apart_is_what_it_was_made_of(entities: dict[str, str], suffix: str) -> None:
    name = image_name("_".join([*(f"{key}-{value}" for key, value in entities.items()), suffix]))
    assert name is not None
    assert (name.entities, name.suffix) == (entities, suffix)


@pytest.mark.parametrize("stem", ["", "a b", "sub-01_", "sub-01", "scan_of_anna", "sub-_T1w", "-1_T1w", "sub-01_T1-w"])
def test_other_names_are_none(stem: str) -> None:
    assert image_name(stem) is None


def test_a_setting_that_is_no_name_is_refused(tmp_path: Path) -> None:
    root = tree(tmp_path, {"sub-01": [T1], "sub-02": [T1]}, PEOPLE)
    with pytest.raises(BadInput, match="no end of a BIDS name"):
        read_cohort(root, Selection(image="../x"))


SCANS = "filename\tacq_time\tdiagnosis\tsubject\n"


def write_scans(root: Path, session: str, *rows: str) -> None:
    start = session.replace("/", "_")
    lines = [row.format(start).replace(" | ", "\t") for row in rows]
    (root / session / f"{start}_scans.tsv").write_text(SCANS + "\n".join(lines) + "\n")


def test_what_a_table_of_scans_says_of_the_image_that_is_taken_stands_beside_it(tmp_path: Path) -> None:
    images = {"sub-01/ses-1": [T1, T2], "sub-01/ses-2": [T1], "sub-02/ses-1": [T1]}
    root = tree(tmp_path, images, PEOPLE)
    write_scans(
        root, "sub-01/ses-1",
        "anat/{}_T2w.nii.gz | 2020-01-01T09:00:00 | MCI | other",
        "anat/{}_T1w.nii.gz | 2020-01-01T08:00:00 | n/a | other",
    )  # fmt: skip
    write_scans(root, "sub-01/ses-2", "anat/{}_T1w.nii.gz | 2021-01-01T08:00:00 | MCI | n/a")
    cohort = read_cohort(root)
    assert [(e.participant_id, e.session_id, e.label, e.details.get("acq_time")) for e in cohort.entries] == [
        ("sub-01", "ses-1", "AD", "2020-01-01T08:00:00"),
        ("sub-01", "ses-2", "MCI", "2021-01-01T08:00:00"),
        ("sub-02", "ses-1", "CN", None),
    ]


def test_labels_may_stand_in_the_tables_of_scans_alone(tmp_path: Path) -> None:
    people = "participant_id | sex\nsub-01 | F\nsub-02 | M\n"
    root = tree(tmp_path, {"sub-01": [T1], "sub-02": [T1]}, people)
    write_scans(root, "sub-01", "anat/{}_T1w.nii.gz | n/a | AD | n/a")
    write_scans(root, "sub-02", "./anat/{}_T1w.nii.gz | n/a | CN | n/a")
    assert [(e.participant_id, e.label) for e in read_cohort(root).entries] == [("sub-01", "AD"), ("sub-02", "CN")]


@pytest.mark.parametrize(
    "table",
    ["", "\x00\xff", "file\tdiagnosis\nx\tAD\n", SCANS, SCANS + "anat/nothing.nii.gz\tt\tMCI\tx\n"],
)
def test_a_table_of_scans_that_says_nothing_of_an_image_changes_nothing(table: str, tmp_path: Path) -> None:
    root = tree(tmp_path, {"sub-01": [T1], "sub-02": [T1]}, PEOPLE)
    before = read_cohort(root)
    (root / "sub-01" / "sub-01_scans.tsv").write_text(table)
    after = read_cohort(root)
    assert [(e.label, e.details, e.file) for e in after.entries] == [
        (e.label, e.details, e.file) for e in before.entries
    ]
    assert after.notes == before.notes
