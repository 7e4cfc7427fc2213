"""Runs in threads of this very process: for tests, notebooks and machines without fork."""

import threading

from core.runs.execution.base import Ending, Execution, Worker
from core.runs.execution.execute import execute
from core.runs.store.identity import ProcessIdentity
from core.runs.store.store import RunStore


class InlineWorker(Worker):
    """One thread a run. A run can be stopped only at its reports, and imports torch into this process.

    Parameters
    ----------
    store : RunStore
        Whose runs it executes.
    """

    name = "inline"
    title = "Threads of the server, which cannot be killed"

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._stopping = threading.Event()
        self._executions: list[_ThreadExecution] = []

    @classmethod
    def of(cls, store: RunStore, threads: int) -> "InlineWorker":
        """Whose threads are torch's own choice: they are the server's."""
        return cls(store)

    def start(self, run_id: str) -> Execution:
        """Begin in a new thread."""
        self._executions = [execution for execution in self._executions if execution.ending() is None]
        execution = _ThreadExecution(self._store, run_id, self._stopping)
        self._executions.append(execution)
        return execution

    def warm_up(self) -> None:
        """Nothing to prepare: what a run imports, it imports into this process."""

    def close(self) -> None:
        """Ask every run to stop and wait for its next report."""
        self._stopping.set()
        for execution in self._executions:
            execution.join(5.0)


class _ThreadExecution(Execution):
    def __init__(self, store: RunStore, run_id: str, stopping: threading.Event) -> None:
        arguments = (store, run_id, ProcessIdentity.of(), stopping.is_set)
        self._thread = threading.Thread(target=execute, args=arguments, name=f"run-{run_id}", daemon=True)
        self._thread.start()

    def ending(self) -> Ending | None:
        return None if self._thread.is_alive() else Ending(0)

    def kill(self) -> None:
        """A thread cannot be killed: the cancel file stops it at its next report."""

    def join(self, timeout: float) -> None:
        self._thread.join(timeout)
