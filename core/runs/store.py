"""The store: runs as rows and folders, scans by content; whoever asks sees only what is theirs."""

import json
import re
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Engine, Row, delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from core.errors import BadInput, LightboxError
from core.files import remove_folder, size_of
from core.runs import database
from core.runs.identity import ProcessIdentity
from core.runs.live import CANCEL, Live, Preview, heartbeat_age, read_live, read_preview
from core.runs.scans import RegionFiles, ScanFiles, scan_label
from core.runs.spec import RunSpec, parse_spec
from core.scans.scan import Scan

if TYPE_CHECKING:
    from core.reports.explanation import StoredExplanation

_RUN_ID = re.compile(r"[0-9a-f]{16}")

#: A worker on another host that has not shown itself for so long is taken for dead.
_SILENT_SECONDS = 60.0


class Status(StrEnum):
    """Where a run is. The last four are final."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def final(self) -> bool:
        """Whether nothing will change any more."""
        return self not in (Status.QUEUED, Status.RUNNING)


@dataclass(frozen=True)
class Run:
    """A row of the store.

    Parameters
    ----------
    id, owner, kind, title : str
        Its name (16 hex digits), whose it is, what it is.
    status : Status
        Where it is.
    message : str
        For people: what went wrong and what to do (failed, interrupted), else empty.
    created, started, finished : float or None
        Seconds since 1970.
    pinned : bool
        The janitor leaves it alone.
    cancelling : bool
        Somebody asked it to stop and it has not stopped yet.
    position : int
        Place in the queue, 1 is next; 0 when not queued.
    size : int
        Bytes on disk once finished.
    request : Mapping
        The fields of its spec.
    fingerprint : str
        Equal for equal requests on equal inputs.
    """

    id: str
    owner: str
    kind: str
    title: str
    status: Status
    message: str
    created: float
    started: float | None
    finished: float | None
    pinned: bool
    cancelling: bool
    position: int
    size: int
    request: Mapping[str, Any]
    fingerprint: str

    @property
    def seconds(self) -> float | None:
        """How long it ran (so far); None before it started."""
        return None if self.started is None else (self.finished or time.time()) - self.started


@dataclass(frozen=True)
class StoredScan:
    """One line of the list of scans an owner has opened."""

    hash: str
    label: str
    shape: tuple[int, ...]
    added: float


class RunStore:
    """Everything on disk of one Lightbox. Cheap to open; safe to share between threads and processes.

    Open it with `RunStore.open`. Each method that takes an `owner` finds only what belongs to that owner; something of
    somebody else is reported exactly like something that is not there.
    """

    def __init__(self, root: Path, engine: Engine) -> None:
        self.root = root
        self._engine = engine
        self._reader = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._scans = ScanFiles(root / "scans")
        self._regions = RegionFiles(root / "regions")

    @classmethod
    def open(cls, root: Path) -> "RunStore":
        """Store in folder `root`, made when missing. Runs whose worker no longer lives are marked interrupted.

        Raises
        ------
        LightboxError
            When the folder cannot be written or its database cannot be read.
        """
        store = cls.connect(root)
        store.mark_interrupted()
        return store

    @classmethod
    def connect(cls, root: Path) -> "RunStore":
        """`open` for a worker: leaves the state of other runs alone."""
        try:
            (root / "runs").mkdir(parents=True, exist_ok=True)
            return cls(root.resolve(), database.open_database(root / "lightbox.db"))
        except OSError as error:
            raise LightboxError(
                f"The store {root} cannot be written ({error.strerror}): set LIGHTBOX_STORE_PATH to a folder that can."
            ) from error

    # ---- scans and regions

    def add_scan(self, scan: Scan, owner: str, title: str | None = None) -> str:
        """Keep a scan for `owner`; voxels that are there already are not written again.

        Parameters
        ----------
        scan : Scan
            As read.
        owner : str
            Who may look at it.
        title : str, optional
            Name of a scan that ships with Lightbox. Never a file name: uploads are labelled from technical fields.

        Returns
        -------
        str
            Content hash, its name from now on.
        """
        name = self._scans.add(scan)
        now = time.time()
        values = {"owner": owner, "scan": name, "label": title or scan_label(scan), "added": now, "used": now}
        # the label of a shipped scan is not lost when somebody uploads the very same file
        renewed = {"used": now, "label": title} if title else {"used": now}
        statement = upsert(database.scan_access).values(**values)
        with self._engine.begin() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["owner", "scan"], set_=renewed))
        return name

    def scan(self, content_hash: str, owner: str) -> Scan:
        """A stored scan; its array is mapped from the disk, read-only.

        Raises
        ------
        BadInput
            When `owner` has no such scan (any more).
        """
        self._touch_scan(content_hash, owner)
        return self._scans.read(content_hash)

    def scan_meta(self, content_hash: str, owner: str) -> dict[str, Any]:
        """Technical fields of a stored scan (``shape`` with channels, ``affine``, ``modality`` …) without its voxels.

        Raises
        ------
        BadInput
            When `owner` has no such scan.
        """
        label = self._touch_scan(content_hash, owner)
        return {**self._scans.meta(content_hash), "label": label}

    def scans(self, owner: str) -> list[StoredScan]:
        """What `owner` has opened, latest first."""
        table = database.scan_access
        with self._reader.connect() as connection:
            rows = connection.execute(select(table).where(table.c.owner == owner).order_by(table.c.used.desc())).all()
        return [
            StoredScan(row.scan, row.label, tuple(self._scans.meta(row.scan)["shape"]), row.added)
            for row in rows
            if self._scans.path(row.scan).is_dir()
        ]

    def add_region(self, region: np.ndarray) -> str:
        """Keep a region (bool, the scan's spatial shape); returns its content hash for `ExplanationSpec.region`."""
        return self._regions.add(region)

    def region(self, content_hash: str) -> np.ndarray:
        """A stored region, bool.

        Raises
        ------
        BadInput
            When it is not there.
        """
        return self._regions.read(content_hash)

    # ---- asking about runs

    def run(self, run_id: str, owner: str) -> Run:
        """One run.

        Raises
        ------
        BadInput
            When `owner` has no such run.
        """
        table = database.runs
        with self._reader.connect() as connection:
            row = connection.execute(select(table).where(table.c.id == run_id, table.c.owner == owner)).one_or_none()
            queue = _queue(connection) if row is not None and row.status == Status.QUEUED else {}
        if row is None:
            raise BadInput("There is no such run here: it was removed, or the link is not yours.")
        return _as_run(row, queue)

    def runs(self, owner: str, limit: int = 200) -> list[Run]:
        """The latest runs of `owner`, latest first."""
        table = database.runs
        query = select(table).where(table.c.owner == owner).order_by(table.c.created.desc()).limit(limit)
        with self._reader.connect() as connection:
            rows, queue = connection.execute(query).all(), _queue(connection)
        return [_as_run(row, queue) for row in rows]

    def spec(self, run_id: str, owner: str) -> RunSpec:
        """What a run was asked, for asking it again.

        Raises
        ------
        BadInput
            When `owner` has no such run.
        LightboxError
            When this version no longer knows its kind or its fields.
        """
        run = self.run(run_id, owner)
        try:
            return parse_spec(run.kind, json.dumps(dict(run.request)))
        except (KeyError, ValueError) as error:
            raise LightboxError("This run was made by another version: set it up again.") from error

    def progress(self, run_id: str, owner: str) -> Live:
        """Where a run stands: fraction, message, ETA, live curves."""
        return read_live(self.folder(self.run(run_id, owner).id))

    def preview(self, run_id: str, owner: str) -> Preview | None:
        """The map as it stands, on the model's grid; None before there is one."""
        return read_preview(self.folder(self.run(run_id, owner).id))

    def explanation(self, run_id: str, owner: str) -> "StoredExplanation":
        """The result of a finished explanation; arrays are mapped from the disk when first looked at.

        Raises
        ------
        BadInput
            When `owner` has no such run, or it is not (yet) done.
        """
        from core.reports.explanation import read_explanation

        run = self.run(run_id, owner)
        if run.status is not Status.DONE:
            raise BadInput(f"This run is {run.status}: it has no result to show.")
        return read_explanation(self.result(run_id))

    # ---- changing runs

    def pin(self, run_id: str, owner: str, pinned: bool = True) -> None:
        """Keep a run from the janitor, or leave it to it again."""
        self.run(run_id, owner)
        self._change(database.runs.c.id == run_id, pinned=pinned)

    def delete(self, run_id: str, owner: str) -> None:
        """Remove a finished run and everything it produced.

        Raises
        ------
        BadInput
            When `owner` has no such run, or it has not finished.
        """
        if not self.run(run_id, owner).status.final:
            raise BadInput("This run has not finished: cancel it first.")
        self.discard([run_id])

    def find(self, spec: RunSpec, fingerprint: str) -> Run | None:
        """A run of the same owner with the same fingerprint that is done, running or queued."""
        table = database.runs
        living = [Status.DONE, Status.RUNNING, Status.QUEUED]
        query = select(table).where(
            table.c.owner == spec.owner,
            table.c.fingerprint == fingerprint,
            table.c.status.in_(living),
            table.c.cancelling.is_(None),
        )
        with self._reader.connect() as connection:
            rows = connection.execute(query.order_by(table.c.created.desc())).all()
        for row in rows:
            if row.status != Status.DONE or self.result(row.id).is_dir():
                return _as_run(row, {})
        return None

    def add(self, spec: RunSpec, server: ProcessIdentity) -> str:
        """Queue `spec`, or join the equal run that is there already. Returns the run's id.

        Raises
        ------
        BadInput
            From ``spec.check``.
        """
        spec.check(self)
        fingerprint = spec.fingerprint()
        run_id = secrets.token_hex(8)
        self.folder(run_id).mkdir()
        with self._engine.begin() as connection:  # the write lock: two equal requests at once become one run
            found = self.find(spec, fingerprint)
            if found is None:
                connection.execute(
                    insert(database.runs).values(
                        id=run_id,
                        owner=spec.owner,
                        kind=spec.kind,
                        title=spec.title(),
                        request=spec.model_dump_json(),
                        fingerprint=fingerprint,
                        status=Status.QUEUED,
                        created=time.time(),
                        server=server.model_dump_json(),
                    )
                )
                contents = [{"run": run_id, "content": name} for name in (*spec.scans(), *spec.regions())]
                if contents:
                    connection.execute(insert(database.references), contents)
        if found is not None:
            remove_folder(self.folder(run_id))
        return found.id if found is not None else run_id

    def request_cancel(self, run_id: str, owner: str) -> Run:
        """Ask a run to stop: a queued one is cancelled at once, a running one is told by a file it looks at."""
        run = self.run(run_id, owner)
        table = database.runs
        if not run.status.final and not self.finish(run_id, Status.CANCELLED, only=Status.QUEUED):
            (self.folder(run_id) / CANCEL).touch()
            self._change((table.c.id == run_id) & (table.c.status == Status.RUNNING), cancelling=time.time())
        return self.run(run_id, owner)

    # ---- for workers, the manager and the janitor

    def folder(self, run_id: str) -> Path:
        """Folder of a run.

        Raises
        ------
        BadInput
            When `run_id` is not an id (it may come from a link).
        """
        if not _RUN_ID.fullmatch(run_id):
            raise BadInput("There is no such run here: it was removed, or the link is not yours.")
        return self.root / "runs" / run_id

    def result(self, run_id: str) -> Path:
        """Folder of what a run produced; there only once it is complete."""
        return self.folder(run_id) / "result"

    def request(self, run_id: str) -> RunSpec:
        """Spec of any run, for the worker that executes it."""
        table = database.runs
        with self._reader.connect() as connection:
            row = connection.execute(select(table.c.kind, table.c.request).where(table.c.id == run_id)).one()
        return parse_spec(row.kind, row.request)

    def claim(self, run_id: str, worker: ProcessIdentity) -> bool:
        """Take a queued run; False when somebody was quicker or it was cancelled."""
        table = database.runs
        return self._change(
            (table.c.id == run_id) & (table.c.status == Status.QUEUED),
            status=Status.RUNNING,
            started=time.time(),
            worker=worker.model_dump_json(),
        )

    def finish(self, run_id: str, status: Status, message: str = "", only: Status | None = None) -> bool:
        """Give a run its final state, once; False when it has one already (or is not `only`)."""
        table = database.runs
        before = [only] if only else [Status.QUEUED, Status.RUNNING]
        return self._change(
            (table.c.id == run_id) & table.c.status.in_(before),
            status=status,
            message=message,
            finished=time.time(),
            cancelling=None,
            size=size_of(self.folder(run_id)),
        )

    def unfinished(self) -> list["UnfinishedRun"]:
        """Every queued and running run of every owner, oldest first."""
        table = database.runs
        query = select(table).where(table.c.status.in_([Status.QUEUED, Status.RUNNING])).order_by(table.c.created)
        with self._reader.connect() as connection:
            rows = connection.execute(query).all()
        return [
            UnfinishedRun(
                row.id,
                Status(row.status),
                row.cancelling,
                ProcessIdentity.model_validate_json(row.server),
                ProcessIdentity.model_validate_json(row.worker) if row.worker else None,
            )
            for row in rows
        ]

    def adopt_queued(self, server: ProcessIdentity) -> None:
        """Take over what a server that no longer lives had queued."""
        for run in self.unfinished():
            if run.status is Status.QUEUED and run.server.here and not run.server.alive:
                self._change(
                    (database.runs.c.id == run.id) & (database.runs.c.status == Status.QUEUED),
                    server=server.model_dump_json(),
                )

    def mark_interrupted(self, except_runs: Iterable[str] = ()) -> None:
        """Running runs whose worker no longer lives become ``interrupted``."""
        watched = set(except_runs)
        for run in self.unfinished():
            if run.status is Status.RUNNING and run.id not in watched and not self._worker_lives(run):
                status = Status.CANCELLED if run.cancelling else Status.INTERRUPTED
                message = "" if run.cancelling else "It was cut off when the server stopped: run it again."
                self.finish(run.id, status, message, only=Status.RUNNING)

    def discard(self, run_ids: Iterable[str]) -> None:
        """Remove finished runs: rows first, so that no reader meets a row without its folder."""
        final = [status for status in Status if status.final]
        for run_id in run_ids:
            with self._engine.begin() as connection:
                gone = connection.execute(
                    delete(database.runs).where(database.runs.c.id == run_id, database.runs.c.status.in_(final))
                )
                if gone.rowcount:
                    connection.execute(delete(database.references).where(database.references.c.run == run_id))
            if gone.rowcount:
                remove_folder(self.folder(run_id))

    @property
    def engine(self) -> Engine:
        """For the janitor, whose questions are about everybody's rows."""
        return self._engine

    def close(self) -> None:
        """Let go of the database file."""
        self._engine.dispose()

    def _worker_lives(self, run: "UnfinishedRun") -> bool:
        if run.worker is None:
            return False
        return run.worker.alive if run.worker.here else heartbeat_age(self.folder(run.id)) < _SILENT_SECONDS

    def _touch_scan(self, content_hash: str, owner: str) -> str:
        table = database.scan_access
        mine = (table.c.owner == owner) & (table.c.scan == content_hash)
        with self._reader.connect() as connection:
            row = connection.execute(select(table.c.label, table.c.used).where(mine)).one_or_none()
        if row is None:
            raise BadInput("This scan is no longer in the store: open its file again.")
        if time.time() - row.used > 60:  # good enough for the janitor, without a write for every look
            with self._engine.begin() as connection:
                connection.execute(update(table).where(mine).values(used=time.time()))
        return str(row.label)

    def _change(self, where: Any, **values: Any) -> bool:
        with self._engine.begin() as connection:
            return connection.execute(update(database.runs).where(where).values(**values)).rowcount > 0


@dataclass(frozen=True)
class UnfinishedRun:
    """What the manager needs to know of a queued or running run."""

    id: str
    status: Status
    cancelling: float | None
    server: ProcessIdentity
    worker: ProcessIdentity | None


def _queue(connection: Any) -> dict[str, int]:
    table = database.runs
    order = select(table.c.id, func.row_number().over(order_by=table.c.created)).where(table.c.status == Status.QUEUED)
    return {row[0]: int(row[1]) for row in connection.execute(order)}


def _as_run(row: Row[Any], queue: Mapping[str, int]) -> Run:
    return Run(
        id=row.id,
        owner=row.owner,
        kind=row.kind,
        title=row.title,
        status=Status(row.status),
        message=row.message,
        created=row.created,
        started=row.started,
        finished=row.finished,
        pinned=row.pinned,
        cancelling=row.cancelling is not None,
        position=queue.get(row.id, 0),
        size=row.size,
        request=json.loads(row.request),
        fingerprint=row.fingerprint,
    )
