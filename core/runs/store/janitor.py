"""Keeping the store below its limit, and free of what crashes left behind."""

import contextlib
import time
from pathlib import Path

from sqlalchemy import delete, func, select

from core.files import TEMPORARY_PREFIX, remove_folder, remove_leftover, size_of
from core.runs.store import tables
from core.runs.store.database import RUN_ID
from core.runs.store.records import Status
from core.runs.store.store import RunStore

#: A scan or region that no run reads and nobody has looked at for so long may go.
UNUSED_SECONDS = 3600.0

#: The same when removing everything else was not enough: somebody fills the store with uploads.
PRESSED_SECONDS = 300.0

#: What was thrown away can be taken back for so long, as long as there is room.
TRASH_SECONDS = 86400.0

#: Temporary files of no run that are older than this belong to nobody who still writes.
_STALE_SECONDS = 3600.0


def sweep(store: RunStore, limit_bytes: int, now: float | None = None) -> int:
    """Make the store fit into `limit_bytes`, as far as that can be done without touching what is in use.

    Leftovers of crashes go in any case, and so does what was thrown away a day ago. Above the limit go, until it fits:
    what else is in the trash; scans and regions that no run reads and nobody has looked at for an hour; the oldest
    finished runs that are not pinned, with what only they read; if it still does not fit, scans and regions that nobody
    has looked at for five minutes. Queued, running and pinned runs, and what they read, stay.

    Parameters
    ----------
    store : RunStore
        The store.
    limit_bytes : int
        Wanted size on disk.
    now : float, optional
        Seconds since 1970.

    Returns
    -------
    int
        Bytes on disk afterwards.
    """
    moment = time.time() if now is None else now
    _remove_leftovers(store, moment)
    store.ledger.discard(_in_trash(store, moment - TRASH_SECONDS))
    size = size_of(store.root)
    for run_id in _in_trash(store, moment):
        if size <= limit_bytes:
            break
        size -= size_of(store.ledger.folder(run_id))
        store.ledger.discard([run_id])
    if size > limit_bytes:
        size -= _remove_unused(store, moment - UNUSED_SECONDS, size - limit_bytes)
    for run_id in _oldest_runs(store):
        if size <= limit_bytes:
            break
        size -= size_of(store.ledger.folder(run_id))
        store.ledger.discard([run_id])
        size -= _remove_unused(store, moment - UNUSED_SECONDS, size - limit_bytes)
    if size > limit_bytes:
        size -= _remove_unused(store, moment - PRESSED_SECONDS, size - limit_bytes)
    return size


def _remove_leftovers(store: RunStore, now: float) -> None:
    """Remove folders of runs that nobody knows, and what was being written by somebody who is gone."""
    table = tables.runs.c
    with store.ledger.database.reading() as connection:
        known = {row.id: row.status for row in connection.execute(select(table.id, table.status))}
    for folder in (store.root / "runs").iterdir():
        # what is not called like a run is somebody else's
        orphan = folder.name not in known and RUN_ID.fullmatch(folder.name)
        if orphan and now - _modified(folder) > _STALE_SECONDS:
            remove_folder(folder)
    for path in store.root.rglob(f"{TEMPORARY_PREFIX}*"):
        if _left_behind(path, known.get(_run_of(path, store.root)), now):
            remove_leftover(path)


def _left_behind(path: Path, status: str | None, now: float) -> bool:
    """Whether nobody writes a temporary file or folder any more.

    Of a run it is the run that says so, however long ago it wrote last: a result may take hours. `status` is its
    state, None for what belongs to no run.
    """
    if status in (Status.QUEUED, Status.RUNNING):
        return False
    return status is not None or now - _modified(path) > _STALE_SECONDS


def _run_of(path: Path, root: Path) -> str:
    """Id of the run in whose folder `path` lies; empty where it lies in none."""
    place = path.relative_to(root).parts
    return place[1] if len(place) > 2 and place[0] == "runs" else ""


def _remove_unused(store: RunStore, since: float, wanted: int) -> int:
    """Remove unreferenced scans and regions not used `since`, longest unused first, until `wanted` bytes are freed."""
    freed = 0
    for path in _unused(store, since):
        if freed >= wanted:
            break
        freed += _weight(path)
        if path.is_dir():
            remove_folder(path)
            with store.ledger.database.writing() as connection:
                for table in (tables.scan_access, tables.scan_words, tables.landmarks):
                    connection.execute(delete(table).where(table.c.scan == path.name))
        else:
            path.unlink(missing_ok=True)
            with store.ledger.database.writing() as connection:
                connection.execute(delete(tables.region_access).where(tables.region_access.c.region == path.stem))
    return freed


def _unused(store: RunStore, since: float) -> list[Path]:
    with store.ledger.database.reading() as connection:
        referenced = set(connection.execute(select(tables.references.c.content)).scalars())
        # a landmark goes when its scan does
        referenced |= set(connection.execute(select(tables.landmarks.c.region)).scalars())
        scans, regions = tables.scan_access.c, tables.region_access.c
        used: dict[str, float] = {}
        for name, moment in ((scans.scan, scans.used), (regions.region, regions.used)):
            used |= {row[0]: row[1] for row in connection.execute(select(name, func.max(moment)).group_by(name))}
    candidates = [*(store.root / "scans").iterdir(), *(store.root / "regions").iterdir()]
    ages = {
        path: max(used.get(path.stem, 0.0), _modified(path))
        for path in candidates
        if path.stem not in referenced and not path.name.startswith(TEMPORARY_PREFIX)
    }
    return sorted((path for path, last in ages.items() if last < since), key=ages.__getitem__)


def _in_trash(store: RunStore, since: float) -> list[str]:
    """Runs that were thrown away before `since`, the first to go first."""
    words = tables.run_words.c
    query = select(words.run).where(words.trashed <= since).order_by(words.trashed)
    with store.ledger.database.reading() as connection:
        return list(connection.execute(query).scalars())


def _oldest_runs(store: RunStore) -> list[str]:
    table = tables.runs
    final = [status for status in Status if status.final]
    query = select(table.c.id).where(table.c.status.in_(final), table.c.pinned.is_(False)).order_by(table.c.finished)
    with store.ledger.database.reading() as connection:
        return list(connection.execute(query).scalars())


def _weight(path: Path) -> int:
    return size_of(path) if path.is_dir() else path.stat().st_blocks * 512


def _modified(path: Path) -> float:
    with contextlib.suppress(FileNotFoundError):
        return path.lstat().st_mtime
    return time.time()
