"""Files and folders that a cohort names."""

import pytest

from core.cohorts.places import is_there, refuse_outside, stem_of
from core.errors import BadInput


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("sub-01_T1w.nii.gz", "sub-01_T1w"),
        ("sub-01.NII.GZ", "sub-01"),
        ("film.3.png", "film.3"),
        ("film.Jpeg", "film"),
        ("slice.dcm", "slice"),
        ("notes.txt", "notes.txt"),
        ("archive.gz", "archive.gz"),
        (".png", ""),
    ],
)
def test_the_name_of_an_image_is_what_stands_before_its_ending(tmp_path, name, stem):
    assert stem_of(tmp_path / name) == stem


def test_a_name_longer_than_any_files_is_not_there(tmp_path):
    (tmp_path / "here").touch()
    assert is_there((tmp_path / "here").is_file)
    assert not is_there((tmp_path / "nowhere").is_file)
    assert not is_there((tmp_path / ("x" * 5000)).is_file)
    assert not is_there((tmp_path / ("x" * 5000)).is_dir)


def test_an_error_that_is_not_the_file_systems_is_not_hidden():
    def broken():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        is_there(broken)


def test_what_lies_outside_is_refused_links_followed(tmp_path):
    folder, outside = tmp_path / "cohort", tmp_path / "secret.nii"
    (folder / "images").mkdir(parents=True)
    outside.touch()
    (folder / "images" / "own.nii").touch()
    refuse_outside(folder, folder / "images" / "own.nii", "The scan of sub-01 lies")
    refuse_outside(folder, folder / "images" / ".." / "images" / "own.nii", "The scan of sub-01 lies")
    (folder / "images" / "link.nii").symlink_to(outside)
    (folder / "images" / "kept.nii").symlink_to(folder / "images" / "own.nii")
    refuse_outside(folder, folder / "images" / "kept.nii", "The scan of sub-01 lies")
    for path in (folder / "images" / "link.nii", folder / ".." / "secret.nii", outside):
        with pytest.raises(BadInput, match=r"^The scan of sub-01 lies outside the cohort folder: copy the file in\.$"):
            refuse_outside(folder, path, "The scan of sub-01 lies")


def test_a_folder_that_is_itself_a_link_holds_its_files(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "scan.nii").touch()
    (tmp_path / "linked").symlink_to(tmp_path / "real")
    refuse_outside(tmp_path / "linked", tmp_path / "linked" / "scan.nii", "The scan lies")
