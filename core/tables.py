"""Tables as files: tab-separated ones of cohorts, comma-separated ones for spreadsheets, LaTeX for papers."""

import csv
import math
import re
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from core.files import write_atomically

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
#: A cell that begins with one of these is worked out by a spreadsheet, not shown.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def as_cell(value: Any) -> Any:
    """`value` as a spreadsheet shows it: text that it would take for a formula gets an apostrophe before it.

    Names of files, people, classes and landmarks come from cohorts and uploads, and may be formulas that send or run
    something where the table is opened. Numbers, also those written as text, stay as they are.

    Source: OWASP, "CSV injection".
    """
    if isinstance(value, str) and value.startswith(_FORMULA) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as text: commas between cells for ``.csv``, tabs for everything else.

    Parameters
    ----------
    path : pathlib.Path
        Where to; replaced whole.
    rows : sequence of mapping
        Column → cell, see `as_cell`; the columns are all that any row has, in order of first appearance.
    """
    is_csv = path.suffix == ".csv"
    content = _as_text(rows, _columns(rows), "," if is_csv else "\t", "\r\n" if is_csv else "\n").encode()
    write_atomically(path, lambda file: file.write(content))


def csv_bytes(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> bytes:
    """Rows as the bytes of a ``.csv`` file, as `write_table` writes them.

    Parameters
    ----------
    rows : sequence of mapping
        Column → cell, see `as_cell`; None is an empty cell.
    columns : sequence of str
        The heads where there is no row.
    """
    return _as_text(rows, _columns(rows) or list(columns), ",", "\r\n").encode()


#: What has a meaning in LaTeX, and how it is written so that it has none.
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\n": " ", "\r": " ", "\t": " ",
}  # fmt: skip


def latex_bytes(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> bytes:
    """Rows as a LaTeX ``tabular``, UTF-8: numbers to the right with four digits, everything else to the left.

    Parameters
    ----------
    rows : sequence of mapping
        Column → cell; None and NaN are a dash.
    columns : sequence of str
        The heads where there is no row.
    """
    names = _columns(rows) or list(columns)
    right = [all(isinstance(row.get(name), int | float | None) for row in rows) and bool(rows) for name in names]
    lines = [
        rf"\begin{{tabular}}{{{''.join('r' if number else 'l' for number in right)}}}",
        r"\hline",
        f"{' & '.join(map(_latex, names))} \\\\",
        r"\hline",
        *(f"{' & '.join(_latex(row.get(name)) for name in names)} \\\\" for row in rows),
        r"\hline",
        r"\end{tabular}",
    ]
    return ("\n".join(lines) + "\n").encode()


def _latex(cell: Any) -> str:
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        return "--"
    if isinstance(cell, float):
        return f"{cell:.4g}"
    return "".join(_LATEX.get(letter, letter) for letter in str(cell))


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _as_text(rows: Sequence[Mapping[str, Any]], names: Sequence[str], comma: str, end: str) -> str:
    text = StringIO(newline="")
    table = csv.writer(text, delimiter=comma, lineterminator=end)
    table.writerow([as_cell(name) for name in names])
    table.writerows([as_cell(row.get(name, "")) for name in names] for row in rows)
    return text.getvalue()
