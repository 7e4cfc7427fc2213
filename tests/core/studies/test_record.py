"""What a record may hold: tables that are tables, figures of one length, cells that open something."""

import pytest
from pydantic import ValidationError

from core.studies.record import (
    Chart,
    Column,
    Link,
    Matrix,
    Opening,
    Parts,
    Series,
    StudyMap,
    Table,
    parts_of_rows,
)

SCAN, SHARE = Column(name="scan", kind="scan"), Column(name="share", kind="share", title="Share", unit="of it")


def table(**changes):
    given = {"name": "scans", "title": "Scans", "columns": (SCAN, SHARE), "rows": (("a", 0.25), ("b", None))}
    return Table(**{**given, **changes})


def test_a_cell_opens_what_is_its_own_and_else_what_its_row_does():
    row, cell = Opening(scan="a.png"), Opening(scan="a.png", model="one", explainer="mask")
    found = table(links=(Link(row=0, opens=row), Link(row=0, column="share", opens=cell)))
    assert found.opening(0, "share") == cell
    assert found.opening(0, "scan") == found.opening(0) == row
    assert found.opening(1, "share") is None


def test_a_column_is_called_by_its_title_with_the_unit():
    assert (SCAN.head, SHARE.head) == ("scan", "Share (of it)")


@pytest.mark.parametrize(
    "changes",
    [
        {"columns": (SCAN, SCAN)},
        {"columns": ()},
        {"rows": (("a",),)},
        {"links": (Link(row=2, opens=Opening(scan="a")),)},
        {"links": (Link(row=0, column="height", opens=Opening(scan="a")),)},
        {"name": "../scans"},
        {"name": ""},
    ],
)
def test_what_is_no_table_is_refused(changes):
    with pytest.raises(ValidationError):
        table(**changes)


def test_a_series_has_as_many_values_in_each_of_its_parts():
    Series(y=(1.0, 2.0), x=("a", "b"), low=(0.5, None))
    with pytest.raises(ValidationError):
        Series(y=(1.0, 2.0), x=("a",))


def test_a_matrix_has_one_value_a_row_and_column():
    given = {"kind": "matrix", "name": "m", "title": "M", "rows": ("a", "b"), "columns": ("c",)}
    Matrix(**given, values=((1.0,), (None,)))
    for values in (((1.0,),), ((1.0, 2.0), (1.0, 2.0))):
        with pytest.raises(ValidationError):
            Matrix(**given, values=values)


def test_parts_survive_the_way_through_a_record():
    opening = Opening(scan="a.png", model="one", explainer="mask", parameters={"iterations": 3})
    parts = Parts(
        tables=(table(links=(Link(row=1, column="share", opens=opening),), rows=(("a", 0.25), ("b", (0.1, None)))),),
        figures=(
            Chart(kind="line", name="c", title="C", series=(Series(x=(1.0,), y=(2.0,)),)),
            Matrix(kind="matrix", name="m", title="M", rows=("a",), columns=("b",), values=((1.0,),)),
        ),
        maps=(StudyMap(name="mean", title="Mean", file="mean.npy", affine=((1.0, 0.0, 0.0, 0.0),) * 4),),
    )
    assert Parts.model_validate(parts.as_record()) == parts
    assert Parts().as_record() == {"tables": [], "figures": [], "maps": []}


def test_rows_of_a_record_without_parts_become_one_table_with_nested_values_in_columns_of_their_own():
    rows = [
        {"film": "a", "p": {"hand": 0.5, "foot": 0.5}, "count": 2},
        {"film": "b", "p": {"hand": None}, "count": 3, "tags": ["x", 1]},
    ]
    (found,) = parts_of_rows({"rows": rows}).tables
    assert [(column.name, column.kind) for column in found.columns] == [
        ("film", "text"),
        ("p hand", "number"),
        ("p foot", "number"),
        ("count", "count"),
        ("tags", "text"),
    ]
    assert found.rows == (("a", 0.5, 0.5, 2, None), ("b", None, None, 3, "x, 1"))


@pytest.mark.parametrize("rows", [None, [], "rows", [1, "a"], [{}]])
def test_without_rows_there_is_no_table(rows):
    assert parts_of_rows({"rows": rows}) == Parts()
