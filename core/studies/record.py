"""What a study found, as data: tables, figures, maps, and what a click on a cell opens. No screen is known here.

A study builds these with `core.studies.writing.StudyWriter`; `core.studies.reading.read_study` reads them back.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

#: File with the record of a study, in the folder it writes to.
RECORD = "study.json"

#: Name of a table, figure or map: part of file names and addresses.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]
#: What a cell may hold: nothing, words, a number, or the two ends of an interval.
Cell = None | bool | int | float | str | tuple[float | None, float | None]
#: What the values of a column are, and so how they are written and sorted.
ColumnKind = Literal["text", "count", "number", "share", "probability", "interval", "share_interval", "scan", "model"]
#: How the series of a figure are drawn.
ChartKind = Literal["line", "roc", "bar", "box", "points"]
#: What the values of a map are, as in `core.explainers.base.MapArray`.
MapKind = Literal["attribution", "mask", "image", "answer", "labels"]


class Part(BaseModel):
    """Base of everything in a record. What a newer version added is passed over on reading."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Opening(Part):
    """What a click opens: a scan of the study's cohort, and the explanation of a model's answer to it.

    Parameters
    ----------
    scan : str
        Path of the scan inside the cohort's folder.
    title : str
        What the scan is called; by default its path.
    model : str
        Library name of the model that is asked; empty: the scan alone is opened.
    explainer : str
        Name of the explainer that is asked; empty: the model's answer, unexplained.
    target, preset : str, optional
        Class to explain and named settings; None as in `core.explainers.explain`.
    parameters : dict
        Of the explainer, over the preset.
    region : str
        File of the study's result with the marked region (``.npy``, bool, the scan's spatial shape); empty: none.
    """

    scan: str
    title: str = ""
    model: str = ""
    explainer: str = ""
    target: str | None = None
    preset: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    region: str = ""


class Column(Part):
    """One column of a table.

    Parameters
    ----------
    name : str
        Its own among the table's columns.
    title : str
        Head; by default the name.
    kind : str
        ``text``; ``count`` (whole number); ``number``; ``share`` (0..1, written in percent); ``probability`` (the same,
        and never all or nothing); ``interval`` and ``share_interval`` (two numbers); ``scan`` and ``model`` (a name, of
        one of the cohort or of the library).
    unit : str
        Of a number.
    note : str
        A sentence on what the values are.
    """

    name: str = Field(min_length=1, max_length=200)
    title: str = ""
    kind: ColumnKind = "text"
    unit: str = ""
    note: str = ""

    @property
    def head(self) -> str:
        """Title with the unit, where there is one."""
        title = self.title or self.name
        return f"{title} ({self.unit})" if self.unit else title


class Link(Part):
    """Which place of a table opens what: a row, or with `column` one cell of it."""

    row: int = Field(ge=0)
    column: str = ""
    opens: Opening


class Table(Part):
    """A table: one value a column in each row, and what its rows and cells open.

    Parameters
    ----------
    name, title : str
        Its own among the study's tables; its heading.
    columns : tuple of Column
        From left to right.
    rows : tuple of tuple
        Values in the order of the columns; None where there is none.
    links : tuple of Link
        What rows and cells open.
    note : str
        A sentence or two on how to read it.
    """

    name: Name
    title: str
    columns: tuple[Column, ...] = Field(min_length=1)
    rows: tuple[tuple[Cell, ...], ...] = ()
    links: tuple[Link, ...] = ()
    note: str = ""

    @model_validator(mode="after")
    def _is_one_table(self) -> Self:
        names = [column.name for column in self.columns]
        if len(set(names)) < len(names):
            raise ValueError(f"two columns of the table {self.name} have one name")
        if any(len(row) != len(names) for row in self.rows):
            raise ValueError(f"a row of the table {self.name} has not one value a column")
        if any(link.row >= len(self.rows) or link.column not in ("", *names) for link in self.links):
            raise ValueError(f"a link of the table {self.name} leads from no row or column of it")
        return self

    def opening(self, row: int, column: str = "") -> Opening | None:
        """What a cell opens: its own, else its row's; None for nothing."""
        found = {link.column: link.opens for link in self.links if link.row == row and link.column in ("", column)}
        return found.get(column, found.get(""))

    def values(self, column: str) -> list[Cell]:
        """All values of one column, top to bottom."""
        place = [known.name for known in self.columns].index(column)
        return [row[place] for row in self.rows]


class Axis(Part):
    """One axis of a figure; `share` writes its numbers (0..1) in percent, `low` and `high` are its ends."""

    title: str = ""
    unit: str = ""
    scale: Literal["linear", "log"] = "linear"
    share: bool = False
    low: float | None = None
    high: float | None = None


