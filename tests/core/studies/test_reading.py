"""Studies read back: of today, of yesterday, of a plug-in that is gone, of a version to come."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.errors import BadInput
from core.settings import ROOT
from core.studies.reading import read_study

#: Written by the first versions of these studies; not to be made again.
YESTERDAY = Path(__file__).parent / "yesterday"
TABLE = {"name": "scans", "title": "Scans", "columns": [{"name": "scan"}], "rows": [["a"], ["b"]]}
RECORD = {"study": "census", "sentence": "Two were found.", "tables": [TABLE]}


def write(folder, content):
    (folder / "study.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def test_an_anatomy_study_of_yesterday_has_the_parts_that_one_of_today_has():
    found = read_study(YESTERDAY / "anatomy")
    assert "tables" not in found.record
    assert (found.name, found.title, found.synthetic, found.unknown) == ("anatomy", "anatomy", True, 0)
    assert found.sentence.startswith("One model puts 33% of the films of a class right")
    networks, landmarks, films = found.parts.tables
    assert [row[:4] for row in networks.rows] == [
        ("one", 6, pytest.approx(1 / 3), pytest.approx((0.11412674131821646, 0.6433382687226974))),
        ("two", 6, pytest.approx(1 / 3), pytest.approx((0.11412674131821646, 0.6433382687226974))),
    ]
    assert len(landmarks.rows) == 2 * 4 * 2
    assert len(films.rows) == 12
    opening = films.opening(0, "film")
    assert (opening.scan, opening.model, opening.target) == ("films/hand-0.png", "one", films.rows[0][3])
    assert (opening.explainer, opening.parameters["filters"]) == ("deconvnet", 3)
    assert [figure.kind for figure in found.parts.figures] == ["bar", "bar", "matrix", "matrix"]
    matrix = found.parts.figures[2]
    assert [list(row) for row in matrix.values] == found.record["networks"][0]["confusion"]
    assert [shown.group for shown in found.maps] == ["hand"] * 2 + ["foot"] * 2 + ["knee"] * 2
    assert found.path(found.maps[0].file).is_file()
    assert found.maps[0].background
    assert set(found.files) == {"study.json", "networks.csv", "landmarks.csv", "films.csv"}
    assert found.numbers["films"] == 6


def test_a_group_trace_of_yesterday_has_a_table_of_its_scans_and_its_maps():
    found = read_study(YESTERDAY / "group-trace")
    (scans,) = found.parts.tables
    assert scans.values("scan") == ["0.png", "1.png"]
    assert [shown.file for shown in found.maps] == ["map.npy", "spread.npy"]
    assert found.numbers["scans"] == 2


def test_a_study_that_is_no_longer_installed_is_read_with_all_its_parts(tmp_path):
    found = read_study(write(tmp_path, RECORD))
    assert (found.name, found.title) == ("census", "census")
    assert found.parts.table("scans").values("scan") == ["a", "b"]
    assert found.parts.table("people") is None


def test_a_study_of_another_version_without_parts_is_read_by_its_rows(tmp_path):
    found = read_study(write(tmp_path, {"study": "census", "sentence": "Two.", "rows": [{"who": "a"}, {"who": "b"}]}))
    assert found.parts.tables[0].values("who") == ["a", "b"]


def test_a_record_that_names_anatomy_and_is_none_is_read_by_its_rows(tmp_path):
    found = read_study(write(tmp_path, {"study": "anatomy", "sentence": "Two.", "rows": [{"who": "a"}]}))
    assert found.parts.tables[0].values("who") == ["a"]


def test_parts_that_this_version_cannot_show_are_left_out_and_counted(tmp_path):
    later = {"kind": "hologram", "name": "h", "title": "H"}
    broken = {**TABLE, "rows": [["a", "b"]]}
    coloured = {**TABLE, "colour": "red"}
    found = read_study(write(tmp_path, {**RECORD, "tables": [coloured, broken], "figures": [later]}))
    assert len(found.parts.tables) == 1
    assert found.parts.figures == ()
    assert found.unknown == 2
    assert found.notes == ("2 of its tables, figures and maps were made by another version: not shown.",)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"sentence": 3}'])
def test_what_is_no_study_is_refused_in_one_sentence(tmp_path, content):
    with pytest.raises(BadInput, match=r"^The record of this study cannot be read: run it again\.$"):
        read_study(write(tmp_path, content))


def test_a_folder_without_a_record_is_refused(tmp_path):
    with pytest.raises(BadInput, match="no longer in the store"):
        read_study(tmp_path)


def test_only_files_of_the_result_are_offered(tmp_path):
    inside = tmp_path / "result"
    inside.mkdir()
    for place in (tmp_path, inside):
        np.save(place / "mean.npy", np.zeros((2, 2)))
    (inside / "link.npy").symlink_to(tmp_path / "mean.npy")
    shown = [
        {"name": f"m{number}", "title": "Mean", "file": file, "background": back}
        for number, (file, back) in enumerate(
            [("mean.npy", "gone.npy"), ("../mean.npy", ""), ("gone.npy", ""), ("link.npy", ""), ("", "")]
        )
    ]
    files = ["mean.npy", "../mean.npy", str(tmp_path / "mean.npy"), "gone.npy", "mean.npy"]
    found = read_study(write(inside, {**RECORD, "maps": shown, "files": files}))
    assert [(each.file, each.background) for each in found.maps] == [("mean.npy", "")]
    assert found.files == ("mean.npy",)
    for file in ("../mean.npy", "gone.npy", "link.npy", ""):
        with pytest.raises(BadInput, match="no longer in the store"):
            found.path(file)


def test_numbers_that_are_unknown_are_left_out(tmp_path):
    found = read_study(write(tmp_path, {**RECORD, "numbers": {"a": 1, "b": None, "c": "?"}}))
    assert found.numbers == {"a": 1.0}


def test_studies_are_listed_and_read_without_torch():
    code = (
        "import sys; from pathlib import Path; from core.studies import studies;"
        "from core.studies.reading import read_study; [study.describe() for study in studies().values()];"
        f"read_study(Path({str(YESTERDAY / 'anatomy')!r})); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
