"""Writing what a study found: tables, figures and maps with a call each, then ``study.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from core.cohorts.library import cohort_stamp
from core.files import finite, write_array, write_atomically, write_json
from core.reports.nifti import png_bytes
from core.studies.record import (
    RECORD,
    Cell,
    Chart,
    ChartKind,
    Column,
    Figure,
    Link,
    MapKind,
    Matrix,
    Opening,
    Parts,
    Series,
    StudyMap,
    Table,
)
from core.tables import write_table

if TYPE_CHECKING:
    from core.models.model import Model
    from core.parameters import Parameters
    from core.studies.base import Study

_MAPS = "maps"


class TableWriter:
    """A table that is filled row by row; see `StudyWriter.table`."""

    def __init__(self, name: str, title: str, columns: Sequence[Column], note: str) -> None:
        self._name = name
        self._title = title
        self._columns = tuple(columns)
        self._note = note
        self._rows: list[tuple[Cell, ...]] = []
        self._links: list[Link] = []

    def row(
        self, values: Mapping[str, Any], opens: Opening | None = None, cells: Mapping[str, Opening] | None = None
    ) -> None:
        """Add one row.

        Parameters
        ----------
        values : mapping of str to Any
            Column → value; columns that are not named stay empty.
        opens : Opening, optional
            What a click on the row opens.
        cells : mapping of str to Opening, optional
            Column → what a click on that cell opens instead.

        Raises
        ------
        ValueError
            For a column that the table does not have.
        """
        known = [column.name for column in self._columns]
        unknown = [name for name in (*values, *(cells or {})) if name not in known]
        if unknown:
            raise ValueError(f"the table {self._name} has no column {unknown[0]!r}")
        number = len(self._rows)
        self._rows.append(tuple(finite([values.get(name) for name in known])))
        links = {**({"": opens} if opens is not None else {}), **(cells or {})}
        self._links += [Link(row=number, column=column, opens=opening) for column, opening in links.items()]

    def done(self) -> Table:
        """The table as it stands."""
        return Table(
            name=self._name,
            title=self._title,
            columns=self._columns,
            rows=tuple(tuple(tuple(cell) if isinstance(cell, list) else cell for cell in row) for row in self._rows),
            links=tuple(self._links),
            note=self._note,
        )


class StudyWriter:
    """Collects what a study found and writes it into its folder.

    Parameters
    ----------
    out : pathlib.Path
        Existing folder.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._tables: list[TableWriter] = []
        self._figures: list[Figure] = []
        self._maps: list[StudyMap] = []

    def table(self, name: str, title: str, columns: Sequence[Column], note: str = "") -> TableWriter:
        """Begin a table, see `core.studies.record.Table`; it is also written as ``NAME.csv``."""
        table = TableWriter(name, title, columns, note)
        self._tables.append(table)
        return table

    def chart(self, kind: ChartKind, name: str, title: str, series: Sequence[Series], **more: Any) -> None:
        """Add a figure of `series`; `more` as in `core.studies.record.Chart`."""
        self._figures.append(Chart(kind=kind, name=name, title=title, series=tuple(series), **more))

    def matrix(
        self, name: str, title: str, rows: Sequence[str], columns: Sequence[str], values: Any, **more: Any
    ) -> None:
        """Add a figure of `values` by row and column; `more` as in `core.studies.record.Matrix`."""
        numbers = tuple(tuple(row) for row in finite(values))
        self._figures.append(
            Matrix(
                kind="matrix", name=name, title=title, rows=tuple(rows), columns=tuple(columns), values=numbers, **more
            )
        )

    def map(
        self,
        name: str,
        title: str,
        values: np.ndarray,
        *,
        background: np.ndarray | None = None,
        kind: MapKind = "attribution",
        affine: np.ndarray | None = None,
        **more: Any,
    ) -> None:
        """Write an array as ``maps/NAME.npy`` (2D also as a PNG) and add it to what is shown.

        Parameters
        ----------
        name, title : str
            Its own among the maps; its heading.
        values : numpy.ndarray
            2D or 3D, any real dtype.
        background : numpy.ndarray, optional
            Image of the same shape that it is laid over.
        kind, affine, **more
            As in `core.studies.record.StudyMap`.

        Raises
        ------
        ValueError
            When the background has another shape.
        """
        if background is not None and background.shape != values.shape:
            raise ValueError(f"the map {name} has shape {values.shape} and its background {background.shape}")
        shown = StudyMap(
            name=name,
            title=title,
            file=f"{_MAPS}/{name}.npy",
            background=f"{_MAPS}/{name}-background.npy" if background is not None else "",
            kind=kind,
            affine=tuple(map(tuple, np.asarray(affine, float).tolist())) if affine is not None else None,
            **more,
        )
        (self._out / _MAPS).mkdir(exist_ok=True)
        write_array(self._out / shown.file, values)
        if background is not None:
            write_array(self._out / shown.background, background)
        if values.ndim == 2:
            steps = np.linalg.norm(np.asarray(shown.affine)[:3, :2], axis=0) if shown.affine else (1.0, 1.0)
            picture = png_bytes(values, kind, shown.neutral if shown.diverging else None, spacing_mm=tuple(steps))
            write_atomically((self._out / shown.file).with_suffix(".png"), partial(_write, picture))
        self._maps.append(shown)

    @property
    def parts(self) -> Parts:
        """Everything that was added so far."""
        tables = tuple(table.done() for table in self._tables)
        return Parts(tables=tables, figures=tuple(self._figures), maps=tuple(self._maps))

    def finish(
        self,
        study: Study,
        model: Model,
        parameters: Parameters | Mapping[str, Any],
        cohort: Path | None,
        *,
        sentence: str,
        synthetic: bool,
        notes: Sequence[str] = (),
        numbers: Mapping[str, float] | None = None,
        rows: Sequence[Mapping[str, Any]] | None = None,
        files: Sequence[str] = (),
        cohort_title: str = "",
        **more: Any,
    ) -> dict[str, Any]:
        """Write the tables and ``study.json``.

        Parameters
        ----------
        study, model, parameters, cohort
            As given to `core.studies.base.Study.run`; or of the parameters what may be kept, as plain values.
        sentence : str
            The answer in plain words.
        synthetic : bool
            Whether model or scans are made by a program.
        notes : sequence of str
            Sentences on what was taken and left out.
        numbers : mapping of str to float, optional
            The main figures by name.
        rows : sequence of mapping, optional
            For scripts; by default the rows of the first table.
        files : sequence of str
            Further files in the folder that are worth keeping.
        cohort_title : str
            What the cohort is called; by default as its folder.
        **more
            Further keys of the record.

        Returns
        -------
        dict
            The record that was written.
        """
        parts = self.parts
        chosen = dict(parameters) if isinstance(parameters, Mapping) else parameters.model_dump(mode="json")
        written = []
        for table in parts.tables:
            write_table(self._out / f"{table.name}.csv", table_rows(table))
            written.append(f"{table.name}.csv")
        own = table_rows(parts.tables[0]) if rows is None and parts.tables else list(rows or ())
        record: dict[str, Any] = finite(
            {
                "study": study.name,
                "title": study.title,
                "model": model.card.name,
                "parameters": chosen,
                "cohort": cohort_title or (cohort.name if cohort is not None else None),
                "sentence": sentence,
                "notes": list(notes),
                "rows": own,
                "numbers": dict(numbers or {}),
                "files": [RECORD, *written, *files],
                "synthetic": synthetic,
                "hashes": {
                    "model": model.content_hash,
                    "cohort": cohort_stamp(cohort) if cohort is not None else None,
                },
                **more,
                **parts.as_record(),
            }
        )
        write_json(self._out / RECORD, record)
        return record


def table_rows(table: Table) -> list[dict[str, Cell]]:
    """Rows of a table as mappings, for files and scripts: column → value, an interval as two columns."""
    rows = []
    for row in table.rows:
        cells: dict[str, Cell] = {}
        for column, value in zip(table.columns, row, strict=True):
            if column.kind in ("interval", "share_interval"):
                low, high = value if isinstance(value, tuple) else (None, None)
                cells |= {f"{column.name} low": low, f"{column.name} high": high}
            else:
                cells[column.name] = value
        rows.append(cells)
    return rows


def _write(content: bytes, stream: BinaryIO) -> None:
    stream.write(content)
