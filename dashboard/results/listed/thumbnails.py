"""Small pictures of scans and results: made when they are first seen, kept on the disk beside what they show.

A scan shows its middle slice, a result the slice that its map marks most, with the map over it.
"""

import contextlib
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np

from core.errors import LightboxError
from core.files import write_atomically
from core.reports.explanation import StoredArray
from core.runs import Run, Status
from core.scans.scan import Scan
from dashboard.desk import shelf
from dashboard.look import pictures
from dashboard.results.layers import sizes_of

_LOG = logging.getLogger(__name__)

#: Longest side, pixels: twice what a row shows, for screens of high density.
LONGEST = 112
_COLOURS = 64
_FILE = "thumbnail.png"
#: For the slice that a map marks most voxels are looked at in such steps, unless there are only a few.
_STEP, _FEW = 3, 500_000
#: Of a broken result and of runs without a picture: nothing, which is not tried again.
_NOTHING = b""


def of_run(run: Run) -> bytes | None:
    """PNG of a run of this owner, at most `LONGEST` pixels a side; None where there is nothing to see.

    The first call for a run reads its map and writes the picture into the run's folder; later ones read that. One
    without a map (not done, failed) shows its scan; studies and trainings show nothing.
    """
    if run.kind != "explanation":
        return None
    if run.status is not Status.DONE:
        return of_scan(str(run.request.get("scan", "")))
    try:
        return _kept(shelf().folder_of(run), lambda: _of_result(run)) or None
    except LightboxError:
        return None


def of_scan(content_hash: str) -> bytes | None:
    """PNG of a scan of this owner, at most `LONGEST` pixels a side; None where there is no such scan."""
    try:
        shelf().scan_meta(content_hash)  # whether it is this owner's
        return _kept(shelf().scan_folder(content_hash), lambda: _of_scan(content_hash)) or None
    except LightboxError:
        return None


def is_made(run: Run) -> bool:
    """Whether `of_run` is quick: the picture is there already, or there is none."""
    if run.kind != "explanation":
        return True
    try:
        of_result = run.status is Status.DONE
        folder = shelf().folder_of(run) if of_result else shelf().scan_folder(str(run.request.get("scan", "")))
    except LightboxError:
        return True
    return (folder / _FILE).is_file() or pictures.is_kept(str(folder / _FILE))


def shown_size(png: bytes, width: int = 56, height: int = 52) -> tuple[int, int]:
    """Width and height in pixels that a picture has in a row: as large as fits."""
    # a PNG says its size at a fixed place of its first block
    columns, rows = int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")
    scale = min(width / max(columns, 1), height / max(rows, 1))
    return max(1, round(columns * scale)), max(1, round(rows * scale))


def _kept(folder: Path, make: Callable[[], bytes]) -> bytes:
    """The picture in a folder; made, and left there if that can be done, where there is none."""
    path = folder / _FILE
    with contextlib.suppress(OSError):
        return path.read_bytes()
    return pictures.kept(str(path), lambda: _written(path, make))


def _written(path: Path, make: Callable[[], bytes]) -> bytes:
    try:
        made = make()
    except LightboxError:
        made = _NOTHING
    except Exception:  # one damaged result must not take the list of all others away
        _LOG.warning("there is no picture of %s", path.parent.name, exc_info=True)
        made = _NOTHING
    with contextlib.suppress(OSError):  # a full disk, a store that can only be looked at: it is kept in memory
        write_atomically(path, lambda file: file.write(made), durable=False)
    return made


def _of_scan(content_hash: str) -> bytes:
    scan = shelf().scan(content_hash)
    values = scan.array[0]
    return _drawn(_flat(values, None if values.ndim == 2 else values.shape[2] // 2))


def _of_result(run: Run) -> bytes:
    found = shelf().explanation(run.id)
    if found.verdict.withheld or (found.acceptance is not None and found.acceptance.refused):
        return _of_scan(run.request["scan"])  # a picture of the map would be taken for a result
    scan, array = shelf().scan(run.request["scan"]), found.arrays["map"]
    return _over(scan, array, found.arrays.get("answer"))


def _over(scan: Scan, array: StoredArray, answer: StoredArray | None) -> bytes:
    """A map over what it lies on: the scan, or the image that a model makes of it."""
    below = scan.array[0] if array.side == "input" or answer is None else answer.values
    if array.kind not in ("attribution", "mask"):
        return _drawn(_flat(array.values, None if array.values.ndim == 2 else array.values.shape[2] // 2))
    size = sizes_of(array)
    place = None
    if size.ndim == 3:
        step = 1 if size.size <= _FEW else _STEP
        marked = np.nan_to_num(size[::step, ::step]).sum(axis=(0, 1), dtype=np.float64)
        place = int(marked.argmax()) if marked.any() else size.shape[2] // 2
    return _drawn(_flat(below, place), _flat(size, place))


def _flat(values: np.ndarray, place: int | None) -> np.ndarray:
    """An image as it is; of a volume an axial slice as radiologists see it: the face up, the right on the left."""
    return np.asarray(values if place is None else values[::-1, ::-1, place].T, dtype=np.float32)


def _drawn(film: np.ndarray, size: np.ndarray | None = None) -> bytes:
    finite = np.nan_to_num(film, posinf=0.0, neginf=0.0)
    over = None if size is None else np.nan_to_num(size, posinf=0.0)
    return pictures.film_png(finite, over, longest=LONGEST, colours=_COLOURS)
