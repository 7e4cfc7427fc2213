"""Nothing of a patient goes into the store."""

import logging
import zipfile

from pydicom import dcmread

from core.runs.spec import LOCAL_OWNER
from core.runs.store.store import RunStore
from core.scans import Upload, list_upload_series, load_upload
from tests.core.scans.identity import MARKS, mark, marks_in, pixels_without_marks
from tests.core.scans.making import dicom_bytes, slice_at


def test_the_identity_in_every_place_of_a_dicom_file_stays_outside(tmp_path, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    packed = tmp_path / "00000"
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(4):
            data = slice_at((0, 0, number), pixels_without_marks((24, 20)))
            mark(data, str(number))
            content = dicom_bytes(data)
            assert set(marks_in(content)) == MARKS.keys() - {"file name"}
            archive.writestr(f"{MARKS['file name']}/{MARKS['file name']}{number}.dcm", content)
    upload = [Upload(f"{MARKS['file name']}.zip", packed)]
    scan = load_upload(upload)
    store = RunStore.open(tmp_path / "store")
    store.of(LOCAL_OWNER).add_scan(scan)
    listed = list_upload_series(upload)
    store.close()
    said = repr([scan, scan.source, scan.notes, listed, [choice.description for choice in listed]])
    assert marks_in(said.encode()) == []
    assert marks_in((caplog.text + "".join(capsys.readouterr())).encode()) == []
    files = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert len(files) > 2
    for path in files:
        assert marks_in(path.read_bytes()) == [], path.name
        assert marks_in(str(path.relative_to(tmp_path)).encode()) == []


def test_every_mark_is_one_that_would_be_found(tmp_path):
    data = slice_at((0, 0, 0), pixels_without_marks((4, 5)))
    mark(data, "0")
    (tmp_path / "a.dcm").write_bytes(dicom_bytes(data))
    assert dcmread(tmp_path / "a.dcm").PatientName == MARKS["name"]
    for place, words in MARKS.items():
        assert place in marks_in(b"before " + words.encode() + b" after")
        assert place in marks_in(words.encode("utf-16-le"))
    assert marks_in(b"nothing of anybody, 1.2.840.10008.1.2.1") == []
