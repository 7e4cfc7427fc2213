"""What leaves of a finished run as files, made when somebody asks for it."""

import io
import json
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from core.errors import LightboxError
from core.reports.explanation import RECORD, StoredExplanation, export_stored
from core.reports.figures.drawing import figure_png, figure_svg
from core.runs import Run
from core.scans.scan import Scan
from core.tables import csv_bytes, latex_bytes
from dashboard.components.viewer import Hung
from dashboard.results.leaving.figure import caption_of, figure_of
from dashboard.results.leaving.tables import Rows, tables_of


@dataclass(frozen=True, eq=False)
class Leaving:
    """A finished explanation on its way out.

    Parameters
    ----------
    run, scan, explanation : Run, Scan, StoredExplanation
        What was asked, of what, and what came of it.
    on_screen : callable
        What hangs in the page's viewer; None before anything does.
    """

    run: Run
    scan: Scan
    explanation: StoredExplanation
    on_screen: Callable[[], Hung | None]

    @cached_property
    def tables(self) -> dict[str, Rows]:
        """Name → rows."""
        return tables_of(str(self.run.request["scan"]), self.explanation)

    def table(self, name: str, form: Literal["csv", "tex"] = "csv") -> bytes:
        """One of the tables."""
        return csv_bytes(self.tables[name]) if form == "csv" else latex_bytes(self.tables[name])

    def figure(self, form: Literal["png", "svg"]) -> bytes:
        """The images as they hang, with everything that belongs to them.

        Raises
        ------
        LightboxError
            When nothing hangs yet.
        """
        hung = self.on_screen()
        if hung is None:
            raise LightboxError("The images are not on screen yet: wait until they are, and try again.")
        drawn = figure_of(hung, caption_of(self.run, self.explanation), self.explanation.caution)
        return figure_png(drawn) if form == "png" else figure_svg(drawn)

    def record(self) -> bytes:
        """The record, with the run's id and dates."""
        return (json.dumps({**self.explanation.record, "run": self._facts()}, indent=2) + "\n").encode()

    def archive(self) -> bytes:
        """One ZIP: record, maps in the scan's own space, figure in both forms, and every table as CSV."""
        written = io.BytesIO()
        with tempfile.TemporaryDirectory(prefix="lightbox-") as name:
            folder = Path(name)
            record = export_stored(self.explanation, self.scan, folder)
            told = json.dumps({**record, "run": self._facts()}, indent=2) + "\n"
            (folder / RECORD).write_text(told, encoding="utf-8")
            with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
                for path in sorted(folder.rglob("*")):
                    if path.is_file():
                        archive.write(path, path.relative_to(folder).as_posix())
                for table in self.tables:
                    archive.writestr(f"{table}.csv", self.table(table))
                if self.on_screen() is not None:
                    archive.writestr("figure.png", self.figure("png"))
                    archive.writestr("figure.svg", self.figure("svg"))
        return written.getvalue()

    def _facts(self) -> dict[str, Any]:
        return {
            "id": self.run.id,
            "asked": _moment(self.run.created),
            "started": _moment(self.run.started),
            "finished": _moment(self.run.finished),
        }


def _moment(seconds: float | None) -> str | None:
    """ISO 8601 on the server's clock, with its distance to UTC."""
    return None if seconds is None else time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(seconds))
