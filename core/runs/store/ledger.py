"""The rows of all owners, for workers, the manager and the janitor; whoever asks for somebody uses a `Shelf`."""

import logging
import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import DatabaseError

from core.errors import BadInput
from core.files import TEMPORARY_PREFIX, is_disk_full, remove_folder, remove_leftover, size_of
from core.runs.spec import RunSpec, parse_spec
from core.runs.store import tables
from core.runs.store.database import RUN_ID, Database
from core.runs.store.identity import ProcessIdentity
from core.runs.store.live import beat_age, heartbeat_age
from core.runs.store.records import Status, UnfinishedRun

_log = logging.getLogger(__name__)

#: A worker or server on another host that has not shown itself for so long is taken for dead.
_SILENT_SECONDS = 60.0


#: File of a run's folder that says what its inputs were when it was asked for.
INPUTS = "inputs"


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
            (self.folder(run_id) / INPUTS).write_text(spec.state_of_inputs(), encoding="ascii")
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
            connection.execute(insert(tables.run_facts).values(run=run_id, **asdict(spec.asked())))
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
            ~tables.in_trash(table.c.id),
        )
        for row in connection.execute(query.order_by(tables.ARRIVAL.desc())):
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

    def restate(self, run_id: str, spec: RunSpec) -> None:
        """Name a run after the inputs that it finds when it is executed, where others were there when it was asked for.

        A model may be replaced while a run waits: the result is the new one's, and whoever asks for the
        earlier one's must not find it.
        """
        asked = self.folder(run_id) / INPUTS
        if asked.is_file() and asked.read_text(encoding="ascii") != spec.state_of_inputs():
            self.change(tables.runs.c.id == run_id, fingerprint=spec.fingerprint())

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
        """Give a run its final state, once; False when it has one already (or is not `only`).

        What its worker had begun to write goes with it: whoever was killed could not remove it.
        """
        table = tables.runs
        folder = self.folder(run_id)
        before = [only] if only else [Status.QUEUED, Status.RUNNING]
        begun = list(folder.glob(f"{TEMPORARY_PREFIX}*"))
        changed = self.change(
            (table.c.id == run_id) & table.c.status.in_(before),
            status=status,
            message=message,
            finished=time.time(),
            cancelling=None,
            size=size_of(folder) - sum(size_of(path) for path in begun),
        )
        if changed:
            for path in begun:
                remove_leftover(path)
            if status is Status.DONE:
                self.note_outcome(run_id)
        return changed

    def note_outcome(self, run_id: str) -> None:
        """Look at the result of a run that is done, once, for lists of runs; what cannot be read has no outcome."""
        found: dict[str, Any] = {}
        try:
            spec = self.request(run_id)
            outcome = {name: value for name, value in asdict(spec.outcome(self.result(run_id))).items() if value != ""}
            found = {**asdict(spec.asked()), **outcome}
        except Exception:  # of a damaged row, a damaged result, a plug-in: the run is listed without
            _log.warning("the run %s has no outcome that can be listed", run_id, exc_info=True)
        facts = tables.run_facts
        # it may as well be lost: who looks after the store comes back to it (`not_looked_at`)
        with self.database.noting() as connection:
            connection.execute(update(facts).where(facts.c.run == run_id).values(looked=True, **found))

    def not_looked_at(self, limit: int) -> list[str]:
        """Runs that are done and whose outcome was not noted, as in a store of an earlier version."""
        facts, runs = tables.run_facts.c, tables.runs.c
        query = select(facts.run).join(tables.runs, runs.id == facts.run)
        wanted = query.where(facts.looked.is_(False), runs.status == Status.DONE).order_by(tables.ARRIVAL.desc())
        with self.database.reading() as connection:
            return list(connection.execute(wanted.limit(limit)).scalars())

    def unfinished(self) -> list[UnfinishedRun]:
        """Every queued and running run of every owner, oldest first."""
        table = tables.runs
        query = select(table).where(table.c.status.in_([Status.QUEUED, Status.RUNNING])).order_by(tables.ARRIVAL)
        with self.database.reading() as connection:
            rows = connection.execute(query).all()
        return [
            UnfinishedRun(
                row.id,
                Status(row.status),
                row.cancelling,
                ProcessIdentity.read(row.server),
                ProcessIdentity.read(row.worker) if row.worker else None,
            )
            for row in rows
        ]

    def show_alive(self, server: ProcessIdentity) -> None:
        """Say that `server` lives, for those on other hosts (or in other containers) that share the store."""
        path = self._beat_of(server)
        path.parent.mkdir(exist_ok=True)
        path.touch()

    def show_gone(self, server: ProcessIdentity) -> None:
        """Say that `server` has ended."""
        self._beat_of(server).unlink(missing_ok=True)

    def adopt_queued(self, server: ProcessIdentity) -> None:
        """Take over what a server that no longer lives had queued."""
        for run in self.unfinished():
            if run.status is Status.QUEUED and not self._server_lives(run.server):
                self.change(
                    (tables.runs.c.id == run.id) & (tables.runs.c.status == Status.QUEUED),
                    server=server.model_dump_json(),
                )

    def mark_interrupted(self, except_runs: Iterable[str] = ()) -> None:
        """Running runs whose worker no longer lives become ``interrupted``."""
        watched = set(except_runs)
        for run in self.unfinished():
            if run.status is Status.RUNNING and run.id not in watched and not self._worker_lives(run):
                cut_off = (Status.INTERRUPTED, "It was cut off when the program that ran it stopped: run it again.")
                status, message = self.left_by_the_dead(run, *cut_off)
                self.finish(run.id, status, message, only=Status.RUNNING)

    def left_by_the_dead(self, run: UnfinishedRun, status: Status, message: str) -> tuple[Status, str]:
        """State and sentence of a run whose worker ended without writing them; those given where it was cut off.

        A result is there as a whole or not at all: one that is there was complete, and only saying so failed.
        """
        if self.result(run.id).is_dir():
            return Status.DONE, ""
        return (Status.CANCELLED, "") if run.cancelling else (status, message)

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
        going = [Status.QUEUED, Status.RUNNING]
        with self.database.writing() as connection:
            gone = connection.execute(
                # a row whose state nobody understands is not going on either
                delete(tables.runs).where(tables.runs.c.id == run_id, tables.runs.c.status.not_in(going))
            )
            if gone.rowcount:
                for table in (tables.references, tables.run_words, tables.run_tags, tables.run_facts):
                    connection.execute(delete(table).where(table.c.run == run_id))
        return gone.rowcount > 0

    def close(self) -> None:
        """Let go of the database file."""
        self.database.close()

    def _server_lives(self, server: ProcessIdentity) -> bool:
        return server.alive if server.here else beat_age(self._beat_of(server)) < _SILENT_SECONDS

    def _beat_of(self, server: ProcessIdentity) -> Path:
        return self.root / "servers" / server.digest

    def _worker_lives(self, run: UnfinishedRun) -> bool:
        if run.worker is None:
            return False
        return run.worker.alive if run.worker.here else heartbeat_age(self.folder(run.id)) < _SILENT_SECONDS

    def change(self, where: Any, **values: Any) -> bool:
        """Set columns of the rows that fit `where`; whether there were any."""
        with self.database.writing() as connection:
            return connection.execute(update(tables.runs).where(where).values(**values)).rowcount > 0
