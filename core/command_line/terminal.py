"""What the command line shows: progress and remarks on stderr, results on stdout."""

import contextlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, TextIO

from core.files import finite
from core.progress import Progress


class ProgressLine:
    """Progress on one line of a terminal that is written over, or on a few lines of a log.

    Parameters
    ----------
    stream : file
        Usually ``sys.stderr``.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._written = 0.0
        self._decile = -1

    def __call__(self, progress: Progress) -> None:
        """Show one report (a `core.progress.Report`)."""
        now = time.monotonic()
        text = f"{progress.fraction:4.0%}  {progress.message}"
        if self._live and (now - self._written > 0.1 or progress.fraction >= 1):
            self._written = now
            self._stream.write(f"\r\x1b[K{text}")
            self._stream.flush()
        elif not self._live and int(progress.fraction * 10) > self._decile:
            self._decile = int(progress.fraction * 10)
            self._stream.write(text + "\n")
            self._stream.flush()

    def close(self) -> None:
        """Leave the terminal with an empty line."""
        if self._live and self._written:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


@contextlib.contextmanager
def progress_line() -> Iterator[ProgressLine]:
    """A `ProgressLine` on stderr that is gone when the work is."""
    line = ProgressLine(sys.stderr)
    try:
        yield line
    finally:
        line.close()


@contextlib.contextmanager
def only_results_on_stdout() -> Iterator[None]:
    """Whatever a library prints goes to stderr: stdout is for the result alone."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


def print_remarks(notes: Sequence[str], warned: Sequence[str]) -> None:
    """What a reader of the result should know, one line each, on stderr."""
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    for warning in warned:
        print(f"warning: {warning}", file=sys.stderr)


def print_json(content: Any) -> None:
    """Strict JSON on stdout; NaN and infinity are null."""
    json.dump(finite(content), sys.stdout, ensure_ascii=False, indent=2, allow_nan=False)
    sys.stdout.write("\n")


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Columns, aligned; the last one is as long as it likes."""
    if not rows:
        return
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def as_figure(value: Any) -> str:
    """One cell of a table of figures: four digits of a number, a dash for nothing."""
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def as_moment(seconds: float) -> str:
    """Seconds since 1970 → local date and time, to the minute."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")
