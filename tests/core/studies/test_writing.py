"""What a study's author calls, and what lies in the folder afterwards."""

import csv
import json

import numpy as np
import pytest

from core.models import load_model
from core.parameters import Parameters, parameter
from core.studies.reading import read_study
from core.studies.record import Axis, Column, Opening, Series
from core.studies.writing import StudyWriter, table_rows
from tests.core.studies.films import save_films, save_network


class _CensusParameters(Parameters):
    depth: int = parameter(2, "How deep it looks, in pixels.", minimum=0, maximum=9)


class _Asked:
    """Enough of a study for its record."""

    name, title = "census", "Census"


COLUMNS = [
    Column(name="scan", kind="scan"),
    Column(name="share", title="Share", kind="share"),
    Column(name="range", title="Range", kind="interval", unit="mm"),
]


@pytest.fixture
def written(tmp_path):
    """A folder with everything that can be written, and the record."""
    out = tmp_path / "out"
    out.mkdir()
    writer = StudyWriter(out)
    table = writer.table("scans", "Scans", COLUMNS, "Read it twice.")
    table.row({"scan": "=a", "share": np.float32(0.25), "range": (1.0, float("nan"))}, opens=Opening(scan="a.png"))
    table.row({"scan": "b"}, cells={"share": Opening(scan="b.png", explainer="mask")})
    writer.chart("line", "curve", "A curve", [Series(x=(1, 2), y=(0.1, None))], x=Axis(title="step"), y=Axis())
    writer.matrix("pairs", "Pairs", ["a"], ["a", "b"], np.array([[1.0, np.nan]]), centre=0.0)
    flat = np.arange(6, dtype=np.float32).reshape(2, 3)
    writer.map("flat", "Flat", flat, background=flat + 1, unit="logit", group="G")
    writer.map("deep", "Deep", np.zeros((2, 3, 4)), affine=np.diag([1.0, 2.0, 3.0, 1.0]))
    save_films(tmp_path / "cohort", films=1)
    model = load_model(save_network(tmp_path, "one"))
    record = writer.finish(
        _Asked(), model, _CensusParameters(), tmp_path / "cohort", sentence="Found.", synthetic=True, numbers={"n": 2.0}
    )
    return out, record


def test_the_record_has_the_keys_of_every_study(written):
    out, record = written
    assert json.loads((out / "study.json").read_text()) == record
    assert {name: record[name] for name in ("study", "title", "model", "parameters", "sentence", "numbers")} == {
        "study": "census",
        "title": "Census",
        "model": "one",
        "parameters": {"depth": 2},
        "sentence": "Found.",
        "numbers": {"n": 2.0},
    }
    assert record["synthetic"] is True
    assert len(record["hashes"]["model"]) == len(record["hashes"]["cohort"]) == 64
    assert record["rows"] == [
        {"scan": "=a", "share": 0.25, "range low": 1.0, "range high": None},
        {"scan": "b", "share": None, "range low": None, "range high": None},
    ]


def test_it_is_read_back_as_it_was_written(written):
    found = read_study(written[0])
    assert found.unknown == 0
    (table,) = found.parts.tables
    assert table.columns == tuple(COLUMNS)
    assert table.rows == (("=a", 0.25, (1.0, None)), ("b", None, None))
    assert (table.opening(0, "share").scan, table.opening(1, "share").explainer) == ("a.png", "mask")
    assert table.opening(1, "scan") is None
    assert [figure.name for figure in found.parts.figures] == ["curve", "pairs"]
    assert found.parts.figures[1].values == ((1.0, None),)
    flat, deep = found.maps
    np.testing.assert_array_equal(np.load(found.path(flat.file)), np.arange(6).reshape(2, 3))
    np.testing.assert_array_equal(np.load(found.path(flat.background)), np.arange(1, 7).reshape(2, 3))
    assert (flat.unit, flat.group, flat.affine) == ("logit", "G", None)
    np.testing.assert_array_equal(deep.affine, np.diag([1.0, 2.0, 3.0, 1.0]))


def test_tables_and_pictures_lie_beside_it_and_no_cell_is_a_formula(written):
    out, record = written
    assert record["files"] == ["study.json", "scans.csv"]
    with (out / "scans.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {"scan": "'=a", "share": "0.25", "range low": "1.0", "range high": ""}
    assert sorted(path.name for path in (out / "maps").iterdir()) == [
        "deep.npy",
        "flat-background.npy",
        "flat.npy",
        "flat.png",
    ]


def test_rows_for_scripts_may_be_others_than_those_of_the_first_table(tmp_path):
    model = load_model(save_network(tmp_path, "one"))
    writer = StudyWriter(tmp_path)
    writer.table("scans", "Scans", COLUMNS)
    rows = [{"scan": "a", "more": {"b": 1}}]
    record = writer.finish(
        _Asked(), model, {"kept": 1}, None, sentence="S.", synthetic=False, rows=rows, files=["a"], extra=[2]
    )
    assert (record["rows"], record["parameters"], record["extra"]) == (rows, {"kept": 1}, [2])
    assert record["hashes"]["cohort"] is None
    assert record["files"] == ["study.json", "scans.csv", "a"]


def test_a_mistake_of_the_author_is_told_where_it_is_made(tmp_path):
    writer = StudyWriter(tmp_path)
    table = writer.table("scans", "Scans", COLUMNS)
    with pytest.raises(ValueError, match="no column 'height'"):
        table.row({"height": 3})
    with pytest.raises(ValueError, match="no column 'height'"):
        table.row({}, cells={"height": Opening(scan="a")})
    with pytest.raises(ValueError, match="its background"):
        writer.map("m", "M", np.zeros((2, 2)), background=np.zeros((2, 3)))
    assert not (tmp_path / "maps").exists()


def test_a_table_without_an_interval_keeps_its_columns():
    writer = StudyWriter.__new__(StudyWriter)
    writer._tables = []
    table = writer.table("t", "T", COLUMNS[:2])
    table.row({"share": 1})
    assert table_rows(table.done()) == [{"scan": None, "share": 1}]
