"""One manager a process: queues, starts, watches and ends runs, whoever asked and whether or not they still watch."""

import atexit
import contextlib
import logging
import os
import shutil
import signal
import threading
import time
from functools import lru_cache

from sqlalchemy.exc import DatabaseError

from core.errors import LightboxError
from core.files import DISK_FULL
from core.runs.execution.base import WORKERS, Ending, Execution, Worker
from core.runs.execution.execute import STOPPED
from core.runs.spec import RunSpec
from core.runs.store.identity import ProcessIdentity
from core.runs.store.janitor import sweep
from core.runs.store.records import Run, Status, UnfinishedRun
from core.runs.store.shelf import Shelf
from core.runs.store.store import RunStore
from core.settings import settings
from core.threads import threads_of_a_run

_log = logging.getLogger(__name__)

#: Seconds that a run has to notice its cancel file before its process is killed.
_GRACE = 1.0
_BUSY_POLL = 0.1
_IDLE_POLL = 5.0
_HOUSEKEEPING = 60.0
#: Results of an earlier version that are looked at in one round: about a second's work.
_AT_ONCE = 300
#: Bytes; a worker that cannot even write its end when less is free failed for that.
_NO_ROOM = 100_000


class RunManager:
    """Runs what is asked, a few at a time.

    Parameters
    ----------
    store : RunStore
        Where runs are.
    worker : Worker
        Where they execute.
    slots : int
        How many execute at the same time; the others queue.
    limit_bytes : int
        Size of the store above which the janitor removes the oldest runs.
    """

    def __init__(self, store: RunStore, worker: Worker, slots: int = 1, limit_bytes: int = 10 * 10**9) -> None:
        self.store = store
        self._worker = worker
        self._slots = slots
        self._limit = limit_bytes
        self._me = ProcessIdentity.of()
        self._executions: dict[str, Execution] = {}
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._checked = self._swept = self._logged = float("-inf")
        #: whether results of an earlier version may wait to be looked at
        self._behind = True
        #: since when runs are asked to stop, by a clock that nobody sets
        self._cancelling: dict[str, float] = {}
        self._thread = threading.Thread(target=self._supervise, name="run-manager", daemon=True)
        if not store.read_only:
            with contextlib.suppress(OSError):  # a full disk: the supervising thread tries again
                store.ledger.show_alive(self._me)
            self._thread.start()

    def shelf(self, owner: str) -> "ManagedShelf":
        """What is `owner`'s, and asking for more of it."""
        return ManagedShelf(owner, self)

    def submit(self, spec: RunSpec) -> str:
        """Ask for a run. An equal request with equal inputs that is done, running or queued is found, not repeated.

        Parameters
        ----------
        spec : RunSpec
            What to do, and for whom.

        Returns
        -------
        str
            The run's id; look with ``shelf(owner).run(id)``.

        Raises
        ------
        BadInput
            When the request cannot work (the scan or the model is not there).
        """
        run_id = self.store.of(spec.owner).add(spec, self._me)
        self._wake.set()
        return run_id

    def cancel(self, run_id: str, owner: str) -> Run:
        """Stop a run: at its next report, or killed a second later. Finished ones stay as they are.

        Raises
        ------
        BadInput
            When `owner` has no such run.
        """
        run = self.store.of(owner).request_cancel(run_id)
        self._wake.set()
        return run

    def wait(self, run_id: str, owner: str, timeout: float | None = None) -> Run:
        """The run, once it has finished (or `timeout` seconds have passed)."""
        deadline = time.monotonic() + timeout if timeout is not None else float("inf")
        shelf = self.store.of(owner)
        run = shelf.run(run_id)
        while not run.status.final and time.monotonic() < deadline:
            time.sleep(0.05)
            run = shelf.run(run_id)
        return run

    def warm_up(self) -> None:
        """Prepare the worker in the background, so that the first run starts fast. Returns at once."""
        threading.Thread(target=self._worker.warm_up, name="warm-up", daemon=True).start()

    def close(self) -> None:
        """Stop everything that runs, as interrupted; what is queued waits for the next start."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(10.0)
        self._worker.close()
        for run_id in self._executions:
            self.store.ledger.finish(run_id, Status.INTERRUPTED, STOPPED, only=Status.RUNNING)
        if not self.store.read_only:
            with contextlib.suppress(OSError):
                self.store.ledger.show_gone(self._me)

    # ---- the supervising thread

    def _supervise(self) -> None:
        while not self._closing.is_set():
            try:
                busy = self._step()
            except (DatabaseError, LightboxError, OSError):
                # a full disk or a busy database passes; what is true now is written at the next step
                self._log_seldom("the run manager could not reach its store")
                busy = True
            self._wake.wait(_BUSY_POLL if busy else _IDLE_POLL)
            self._wake.clear()

    def _log_seldom(self, what: str) -> None:
        """Log the exception at hand, but not ten times a second: the disk that is full may hold the log."""
        now = time.monotonic()
        if now - self._logged > _HOUSEKEEPING:
            self._logged = now
            _log.exception(what)

    def _step(self) -> bool:
        """One round; returns whether anything needs watching closely."""
        self._reap()
        self._look_after_others()
        unfinished = self.store.ledger.unfinished()
        self._end_cancelled(unfinished)
        self._start(unfinished)
        self._tidy_up()
        return bool(self._executions) or self._behind or any(run.cancelling for run in unfinished)

    def _end_cancelled(self, unfinished: list[UnfinishedRun]) -> None:
        """Kill what was asked to stop and has not stopped in time."""
        now = time.monotonic()
        asked = [run for run in unfinished if run.cancelling]
        self._cancelling = {run.id: self._cancelling.get(run.id, now) for run in asked}
        for run in asked:
            if now - self._cancelling[run.id] > _GRACE:
                self._kill(run)

    def _reap(self) -> None:
        for run_id, execution in list(self._executions.items()):
            ending = execution.ending()
            if ending is not None:
                self._tell_the_truth(run_id, ending)
                del self._executions[run_id]
                self._swept = float("-inf")

    def _tell_the_truth(self, run_id: str, ending: Ending) -> None:
        """A run that ended without a final state died: say how."""
        left = {run.id: run for run in self.store.ledger.unfinished()}.get(run_id)
        if left is None:
            return
        status, message = self.store.ledger.left_by_the_dead(left, *_died(ending))
        if status is Status.FAILED and shutil.disk_usage(self.store.root).free < _NO_ROOM:
            message = DISK_FULL
        self.store.ledger.finish(run_id, status, message)

    def _kill(self, run: UnfinishedRun) -> None:
        if run.id in self._executions:
            self._executions[run.id].kill()
        elif run.worker is not None and run.worker.alive and run.worker.pid != os.getpid():
            os.kill(run.worker.pid, signal.SIGKILL)  # started by a server beside this one

    def _start(self, unfinished: list[UnfinishedRun]) -> None:
        for run in unfinished:
            if len(self._executions) >= self._slots:
                return
            if run.status is Status.QUEUED and run.server == self._me and run.id not in self._executions:
                self._executions[run.id] = self._worker.start(run.id)

    def _look_after_others(self) -> None:
        """What servers that no longer live have left: queued runs are taken over, running ones marked."""
        now = time.monotonic()
        if now - self._checked > _IDLE_POLL:
            self._checked = now
            self.store.ledger.show_alive(self._me)
            self.store.ledger.adopt_queued(self._me)
            self.store.ledger.mark_interrupted(except_runs=self._executions)

    def _tidy_up(self) -> None:
        now = time.monotonic()
        if now - self._swept > _HOUSEKEEPING:
            self._swept = now
            sweep(self.store, self._limit)
            self._behind = True
        if self._behind:
            self._behind = self._catch_up()

    def _catch_up(self) -> bool:
        """Note the outcome of some runs of which a list does not know it yet; whether there may be more."""
        waiting = self.store.ledger.not_looked_at(_AT_ONCE)
        for run_id in waiting:
            self.store.ledger.note_outcome(run_id)
        return len(waiting) == _AT_ONCE


class ManagedShelf(Shelf):
    """The shelf of an owner whose runs this process's manager executes; made by `RunManager.shelf`."""

    def __init__(self, owner: str, runs: RunManager) -> None:
        store = runs.store
        super().__init__(owner, store.ledger, store.scans, store.regions)
        self._manager = runs

    def submit(self, spec: RunSpec) -> str:
        """Ask for a run of this owner; see `RunManager.submit`."""
        return self._manager.submit(spec.model_copy(update={"owner": self.owner}))

    def cancel(self, run_id: str) -> Run:
        """Stop a run; see `RunManager.cancel`."""
        return self._manager.cancel(run_id, self.owner)

    def wait(self, run_id: str, timeout: float | None = None) -> Run:
        """A run, once it has finished; see `RunManager.wait`."""
        return self._manager.wait(run_id, self.owner, timeout)


