"""Reading cohorts from folders: tables, folders of images, what is left out, landmarks."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from core.cohorts.reading import read_cohort
from core.cohorts.selection import Selection
from core.errors import BadInput
from tests.shared import SHARED_DATA


def save_scan(path: Path, value: float = 0.5) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(np.full((4, 5, 6), value, np.float32), np.eye(4)), path)


def table(folder: Path, text: str, name: str = "participants.tsv") -> None:
    (folder / name).write_text(text.replace(" | ", "\t" if name.endswith("tsv") else ","), encoding="utf-8")


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
    cohort = read_cohort(tmp_path, Selection(label_column="group"))
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
        ("participant_id,diagnosis\none,CN\n", r"participants\.tsv has one column, .*: put tabs between its columns"),
        (
            "participant_id | diagnosis | file\none | CN | one.nii.gz\ntwo | AD | one.nii.gz\n",
            r"names one\.nii\.gz as CN and as AD: keep the row that is right",
        ),
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


@pytest.mark.parametrize("name", ["*", "[a-", "**", "/etc", "../..", "x" * 5000, "one\0"])
def test_a_name_that_is_a_pattern_or_a_path_finds_no_scan_of_somebody_else(tmp_path: Path, name: str) -> None:
    for file in ("one_1", "two_1", "two_2"):
        save_scan(tmp_path / f"{file}.nii.gz")
    table(
        tmp_path, f"participant_id | diagnosis | file\n{name} | CN | \none | CN | {name}.nii\none | CN |\ntwo | AD |\n"
    )
    cohort = read_cohort(tmp_path)
    assert [entry.file for entry in cohort.entries] == ["one_1.nii.gz", "two_1.nii.gz"]
    assert len(cohort.left_out) == 2


def test_rows_without_class_or_subject_and_scans_named_again_are_left_out_and_counted(tmp_path: Path) -> None:
    for name in ("one", "two"):
        save_scan(tmp_path / f"{name}.nii.gz")
    (tmp_path / "participants.csv").write_text(
        "\ufeff participant_id,file,diagnosis,note\r\n"
        'one,one.nii.gz,CN,"old, kept"\r\none,one.nii.gz,CN,\r\n'
        ",two.nii.gz,AD\r\ntwo,two.nii.gz,\r\ntwo,two.nii.gz,AD\r\n"
    )
    cohort = read_cohort(tmp_path)
    assert [(entry.participant_id, entry.label) for entry in cohort.entries] == [("one", "CN"), ("two", "AD")]
    assert cohort.entries[0].details == {"note": "old, kept"}
    assert cohort.notes == (
        "1 row without a class left out.",
        "1 row without a subject left out.",
        "1 row with a scan named before left out.",
    )


def test_a_file_that_is_no_image_is_named(tmp_path: Path) -> None:
    for name in ("Hand/1.png", "Knee/1.png"):
        save_film(tmp_path / name)
    (tmp_path / "Knee/1.png").write_text("no image")
    cohort = read_cohort(tmp_path)
    cohort.load(cohort.entries[0])
    with pytest.raises(BadInput, match=r"^Knee/1\.png: This is not an image"):
        cohort.load(cohort.entries[1])


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


SHARED = SHARED_DATA


def save_film(path: Path, values: np.ndarray | None = None, shape: tuple[int, int] = (6, 8)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full(shape, 90, np.uint8) if values is None else values.astype(np.uint8)).save(path)


def films_of(folder: Path, labels: dict[str, str], column: str = "diagnosis", more: str = "") -> None:
    for name in labels:
        save_film(folder / f"{name}.png")
    rows = "".join(f"{name} | {name}.png | {label}{more}\n" for name, label in labels.items())
    table(folder, f"participant_id | file | {column}{' | landmarks' if more else ''}\n{rows}")


def test_a_table_of_another_name_with_its_images_in_a_folder_is_read_as_selected(tmp_path: Path) -> None:
    for name in ("a", "b", "c", "d"):
        save_film(tmp_path / "images" / f"{name}.png")
    (tmp_path / "labels.csv").write_text(
        "file,part,who\na.png,Hand,1\nb.png,Hand|Wrist,1\nc.png,Knee,2\nd.png,Knee,3\n"
    )
    chosen = Selection(
        table="labels.csv", images="images", label_column="part", subject_column="who", separator="|", minimum=1
    )
    cohort = read_cohort(tmp_path, chosen)
    assert [(e.participant_id, e.label, e.file) for e in cohort.entries] == [
        ("1", "Hand", "images/a.png"),
        ("2", "Knee", "images/c.png"),
        ("3", "Knee", "images/d.png"),
    ]
    assert cohort.notes == ("1 row with several classes left out.",)
    assert cohort.load(cohort.entries[0]).shape == (6, 8)


def test_excluded_and_small_classes_are_left_out_and_counted(tmp_path: Path) -> None:
    films_of(tmp_path, {"a": "Hand", "b": "Hand", "c": "Knee", "d": "Knee", "e": "Hip", "f": "Others", "g": "Others"})
    cohort = read_cohort(tmp_path, Selection(exclude="Others", minimum=2))
    assert cohort.classes == ("Hand", "Knee")
    assert cohort.notes == (
        "2 scans of 1 class left out as asked: Others.",
        "1 scan of 1 class with fewer than 2 left out: Hip 1.",
    )


def test_what_the_card_says_holds_where_nothing_else_is_chosen(tmp_path: Path) -> None:
    films_of(tmp_path, {"a": "Hand", "b": "Hand", "c": "Knee", "d": "Hip"}, column="part")
    card = "title: Two parts\nsynthetic: true\nlabel_column: part\nexclude: [Hip]\nminimum: 1\n"
    (tmp_path / "cohort.yaml").write_text(card)
    cohort = read_cohort(tmp_path)
    assert (cohort.title, cohort.synthetic, cohort.classes) == ("Two parts", True, ("Hand", "Knee"))
    assert read_cohort(tmp_path, Selection(exclude="Knee")).classes == ("Hand", "Hip")


def test_without_a_table_folders_of_images_are_classes_and_every_file_a_subject(tmp_path: Path) -> None:
    for name in ("Hand/1.jpeg", "Hand/2.jpeg", "Hand/.3.jpeg", "Hand/more/4.jpeg", "Knee/1.jpeg", ".hidden/3.jpeg"):
        save_film(tmp_path / name)
    (tmp_path / "Hand" / "notes.txt").write_text("no image")
    cohort = read_cohort(tmp_path)
    assert [(e.participant_id, e.label, e.file) for e in cohort.entries] == [
        ("Hand/1", "Hand", "Hand/1.jpeg"),
        ("Hand/2", "Hand", "Hand/2.jpeg"),
        ("Knee/1", "Knee", "Knee/1.jpeg"),
    ]
    assert (cohort.title, cohort.synthetic) == (tmp_path.name, False)


@pytest.mark.parametrize("linked", ["Hand/2.png", "Foot"])
def test_a_link_out_of_folders_of_images_is_refused(tmp_path: Path, linked: str) -> None:
    folder = tmp_path / "cohort"
    for path in (tmp_path / "elsewhere" / "x.png", folder / "Hand" / "1.png", folder / "Knee" / "1.png"):
        save_film(path)
    (folder / linked).symlink_to(tmp_path / "elsewhere" / ("x.png" if linked.endswith("png") else ""))
    with pytest.raises(BadInput, match="outside the cohort folder"):
        read_cohort(folder)


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        (Selection(table="labels.csv"), "holds no table labels.csv"),
        (Selection(table="../participants.tsv"), "holds no table"),
        (Selection(images="films"), "no folder 'films'"),
        (Selection(images=".."), r"no folder '\.\.'"),
        (Selection(exclude="Foot"), "no class 'Foot' to exclude; the cohort has Hand, Knee"),
        (Selection(minimum=5), "No class has 5 scans; the largest, Hand, has 2: lower minimum"),
        (Selection(minimum=2), "has 1 class"),
        (Selection(label_column="part"), "no column 'part'; it has participant_id, file, diagnosis"),
    ],
)
def test_a_selection_that_the_folder_does_not_meet_is_refused(tmp_path: Path, chosen: Selection, sentence: str) -> None:
    folder = tmp_path / "cohort"
    folder.mkdir()
    (tmp_path / "participants.tsv").write_text("participant_id\n")
    films_of(folder, {"a": "Hand", "b": "Hand", "c": "Knee"})
    with pytest.raises(BadInput, match=sentence):
        read_cohort(folder, chosen)


def test_a_folder_with_a_table_of_another_name_is_told_how_to_name_it(tmp_path: Path) -> None:
    save_film(tmp_path / "images" / "a.png")
    (tmp_path / "labels.csv").write_text("file,part\na.png,Hand\n")
    with pytest.raises(BadInput, match=r"table=NAME; it holds labels\.csv"):
        read_cohort(tmp_path)


def test_landmarks_are_read_from_label_images_with_their_names(tmp_path: Path) -> None:
    films_of(tmp_path, {"a": "Hand", "b": "Knee"}, more=" | marks.png")
    labels = np.zeros((6, 8))
    labels[1:3, 2:5], labels[5, 7] = 1, 3
    save_film(tmp_path / "marks.png", labels)
    (tmp_path / "landmarks.tsv").write_text("index\tname\n1\tbone\n2\tmarker\n3\timplant\n")
    cohort = read_cohort(tmp_path)
    found = cohort.landmarks(cohort.entries[0])
    assert list(found) == ["bone", "implant"]  # a film has the landmarks it has
    np.testing.assert_array_equal(found["bone"], labels == 1)
    (tmp_path / "landmarks.tsv").unlink()
    assert list(cohort.landmarks(cohort.entries[0])) == ["bone", "implant"]
    assert list(read_cohort(tmp_path).landmarks(cohort.entries[0])) == ["landmark 1", "landmark 3"]


def test_a_cohort_without_landmarks_has_none(tmp_path: Path) -> None:
    films_of(tmp_path, {"a": "Hand", "b": "Knee"})
    cohort = read_cohort(tmp_path)
    assert cohort.landmarks(cohort.entries[0]) == {}


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("../marks.png", "lie outside the cohort folder"),
        ("ghost.png", "are not there"),
        ("gh\0st.png", "are not there"),
        ("x" * 5000, "are not there"),
    ],
)
def test_landmarks_outside_the_folder_or_missing_are_refused(tmp_path: Path, place: str, sentence: str) -> None:
    folder = tmp_path / "cohort"
    save_film(tmp_path / "marks.png")
    folder.mkdir()
    films_of(folder, {"a": "Hand", "b": "Knee"}, more=f" | {place}")
    with pytest.raises(BadInput, match=sentence):
        read_cohort(folder)


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b"])
def test_names_that_no_file_can_have_are_refused(tmp_path: Path, name: str) -> None:
    films_of(tmp_path, {"a": "Hand", "b": "Knee"})
    with pytest.raises(BadInput, match="holds no table"):
        read_cohort(tmp_path, Selection(table=name))
    with pytest.raises(BadInput, match="has no folder"):
        read_cohort(tmp_path, Selection(images=name))


@pytest.mark.parametrize(
    "content", [b"a\tb\n1\t2\n", b"index\tname\none\tz\n", b"index\tname\n1\t\xe9\n", b"index\tname\n1\n"]
)
def test_names_of_planted_regions_that_cannot_be_read_are_refused(tmp_path: Path, content: bytes) -> None:
    films_of(tmp_path, {"a": "Hand", "b": "Knee"})
    save_scan(tmp_path / "planted_regions.nii.gz")
    (tmp_path / "planted_regions.tsv").write_bytes(content)
    with pytest.raises(BadInput, match=r"planted_regions\.tsv must be tab-separated text with the columns index"):
        read_cohort(tmp_path)


def test_a_class_that_has_no_film_is_named_with_those_that_have(tmp_path: Path) -> None:
    films_of(tmp_path, {"a": "Hand", "b": "Knee", "c": "Hand"})
    cohort = read_cohort(tmp_path)
    assert [entry.participant_id for entry in cohort.of_class("Hand")] == ["a", "c"]
    with pytest.raises(BadInput, match="'Foot' has no film here; there are films of Hand, Knee"):
        cohort.of_class("Foot")


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "xray_bodypart").is_dir(), reason=f"the shared X-rays are not at {SHARED}")
def test_the_real_x_rays_are_read_as_single_label_films_of_large_classes() -> None:
    chosen = Selection(
        table="labels.csv",
        images="images",
        label_column="target_names",
        subject_column="patient_id",
        separator="|",
        exclude="Others",
        minimum=25,
    )
    cohort = read_cohort(SHARED / "xray_bodypart", chosen)
    assert len(cohort.entries) == 543
    assert len(cohort.classes) == 10
    assert len(cohort.of_class("Chest")) == 102
    assert [note.split(" left out")[0] for note in cohort.notes] == [
        "86 rows with several classes",
        "83 scans of 1 class",
        "128 scans of 11 classes with fewer than 25",
    ]
    assert cohort.load(cohort.entries[0]).dimensions == 2


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "mednist").is_dir(), reason=f"the shared MedNIST films are not at {SHARED}")
def test_the_real_class_folders_are_read_without_a_table() -> None:
    cohort = read_cohort(SHARED / "mednist")
    assert len(cohort.entries) == 900
    assert cohort.classes == ("AbdomenCT", "BreastMRI", "CXR", "ChestCT", "Hand", "HeadCT")
    assert len({entry.participant_id for entry in cohort.entries}) == 900
