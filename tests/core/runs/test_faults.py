"""Whatever breaks, in whatever order: no finished result is lost, no state is a lie, and everything ends.

Hypothesis plays servers, workers and a person on one store, and breaks things between their steps: it kills workers and
servers, sets the clock back, fills the disk, locks the database, cancels twice, sweeps hours later. Processes are made
up here (their death is what counts), the store is real. ``LIGHTBOX_FAULT_EXAMPLES=2000`` plays more games.
"""

import os
import shutil
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)
from sqlalchemy import event
from sqlalchemy.exc import DatabaseError

from core.errors import LightboxError
from core.files import size_of
from core.runs.spec import LOCAL_OWNER
from core.runs.store import identity
from core.runs.store.database import FILE
from core.runs.store.identity import ProcessIdentity
from core.runs.store.janitor import sweep
from core.runs.store.live import CANCEL
from core.runs.store.records import Status
from core.runs.store.store import RunStore
from tests.core.runs.toykinds import CountSpec

_EXAMPLES = int(os.environ.get("LIGHTBOX_FAULT_EXAMPLES", "200"))
_HOUR = 3600.0


class Faults(RuleBasedStateMachine):
    """A store, those who use it, and what goes wrong."""

    servers: Bundle[int] = Bundle("servers")
    asked: Bundle[str] = Bundle("asked")
    working: Bundle[tuple[str, int]] = Bundle("working")

    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp())
        self.living: set[int] = set()
        self.processes = 0
        self.shift = 0.0
        self.full = False
        real = time.time
        self.patches = [
            mock.patch.object(identity, "_start_of", lambda pid: "then" if pid in self.living else None),
            mock.patch.object(time, "time", lambda: real() + self.shift),
        ]
        for patch in self.patches:
            patch.start()
        self.store = RunStore.open(self.place / "store")
        event.listen(self.store.ledger.database.engine, "before_cursor_execute", self._write)
        self.shelf = self.store.of(LOCAL_OWNER)
        self.order: list[str] = []
        self.results: dict[str, bytes] = {}
        self.ended: dict[str, Status] = {}
        self.begun: dict[str, int] = {}

    def _write(self, connection: object, cursor: object, statement: str, *_: object) -> None:
        if self.full and statement.lstrip()[:6] in ("INSERT", "UPDATE"):
            raise sqlite3.OperationalError("database or disk is full")

    def _process(self) -> ProcessIdentity:
        self.processes += 1
        self.living.add(self.processes)
        return ProcessIdentity.of(self.processes)

    # ---- what people and processes do

    @initialize(target=servers)
    def first_server(self) -> int:
        return self._process().pid

    @rule(target=servers)
    def another_server(self) -> int:
        """It looks after what those before it left, as the manager does."""
        server = self._process()
        self._look_after(server)
        return server.pid

    def _look_after(self, server: ProcessIdentity) -> None:
        try:
            self.store.ledger.adopt_queued(server)
            self.store.ledger.mark_interrupted()
        except (DatabaseError, LightboxError):
            assert self.full  # it tries again at its next step

    @rule(target=asked, server=servers, number=st.integers(0, 3), again=st.booleans())
    def ask(self, server: int, number: int, again: bool) -> object:
        try:
            run_id = self.shelf.add(CountSpec(name=str(number)), ProcessIdentity.of(server), again)
        except LightboxError as error:
            assert self.full, error
            return multiple()
        if run_id in self.order:
            run = self.shelf.run(run_id)
            assert run.status in (Status.QUEUED, Status.RUNNING, Status.DONE)
            return multiple()
        self.order.append(run_id)
        return run_id

    @rule(target=working, run_id=asked)
    def begin(self, run_id: str) -> object:
        worker = self._process()
        try:
            claimed = run_id in self.order and self.store.ledger.claim(run_id, worker)
        except (DatabaseError, LightboxError):
            claimed = False
        if not claimed:
            self.living.discard(worker.pid)
            return multiple()
        self.begun[run_id] = worker.pid
        (self.store.ledger.folder(run_id) / ".tmp-result").mkdir()
        return run_id, worker.pid

    @rule(work=consumes(working), good=st.booleans())
    def end(self, work: tuple[str, int], good: bool) -> None:
        """A worker's last steps, as in `core.runs.execution.execute`."""
        run_id, pid = work
        if pid not in self.living:
            return
        folder = self.store.ledger.folder(run_id)
        stopped = (folder / CANCEL).exists()
        begun = folder / ".tmp-result"
        assert begun.is_dir(), "what a living worker writes was removed"
        content = os.urandom(64)
        if good and not stopped:
            (begun / "map.npy").write_bytes(content)
            begun.replace(self.store.ledger.result(run_id))
        else:
            shutil.rmtree(begun)
            content = b""
        status = Status.CANCELLED if stopped else Status.DONE if good else Status.FAILED
        try:
            told = self.store.ledger.finish(run_id, status)
            assert told or self.shelf.run(run_id).status.final
        except (DatabaseError, LightboxError):
            assert self.full
            told = True  # whoever finds the result says so
        if told and content:
            self.results[run_id] = content
        self.living.discard(pid)

    @rule(run_id=asked, times=st.integers(1, 2))
    def cancel(self, run_id: str, times: int) -> None:
        if run_id not in self.order:
            return
        for _ in range(times):
            try:
                self.shelf.request_cancel(run_id)
            except (DatabaseError, LightboxError):
                assert self.full

    @rule(run_id=asked)
    def remove(self, run_id: str) -> None:
        if run_id in self.order and self.shelf.run(run_id).status.final:
            self.shelf.delete(run_id)
            self.order.remove(run_id)
            self.results.pop(run_id, None)

    @rule(hours=st.sampled_from([0, 0.5, 2, 100]))
    def sweep(self, hours: float) -> None:
        sweep(self.store, 10**9, now=time.time() + hours * _HOUR)

    # ---- what goes wrong

    @rule(work=consumes(working))
    def kill_worker(self, work: tuple[str, int]) -> None:
        self.living.discard(work[1])

    @rule(server=consumes(servers))
    def kill_server(self, server: int) -> None:
        self.living.discard(server)

    @rule(hours=st.sampled_from([-48, -1, 1, 48]))
    def set_the_clock(self, hours: float) -> None:
        self.shift += hours * _HOUR

    @rule(full=st.booleans())
    def fill_the_disk(self, full: bool) -> None:
        self.full = full

    @precondition(lambda self: self.order)
    @rule()
    def look_while_it_is_locked(self) -> None:
        with closing(sqlite3.connect(self.store.root / FILE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert [run.id for run in self.shelf.runs()] == self.order[::-1]
            other.execute("ROLLBACK")

    # ---- what must hold

    @invariant()
    def nothing_is_lost_and_nothing_is_a_lie(self) -> None:
        runs = {run.id: run for run in self.shelf.runs()}
        assert list(runs) == self.order[::-1]
        for run in runs.values():
            assert self.ended.get(run.id, run.status) is run.status, "a final state changed"
            if run.status.final:
                self.ended[run.id] = run.status
            if run.id in self.results and run.status.final:
                assert run.status is Status.DONE, "a complete result was called something else"
            if run.status is Status.INTERRUPTED:
                assert self.begun[run.id] not in self.living, "a living worker was called dead"
            assert (run.seconds or 0) >= 0
        for run_id, content in self.results.items():
            assert (self.store.ledger.result(run_id) / "map.npy").read_bytes() == content

    def teardown(self) -> None:
        """Power comes back: everything that was asked for comes to an end, and nothing half-written stays."""
        self.full = False
        self.living.clear()
        server = self._process()
        self._look_after(server)
        self.nothing_is_lost_and_nothing_is_a_lie()
        for run in self.store.ledger.unfinished():
            assert (run.status, run.server) == (Status.QUEUED, server)
            assert self.store.ledger.claim(run.id, server)
            self.store.ledger.finish(run.id, Status.FAILED)
        sweep(self.store, 10**9)
        assert all(run.status.final for run in self.shelf.runs())
        assert list((self.store.root / "runs").rglob(".tmp-*")) == []
        assert size_of(self.store.root) > 0
        self.store.close()
        for patch in self.patches:
            patch.stop()
        shutil.rmtree(self.place)


@pytest.mark.timeout(3600)
def test_no_order_of_faults_loses_a_result_or_leaves_a_run_without_an_end() -> None:
    Faults.TestCase.settings = settings(
        max_examples=_EXAMPLES,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    Faults.TestCase("runTest").runTest()
