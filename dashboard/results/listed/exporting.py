"""Runs that leave together: the table of them, and one ZIP of what they found."""

import io
import re
import tempfile
import time
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from core.errors import LightboxError
from core.reports.explanation import export_stored
from core.runs import RunRow, Status
from core.tables import csv_bytes
from dashboard.desk import shelf
from dashboard.results.listed.described import described

#: Most runs in one ZIP, and most bytes of their results together: it is made in the server's memory.
MOST_RUNS, MOST_BYTES = 100, 1 << 30


def file_name(stem: str, ending: str) -> str:
    """Name of what leaves, with today's date."""
    return f"lightbox-{stem}-{time.strftime('%Y-%m-%d')}.{ending}"


def why_not(rows: Sequence[RunRow]) -> str | None:
    """Why runs cannot leave together, as a sentence; None where they can."""
    if not any(row.run.status is Status.DONE for row in rows):
        return "Choose runs that are done: the others have no result."
    if len(rows) > MOST_RUNS:
        return f"At most {MOST_RUNS} runs leave at once: choose fewer."
    size = sum(row.run.size for row in rows)
    if size > MOST_BYTES:
        return (
            f"These results are {size / 1e9:.1f} GB, and at most {MOST_BYTES / 1e9:.1f} GB leave at once: choose fewer."
        )
    return None


def table_csv(rows: Iterable[RunRow]) -> bytes:
    """The table of runs for a spreadsheet, a line a run."""
    return csv_bytes([_line(row) for row in rows], ["id"])


def _line(row: RunRow) -> dict[str, Any]:
    words, run = described(row.run, row.target), row.run
    return {
        "id": run.id,
        "name": row.name,
        "kind": run.kind,
        "method": words.method,
        "model": words.model,
        "scan": row.scan_name,
        "scan content": row.scan,
        "class": row.target,
        "changed settings": "; ".join(words.settings),
        "status": str(run.status),
        "verdict": row.verdict,
        "probability before": row.before,
        "probability after": row.after,
        "starred": "yes" if run.pinned else "",
        "tags": "; ".join(row.tags),
        "note": row.note,
        "asked": time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(run.created)),
        "seconds": None if run.seconds is None or not run.status.final else round(run.seconds, 1),
        "message": run.message,
    }


def zip_of_runs(run_ids: Sequence[str]) -> bytes:
    """A folder a run, with its record and its maps as they lie in the scan's file, and ``runs.csv`` of all.

    A run whose result cannot be read is left out, and ``left-out.txt`` says why.
    """
    rows = shelf().table.rows(run_ids)
    left_out: list[str] = []
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("runs.csv", table_csv(rows))
        for row in rows:
            try:
                _add(archive, row)
            except (LightboxError, KeyError, OSError) as problem:
                sentence = str(problem) if isinstance(problem, LightboxError) else "What was stored of it is damaged."
                left_out.append(f"{row.run.id} {row.run.title}: {sentence}")
        if left_out:
            archive.writestr("left-out.txt", "\n".join(left_out) + "\n")
    return written.getvalue()


def _add(archive: zipfile.ZipFile, row: RunRow) -> None:
    result = shelf().result(row.run.id)
    stem = re.sub(r"[^a-z0-9]+", "-", (row.name or row.run.title).lower()).strip("-")[:60]
    name = f"{stem}-{row.run.id[:6]}" if stem else row.run.id
    if row.run.kind != "explanation":
        _add_folder(archive, result, name)
        return
    with tempfile.TemporaryDirectory() as made:
        export_stored(shelf().explanation(row.run.id), shelf().scan(row.run.request["scan"]), Path(made))
        _add_folder(archive, Path(made), name)


def _add_folder(archive: zipfile.ZipFile, folder: Path, name: str) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            archive.write(path, f"{name}/{path.relative_to(folder).as_posix()}")