def _died(ending: Ending) -> tuple[Status, str]:
    """State and sentence for a worker that ended without saying anything."""
    if ending.code is None:
        return Status.INTERRUPTED, "The process that runs start from ended: run it again."
    if ending.code >= 0:
        return Status.FAILED, "The worker could not start or write its result: look into the server's log."
    name = signal.Signals(-ending.code).name
    if -ending.code == signal.SIGKILL:
        return Status.INTERRUPTED, f"The worker was killed ({name}), perhaps because memory ran out: run it again."
    if -ending.code in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        return Status.INTERRUPTED, f"The worker was stopped from outside ({name}): run it again."
    if -ending.code == signal.SIGBUS:
        return Status.FAILED, f"The worker crashed ({name}), perhaps because the disk is full: free some space."
    return Status.FAILED, f"The worker crashed ({name}): run it again, and if it crashes again report it."


_lock = threading.Lock()


def manager() -> RunManager:
    """The manager of this process, made at the first call from the settings; closed when the process ends.

    Raises
    ------
    LightboxError
        When the store cannot be opened, or there is no such worker as the settings name.
    """
    with _lock:
        return _manager()


@lru_cache(maxsize=1)
def _manager() -> RunManager:
    chosen = settings()
    kind = WORKERS.get(chosen.worker)
    store = RunStore.open(chosen.store_path)
    slots = chosen.worker_slots
    worker = kind.of(store, threads_of_a_run(slots))
    made = RunManager(store, worker, slots, int(chosen.store_limit_gb * 10**9))
    atexit.register(made.close)
    return made
