"""Tables of cohorts as people write them."""

import csv
from itertools import islice
from pathlib import Path

from core.errors import BadInput

#: Most rows of a table: each is looked up on the disk.
MAX_ROWS = 100_000

#: Cells that say that there is nothing to say: BIDS writes n/a, R writes NA, pandas NaN.
_MISSING = frozenset({"n/a", "na", "nan"})


def read_table(path: Path) -> list[dict[str, str]]:
    """Rows of a table, column → cell; what is missing (``n/a``, ``NA``, ``NaN``) is empty.

    Parameters
    ----------
    path : pathlib.Path
        Text in UTF-8: commas between cells for ``.csv``, tabs for everything else.

    Raises
    ------
    BadInput
        When it is no text table, or longer than `MAX_ROWS`.
    """
    delimiter = "," if path.suffix.lower() == ".csv" else "\t"
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file, delimiter=delimiter)
            rows = [
                {str(k).strip(): _cell(v) for k, v in row.items() if k is not None}
                for row in islice(table, MAX_ROWS + 1)
            ]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path.name} is not a text table in UTF-8: export it again as tab-separated text.") from error
    if len(rows) > MAX_ROWS:
        raise BadInput(f"{path.name} has more than {MAX_ROWS:,} rows: make a cohort of a part of them.")
    return rows


def _cell(value: str | None) -> str:
    text = (value or "").strip()
    return "" if text.lower() in _MISSING else text
