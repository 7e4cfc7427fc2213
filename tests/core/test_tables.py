"""Tables that spreadsheets show and do not run."""

import csv
from pathlib import Path

import pytest

from core.tables import as_cell, latex_bytes, write_table


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "-", "+1e5x", "=-1"]
)
def test_text_that_a_spreadsheet_would_work_out_gets_an_apostrophe(text: str) -> None:
    assert as_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["sub-01", "a=b", "x@y", "", "-1.5", "+3", "-.5e-3", "-12e+4", -1.5, -3, None, True])
def test_numbers_and_other_text_stay_as_they_are(value: object) -> None:
    assert as_cell(value) is value


def test_a_csv_table_has_every_column_and_no_formula_in_names_or_cells(tmp_path: Path) -> None:
    rows = [{"film": '=HYPERLINK("http://x")', "p(a, b)": -0.5}, {"film": "sub-é", "@class": "hand, left"}]
    write_table(tmp_path / "films.csv", rows)
    with (tmp_path / "films.csv").open(encoding="utf-8", newline="") as file:
        read = list(csv.reader(file))
    assert read == [
        ["film", "p(a, b)", "'@class"],
        ['\'=HYPERLINK("http://x")', "-0.5", ""],
        ["sub-é", "", "hand, left"],
    ]
    assert (tmp_path / "films.csv").read_bytes().count(b"\r\n") == 3


def test_other_tables_have_tabs(tmp_path: Path) -> None:
    write_table(tmp_path / "participants.tsv", [{"participant_id": "sub-1", "note": "a,b"}])
    assert (tmp_path / "participants.tsv").read_bytes() == b"participant_id\tnote\nsub-1\ta,b\n"


def test_a_table_that_cannot_be_written_leaves_nothing_and_the_old_one_stays(tmp_path: Path) -> None:
    write_table(tmp_path / "films.csv", [{"film": 1}])
    with pytest.raises(UnicodeEncodeError):
        write_table(tmp_path / "films.csv", [{"film": "\ud800"}])
    assert [path.name for path in tmp_path.iterdir()] == ["films.csv"]
    assert (tmp_path / "films.csv").read_bytes() == b"film\r\n1\r\n"


def test_nothing_else_writes_tables() -> None:
    root = Path(__file__).resolve().parents[2]
    sources = [path for folder in ("core", "dashboard", "pages") for path in (root / folder).rglob("*.py")]
    writers = [
        path.name for path in sources if "csv.writer" in (text := path.read_text("utf-8")) or "DictWriter" in text
    ]
    assert writers == ["tables.py"]


def test_a_table_for_latex_says_the_same_and_nothing_in_it_is_a_command() -> None:
    rows = [
        {"region_name": r"Left & right \input{x} $5", "share": 0.123456, "voxels": 12},
        {"region_name": "50% #1 ~^", "share": None, "voxels": 3},
    ]
    assert latex_bytes(rows).decode().splitlines() == [
        r"\begin{tabular}{lrr}",
        r"\hline",
        r"region\_name & share & voxels \\",
        r"\hline",
        r"Left \& right \textbackslash{}input\{x\} \$5 & 0.1235 & 12 \\",
        r"50\% \#1 \textasciitilde{}\textasciicircum{} & -- & 3 \\",
        r"\hline",
        r"\end{tabular}",
    ]
    assert latex_bytes([], ["a"]).decode().splitlines()[2] == r"a \\"
