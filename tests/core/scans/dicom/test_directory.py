"""A DICOMDIR is followed inside its own folder, and says what of it is missing."""

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from core.errors import BadInput
from core.scans import load_scan
from tests.core.scans.dicom.test_reading import pixels_of, write_stack
from tests.core.scans.making import dicom, save, slice_at


def dicomdir(folder, *file_ids):
    data = dicom(None)
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    records = []
    for file_id in file_ids:
        record = Dataset()
        record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", file_id
        records.append(record)
    data.DirectoryRecordSequence = Sequence(records)
    return save(data, folder / "DICOMDIR")


@pytest.mark.parametrize("name", ["A" * 300, "/".join(["A" * 200] * 30), "A\n\tB"])
def test_a_dicomdir_with_a_name_that_no_disk_takes_is_refused(tmp_path, name):
    with pytest.raises(BadInput, match=r"names no image that is there|points outside"):
        load_scan(dicomdir(tmp_path, name.split("/")))


def test_a_dicomdir_is_followed_inside_its_folder(tmp_path):
    write_stack(tmp_path / "A", places=range(1))
    assert load_scan(dicomdir(tmp_path, ["A", "0.dcm"])).shape == (4, 5)


@pytest.mark.parametrize("missing", [0, 1, 3])
def test_a_dicomdir_that_names_files_that_are_not_there_says_how_many(tmp_path, missing):
    write_stack(tmp_path / "A", places=range(5))
    named = [["A", f"{number}.dcm"] for number in range(5)]
    scan = load_scan(dicomdir(tmp_path, *named, *(["B", f"{number}.dcm"] for number in range(missing))))
    assert scan.shape[-1] == 5
    told = [note for note in scan.notes if "DICOMDIR" in note]
    assert len(told) == bool(missing)
    if missing:
        assert told[0].startswith(f"{missing} file(s) that could not be read")
        assert "copy the whole medium again" in told[0]


@pytest.mark.parametrize("file_id", [["..", "secret.dcm"], ["/etc", "passwd"], ["LINK", "secret.dcm"]])
def test_a_dicomdir_that_leads_outside_is_refused(file_id, tmp_path):
    save(slice_at((0, 0, 0), pixels_of(0)), tmp_path / "secret.dcm")
    medium = tmp_path / "medium"
    medium.mkdir()
    (medium / "LINK").symlink_to(tmp_path)
    with pytest.raises(BadInput, match="points outside"):
        load_scan(dicomdir(medium, file_id))


def test_a_medium_is_read_by_its_folder_whatever_its_dicomdir_says(tmp_path):
    write_stack(tmp_path / "IMAGES")
    dicomdir(tmp_path, ["..", "secret.dcm"])
    scan = load_scan(tmp_path)
    assert scan.shape == (5, 4, 6)
    assert scan.notes == ()