class Series(Part):
    """Values that belong together: a curve, the bars of one colour, the points of one box.

    Parameters
    ----------
    name : str
        In the legend; for a box its label on the axis.
    x : tuple
        Numbers or words, one a value; a box has none.
    y : tuple of float
        Values; None leaves a gap.
    low, high : tuple of float
        Ends of each value's interval, or nothing.
    """

    name: str = ""
    x: tuple[float | str | None, ...] = ()
    y: tuple[float | None, ...] = ()
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()

    @model_validator(mode="after")
    def _has_one_length(self) -> Self:
        if any(len(other) not in (0, len(self.y)) for other in (self.x, self.low, self.high)):
            raise ValueError(f"the series {self.name!r} has not as many values in each of its parts")
        return self


class Chart(Part):
    """A figure of series: lines, ROC curves (with the diagonal), bars, boxes or points."""

    kind: ChartKind
    name: Name
    title: str
    series: tuple[Series, ...]
    x: Axis = Axis()
    y: Axis = Axis()
    note: str = ""


class CellRows(Part):
    """Which rows of a table a cell of a matrix stands for.

    Parameters
    ----------
    table : str
        Its name.
    row, column : str
        Columns of that table that hold the matrix's row and column.
    where : dict of str to str
        Other columns of that table, and what they must hold.
    """

    table: str
    row: str
    column: str
    where: dict[str, str] = Field(default_factory=dict)


class Matrix(Part):
    """Values by row and column: a confusion matrix, likenesses of pairs.

    Parameters
    ----------
    name, title, note : str
        Its own among the figures; its heading; how to read it.
    rows, columns : tuple of str
        Labels.
    values : tuple of tuple of float
        One a column in each row; None where there is none.
    x, y : Axis
        Titles of columns and rows.
    value : Axis
        What the values are, and the ends of the colours.
    centre : float, optional
        Colours diverge around this value.
    opens : CellRows, optional
        What a click on a cell shows.
    """

    kind: Literal["matrix"]
    name: Name
    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    x: Axis = Axis()
    y: Axis = Axis()
    value: Axis = Axis()
    centre: float | None = None
    opens: CellRows | None = None
    note: str = ""

    @model_validator(mode="after")
    def _is_one_matrix(self) -> Self:
        if len(self.values) != len(self.rows) or any(len(row) != len(self.columns) for row in self.values):
            raise ValueError(f"the matrix {self.name} has not one value a row and column")
        return self


Figure = Annotated[Chart | Matrix, Field(discriminator="kind")]


class StudyMap(Part):
    """An array to look at, as a file of the result.

    Parameters
    ----------
    name, title : str
        Its own among the maps; its heading.
    file, background : str
        ``.npy`` in the result's folder, and the image of the same shape it is laid over (empty: none).
    kind, unit, neutral, diverging, side
        As in `core.explainers.base.MapArray`.
    group : str
        Maps of one group stand beside each other.
    affine : tuple, optional
        4 × 4, voxel → mm (RAS+); None: samples are its own lengths.
    note : str
        How to read it.
    """

    name: Name
    title: str
    file: str
    background: str = ""
    kind: MapKind = "attribution"
    unit: str = ""
    neutral: float = 0.0
    diverging: bool = False
    side: Literal["input", "output"] = "input"
    group: str = ""
    affine: tuple[tuple[float, float, float, float], ...] | None = None
    note: str = ""


class Parts(Part):
    """Everything of a study that is shown beside its sentence and numbers."""

    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
    maps: tuple[StudyMap, ...] = ()

    def as_record(self) -> dict[str, Any]:
        """Keys and values for the record; what is as usual is left out."""
        content = self.model_dump(mode="json", exclude_defaults=True)
        return {name: content.get(name, []) for name in type(self).model_fields}

    def table(self, name: str) -> Table | None:
        """A table by its name."""
        return next((table for table in self.tables if table.name == name), None)


def parts_of_rows(record: Mapping[str, Any]) -> Parts:
    """Parts of a record that has none: one table of its ``rows``, nested values spread over columns."""
    rows = [_spread(row) for row in record.get("rows") or () if isinstance(row, Mapping)]
    names = list(dict.fromkeys(name for row in rows for name in row))
    if not names:
        return Parts()
    columns = tuple(
        Column(name=name, title=_words(name), kind=_kind([row.get(name) for row in rows])) for name in names
    )
    values = tuple(tuple(row.get(name) for name in names) for row in rows)
    return Parts(tables=(Table(name="rows", title="Rows", columns=columns, rows=values),))


def _spread(row: Mapping[str, Any], lead: str = "") -> dict[str, Cell]:
    flat: dict[str, Cell] = {}
    for key, value in row.items():
        name = f"{lead} {key}".strip()[:200] or "value"
        if isinstance(value, Mapping):
            flat |= _spread(value, name)
        elif value is None or isinstance(value, bool | int | float | str):
            flat[name] = value
        else:
            flat[name] = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return flat


def _kind(values: Iterable[Cell]) -> ColumnKind:
    known = [value for value in values if value is not None]
    if not known or not all(isinstance(value, int | float) and not isinstance(value, bool) for value in known):
        return "text"
    return "count" if all(isinstance(value, int) for value in known) else "number"


def _words(name: str) -> str:
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]
