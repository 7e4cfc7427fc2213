"""Live progress of a run on the disk: written by its worker, read by anybody who watches."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.errors import Cancelled, LightboxError
from core.files import finite, read_json, write_array, write_json
from core.progress import Progress
from core.scans.grid import Grid

PROGRESS = "progress.json"
HISTORY = "history.jsonl"
PREVIEW = "preview.npy"
PREVIEW_GRID = "preview_grid.json"
CANCEL = "cancel"
HEARTBEAT = "heartbeat"

#: Seconds between two writes. A screen polls once or twice a second; more often only costs the run.
_PROGRESS_EVERY = 0.2
_PREVIEW_EVERY = 0.5
_HEARTBEAT_EVERY = 5.0


@dataclass(frozen=True, eq=False)
class Preview:
    """The map as it stands, on the model's grid.

    Parameters
    ----------
    values : numpy.ndarray, float32
        Spatial shape of `grid`.
    grid : Grid or None
        Where it lies in space (RAS+ mm); None when the run did not say.
    version : str
        Changes whenever the values do.
    """

    values: np.ndarray
    grid: Grid | None
    version: str


@dataclass(frozen=True)
class Live:
    """Where a run stands.

    Parameters
    ----------
    fraction : float
        Share done, 0..1.
    message : str
        What is being done now.
    elapsed : float
        Seconds of work so far.
    eta_seconds : float or None
        Seconds to go, from the pace so far; None before there is one.
    history : dict of str to list of float
        Live curves; rows lacking a name hold None.
    preview_version : str or None
        Changes with the preview; None when there is none.
    """

    fraction: float = 0.0
    message: str = ""
    elapsed: float = 0.0
    eta_seconds: float | None = None
    history: dict[str, list[float | None]] = field(default_factory=dict)
    preview_version: str | None = None


class LiveWriter:
    """The `Report` of a run: writes progress into the run's folder and raises `Cancelled` when asked to stop.

    Parameters
    ----------
    folder : pathlib.Path
        The run's folder.
    clock : callable
        Seconds, monotonic.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._started = clock()
        self._paced: tuple[float, float] | None = None
        self._written = self._previewed = float("-inf")
        self._rows: list[str] = []
        self._previews = 0
        for name in (PROGRESS, HISTORY, PREVIEW, PREVIEW_GRID):
            (folder / name).unlink(missing_ok=True)

    def __call__(self, progress: Progress) -> None:
        """Take one report.

        Raises
        ------
        Cancelled
            When somebody asked for the run to stop.
        """
        if (self._folder / CANCEL).exists():
            raise Cancelled
        now = self._clock()
        if progress.history:
            self._rows.append(json.dumps(finite(progress.history), allow_nan=False))
        if progress.preview is not None and now - self._previewed >= _PREVIEW_EVERY:
            self._previewed = now
            self._previews += 1
            write_array(self._folder / PREVIEW, np.asarray(progress.preview, dtype=np.float32), durable=False)
        # the few reports before and after the loop name long steps: none of them may be swallowed
        if now - self._written >= _PROGRESS_EVERY or not 0 < progress.fraction < 1:
            self._write(progress, now)

    def _write(self, progress: Progress, now: float) -> None:
        self._written = now
        if self._rows:
            with (self._folder / HISTORY).open("a", encoding="utf-8") as file:
                file.write("".join(row + "\n" for row in self._rows))
            self._rows.clear()
        content = {
            "fraction": min(max(float(progress.fraction), 0.0), 1.0),
            "message": progress.message,
            "elapsed": now - self._started,
            "eta_seconds": self._eta(progress.fraction, now),
            "preview_version": str(self._previews) if self._previews else None,
        }
        write_json(self._folder / PROGRESS, content, durable=False)

    def _eta(self, fraction: float, now: float) -> float | None:
        """From the pace since the first report that had got anywhere: loading a model is not the pace of its work."""
        if fraction <= 0:
            return None
        if self._paced is None:
            self._paced = (fraction, now)
            return None
        first, since = self._paced
        if fraction <= first or now <= since:
            return None
        return (now - since) / (fraction - first) * (1 - fraction)


class Heartbeat:
    """Touches a file every few seconds while the worker lives, for watchers on another host."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / HEARTBEAT
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> "Heartbeat":
        self._path.touch()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._path.unlink(missing_ok=True)

    def _beat(self) -> None:
        while not self._stop.wait(_HEARTBEAT_EVERY):
            self._path.touch()


def heartbeat_age(folder: Path) -> float:
    """Seconds since the worker of a run last showed that it lives; infinite when it never did."""
    return beat_age(folder / HEARTBEAT)


def beat_age(path: Path) -> float:
    """Seconds since a file was last touched, 0 where that lies ahead of the clock; infinite when there is none."""
    try:
        return max(0.0, time.time() - path.stat().st_mtime)
    except FileNotFoundError:
        return float("inf")


def write_preview_grid(folder: Path, grid: Grid) -> None:
    """Say where the previews of a run lie in space."""
    write_json(folder / PREVIEW_GRID, {"shape": grid.shape, "affine": grid.affine}, durable=False)


def read_live(folder: Path) -> Live:
    """Progress as last written; all zero before the first report, and where what was written is damaged."""
    try:
        content = read_json(folder / PROGRESS)
        return Live(**content, history=read_history(folder)) if content else Live()
    except (LightboxError, TypeError, ValueError):
        return Live()


def read_history(folder: Path) -> dict[str, list[float | None]]:
    """Live curves; a last row that is being written at this moment is left out."""
    try:
        text = (folder / HISTORY).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    rows = [json.loads(line) for line in text.split("\n")[:-1]]
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def read_preview(folder: Path) -> Preview | None:
    """The latest preview; None when there is none, or it is damaged."""
    try:
        values = np.load(folder / PREVIEW, allow_pickle=False)
        content = read_json(folder / PROGRESS) or {}
        where = read_json(folder / PREVIEW_GRID)
        grid = Grid(tuple(where["shape"]), np.asarray(where["affine"])) if where else None
    except (LightboxError, FileNotFoundError, KeyError, ValueError, EOFError):
        return None
    return Preview(values, grid, str(content.get("preview_version")))
