"""Tables of a study: what a browser is given, what of its answer counts, what leaves as CSV."""

import csv
import io

import pytest

from core.studies.reading import StoredStudy
from core.studies.record import CellRows, Column, Link, Matrix, Opening, Parts, Table
from dashboard.study import tables
from dashboard.study.desk import Place, StudyDesk

COLUMNS = (
    Column(name="scan", kind="scan"),
    Column(name="truth"),
    Column(name="sure", kind="probability"),
    Column(name="part", kind="share"),
    Column(name="range", kind="share_interval"),
    Column(name="size", kind="interval", unit="mm"),
    Column(name="count", kind="count"),
    Column(name="network", kind="model"),
)
ROWS = (
    ("=a", "hand", 1.0, 1.0, (0.25, 1.0), (1.23456, None), 3, "m"),
    ("b", "foot", 0.5, 0.99999, None, None, None, "n"),
    ("c", "hand", 0.0, None, (0.0, 0.5), None, "many", "m"),
)
OPENS = Opening(scan="a.png")
TABLE = Table(
    name="scans", title="Scans", columns=COLUMNS, rows=ROWS, links=(Link(row=1, column="truth", opens=OPENS),)
)
MATRIX = Matrix(
    kind="matrix", name="m", title="M", rows=("hand", "foot"), columns=("m", "n"), values=((1.0, 0.0), (0.0, 1.0)),
    opens=CellRows(table="scans", row="truth", column="network"),
)  # fmt: skip


@pytest.fixture
def study(tmp_path):
    return StoredStudy({"sentence": ""}, tmp_path, Parts(tables=(TABLE,), figures=(MATRIX,)))


def test_numbers_stay_numbers_and_no_probability_is_a_certainty(monkeypatch):
    monkeypatch.setattr("dashboard.study.tables.catalogue.cards", dict)
    found = tables.frame(TABLE, [0, 1, 2]).to_dict("list")
    assert found["sure"] == pytest.approx([99.9, 50.0, 0.05])
    assert found["part"][:2] == pytest.approx([100.0, 99.9])
    assert found["range"][0] == "25% to 100%"
    assert found["range"][2] == "0% to 50%"
    assert found["size"][0] == "1.23 to ?"
    assert found["count"][0] == 3
    assert found["count"][2] != found["count"][2]  # a word among numbers is no number
    assert list(tables.frame(TABLE, [2])["scan"]) == ["c"]


def test_a_model_is_called_by_its_title_where_the_library_knows_it(monkeypatch):
    class Known:
        title = "The network"

    monkeypatch.setattr("dashboard.study.tables.catalogue.cards", lambda: {"m": Known})
    assert list(tables.frame(TABLE, [0, 1])["network"]) == ["The network", "n"]


def test_the_cell_of_a_matrix_shows_its_rows_and_no_other(study):
    assert tables.rows_of(TABLE, study, None) == [0, 1, 2]
    assert tables.rows_of(TABLE, study, Place("m", "hand", "m")) == [0, 2]
    assert tables.rows_of(TABLE, study, Place("m", "hand", "n")) == []
    assert tables.rows_of(TABLE, study, Place("other", "hand", "m")) == [0, 1, 2]
    where = MATRIX.model_copy(update={"opens": CellRows(table="scans", row="truth", column="gone")})
    lost = StoredStudy({}, study.folder, Parts(tables=(TABLE,), figures=(where,)))
    assert tables.rows_of(TABLE, lost, Place("m", "hand", "m")) == [0, 1, 2]


@pytest.mark.parametrize(
    ("sent", "opened"),
    [
        ({"selection": {"cells": [[0, "truth"]]}}, Place("scans", "1", "truth")),
        ({"selection": {"cells": [[1, "truth"]]}}, None),  # that row opens nothing
        ({"selection": {"cells": [[0, "scan"]]}}, None),  # nor does this cell
        ({"selection": {"cells": [[9, "truth"]]}}, None),
        ({"selection": {"cells": [[-1, "truth"]]}}, None),
        ({"selection": {"cells": [["0", "truth"]]}}, None),
        ({"selection": {"cells": [[0, "ghost"]]}}, None),
        ({"selection": {"cells": [[0]]}}, None),
        ({"selection": {"cells": []}}, None),
        ({}, None),
        (None, None),
    ],
)
def test_only_a_cell_that_opens_something_counts(monkeypatch, sent, opened):
    monkeypatch.setattr("streamlit.session_state", {"t": sent})
    laid = StudyDesk(opened=Place("scans", "0", "scan"))
    tables._clicked(laid, TABLE, (1, 2), "t")
    assert laid.opened == opened


def test_a_csv_holds_exact_numbers_and_no_formula():
    rows = list(csv.DictReader(io.StringIO(tables.csv_of(TABLE).decode())))
    assert [row["scan"] for row in rows] == ["'=a", "b", "c"]
    assert (rows[1]["part"], rows[0]["range low"], rows[1]["range high"]) == ("0.99999", "0.25", "")
    empty = TABLE.model_copy(update={"rows": (), "links": ()})
    assert tables.csv_of(empty).decode().strip().split(",")[0] == "scan"


def test_what_rows_have_in_common_is_said_in_words():
    told = MATRIX.model_copy(update={"x": MATRIX.x.model_copy(update={"title": "The network says"})})
    assert tables.cell_words(told, Place("m", "hand", "m"), 1) == "hand · The network says m: 1 row"
