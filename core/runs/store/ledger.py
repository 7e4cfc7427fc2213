"""The rows of all owners, for workers, the manager and the janitor; whoever asks for somebody uses a `Shelf`."""

import secrets
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import DatabaseError

from core.errors import BadInput
from core.files import is_disk_full, remove_folder, size_of
from core.runs.spec import RunSpec, parse_spec
from core.runs.store import tables
from core.runs.store.database import RUN_ID, Database
from core.runs.store.identity import ProcessIdentity
from core.runs.store.live import heartbeat_age
from core.runs.store.records import Status, UnfinishedRun

#: A worker on another host that has not shown itself for so long is taken for dead.
_SILENT_SECONDS = 60.0


class Ledger:
    """State of every run, and the folder of each. Safe to share between threads and processes.

    Parameters
    ----------
    database : Database
        Of the store; its folder is the store's.
    """

    def __init__(self, database: Database) -> None:
        self.root = database.root
        self.database = database

    def folder(self, run_id: str) -> Path:
        """Folder of a run.

        Raises
        ------
        BadInput
            When `run_id` is not an id (it may come from a link).
        """
        if not RUN_ID.fullmatch(run_id):
            raise BadInput("There is no such run here: it was removed, or the link is not yours.")
        return self.root / "runs" / run_id

    def result(self, run_id: str) -> Path:
        """Folder of what a run produced; there only once it is complete."""
        return self.folder(run_id) / "result"

    def enter(self, spec: RunSpec, server: ProcessIdentity, again: bool = False) -> str:
        """Queue `spec`, or join the equal run of the same owner that is there already. Returns the run's id.

        `again` queues it in any case.
        """
        fingerprint = spec.fingerprint()
        run_id = secrets.token_hex(8)
        with self.database.writing() as connection:  # the write lock: two equal requests at once become one run
            found = None if again else self._find(connection, spec, fingerprint)
            if found is not None:
                return found
            self.folder(run_id).mkdir()  # before the row is seen: whoever finds the row finds the folder
            connection.execute(
                insert(tables.runs).values(
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
                connection.execute(insert(tables.references), contents)
        return run_id

    def answered(self, spec: RunSpec) -> str | None:
        """Id of an equal run of the same owner that is done; None where there is none."""
        with self.database.reading() as connection:
            return self._find(connection, spec, spec.fingerprint(), [Status.DONE])

    def _find(
        self,
        connection: Connection,
        spec: RunSpec,
        fingerprint: str,
        states: Sequence[Status] = (Status.DONE, Status.RUNNING, Status.QUEUED),
    ) -> str | None:
        """Id of a run of the same owner with the same fingerprint, in one of `states`, whose result still holds."""
        table = tables.runs
        query = select(table.c.id, table.c.status).where(
            table.c.owner == spec.owner,
            table.c.fingerprint == fingerprint,
            table.c.status.in_(states),
            table.c.cancelling.is_(None),
        )
        for row in connection.execute(query.order_by(table.c.created.desc())):
            result = self.result(row.id)
            if row.status != Status.DONE or (result.is_dir() and spec.holds(result)):
                return str(row.id)
        return None

    def request(self, run_id: str) -> RunSpec:
        """Spec of any run, for the worker that executes it."""
        table = tables.runs
        with self.database.reading() as connection:
            row = connection.execute(select(table.c.kind, table.c.request).where(table.c.id == run_id)).one()
        return parse_spec(row.kind, row.request)

    def claim(self, run_id: str, worker: ProcessIdentity) -> bool:
        """Take a queued run; False when somebody was quicker or it was cancelled."""
        table = tables.runs
        return self.change(
            (table.c.id == run_id) & (table.c.status == Status.QUEUED),
            status=Status.RUNNING,
            started=time.time(),
            worker=worker.model_dump_json(),
        )

    def finish(self, run_id: str, status: Status, message: str = "", only: Status | None = None) -> bool:
        """Give a run its final state, once; False when it has one already (or is not `only`)."""
        table = tables.runs
        before = [only] if only else [Status.QUEUED, Status.RUNNING]
        return self.change(
            (table.c.id == run_id) & table.c.status.in_(before),
            status=status,
            message=message,
            finished=time.time(),
            cancelling=None,
            size=size_of(self.folder(run_id)),
        )

    def unfinished(self) -> list[UnfinishedRun]:
        """Every queued and running run of every owner, oldest first."""
        table = tables.runs
        query = select(table).where(table.c.status.in_([Status.QUEUED, Status.RUNNING])).order_by(table.c.created)
        with self.database.reading() as connection:
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
                self.change(
                    (tables.runs.c.id == run.id) & (tables.runs.c.status == Status.QUEUED),
                    server=server.model_dump_json(),
                )

    def mark_interrupted(self, except_runs: Iterable[str] = ()) -> None:
        """Running runs whose worker no longer lives become ``interrupted``."""
        watched = set(except_runs)
        for run in self.unfinished():
            if run.status is Status.RUNNING and run.id not in watched and not self._worker_lives(run):
                status = Status.CANCELLED if run.cancelling else Status.INTERRUPTED
                message = "" if run.cancelling else "It was cut off when the program that ran it stopped: run it again."
                self.finish(run.id, status, message, only=Status.RUNNING)

    def discard(self, run_ids: Iterable[str]) -> None:
        """Remove finished runs: rows first, so that no reader meets a row without its folder."""
        for run_id in run_ids:
            try:
                gone = self._forget(run_id)
            except DatabaseError as error:
                if not is_disk_full(error):
                    raise
                # a full disk does not even take the removal of a row: its own result makes room for it
                if run_id not in {run.id for run in self.unfinished()}:
                    remove_folder(self.result(run_id))
                gone = self._forget(run_id)
            if gone:
                remove_folder(self.folder(run_id))

    def _forget(self, run_id: str) -> bool:
        """Remove the row of a finished run; whether there was one."""
        final = [status for status in Status if status.final]
        with self.database.writing() as connection:
            gone = connection.execute(
                delete(tables.runs).where(tables.runs.c.id == run_id, tables.runs.c.status.in_(final))
            )
            if gone.rowcount:
                connection.execute(delete(tables.references).where(tables.references.c.run == run_id))
        return gone.rowcount > 0

    def close(self) -> None:
        """Let go of the database file."""
        self.database.close()

    def _worker_lives(self, run: UnfinishedRun) -> bool:
        if run.worker is None:
            return False
        return run.worker.alive if run.worker.here else heartbeat_age(self.folder(run.id)) < _SILENT_SECONDS

    def change(self, where: Any, **values: Any) -> bool:
        """Set columns of the rows that fit `where`; whether there were any."""
        with self.database.writing() as connection:
            return connection.execute(update(tables.runs).where(where).values(**values)).rowcount > 0
