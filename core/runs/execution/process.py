"""Runs in processes of their own, forked from a preloaded launcher; the default."""

import json
import subprocess
import threading
from pathlib import Path

from core.interpreter import command_of, environment_with_our_sources
from core.runs.execution.base import Ending, Execution, Worker
from core.runs.store.store import RunStore


class ProcessWorker(Worker):
    """One process a run: it cannot slow the server's interpreter, take its memory, or refuse to stop.

    Parameters
    ----------
    store : pathlib.Path
        Root of the store whose runs it executes.
    threads : int
        torch threads of each run.
    modules : tuple of str
        Modules that define further kinds of runs.
    nice : int
        How far below the server's priority runs stay (0..19).
    """

    name = "process"
    title = "A process for each run, forked from one that has torch imported"

    def __init__(self, store: Path, threads: int = 1, modules: tuple[str, ...] = (), nice: int = 10) -> None:
        options = {"store": str(store.resolve()), "threads": threads, "modules": modules, "nice": nice}
        self._command = command_of("core.runs.execution.launcher", json.dumps(options))
        self._environment = _environment(threads)
        self._launcher: subprocess.Popen[bytes] | None = None
        self._executions: dict[str, _ProcessExecution] = {}
        self._lock = threading.Lock()

    @classmethod
    def of(cls, store: RunStore, threads: int) -> "ProcessWorker":
        """For the whole of a store."""
        return cls(store.root, threads)

    def warm_up(self) -> None:
        """Start the launcher, which imports torch beside the server, not in it."""
        with self._lock:
            self._ensure_launcher()

    def start(self, run_id: str) -> Execution:
        """Fork a process for a queued run."""
        with self._lock:
            launcher = self._ensure_launcher()
            execution = _ProcessExecution(run_id, self, launcher)
            self._executions[run_id] = execution
            self._send(launcher, {"run": run_id})
        return execution

    def kill(self, run_id: str) -> None:
        """End the process of a run at once."""
        with self._lock:
            if self._launcher is not None:
                self._send(self._launcher, {"kill": run_id})

    def close(self) -> None:
        """Let the launcher stop its runs, and wait for it."""
        with self._lock:
            launcher, self._launcher = self._launcher, None
        if launcher is None:
            return
        assert launcher.stdin is not None
        launcher.stdin.close()
        try:
            launcher.wait(5.0)
        except subprocess.TimeoutExpired:
            launcher.kill()
            launcher.wait()

    @property
    def launcher_pid(self) -> int | None:
        """Process number of the launcher; None while there is none."""
        return self._launcher.pid if self._launcher is not None and self._launcher.poll() is None else None

    def _ensure_launcher(self) -> "subprocess.Popen[bytes]":
        if self._launcher is None or self._launcher.poll() is not None:
            self._launcher = subprocess.Popen(  # noqa: S603 - our own module, our own arguments
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=self._environment,
                start_new_session=True,
            )
            arguments = (self._launcher,)
            threading.Thread(target=self._listen, args=arguments, name="launcher-messages", daemon=True).start()
        return self._launcher

    def _listen(self, launcher: "subprocess.Popen[bytes]") -> None:
        messages = launcher.stdout
        assert messages is not None
        for line in messages:
            message = json.loads(line)
            if "ended" in message:
                self._end(message["ended"], Ending(message["code"]))
        messages.close()
        with self._lock:
            lost = [run_id for run_id, execution in self._executions.items() if execution.launcher is launcher]
        for run_id in lost:
            self._end(run_id, Ending(None))

    def _end(self, run_id: str, ending: Ending) -> None:
        execution = self._executions.pop(run_id, None)
        if execution is not None:
            execution.end(ending)

    @staticmethod
    def _send(launcher: "subprocess.Popen[bytes]", command: dict[str, str]) -> None:
        assert launcher.stdin is not None
        try:
            launcher.stdin.write(json.dumps(command).encode() + b"\n")
            launcher.stdin.flush()
        except (BrokenPipeError, ValueError):
            return  # it died a moment ago: the end of its messages ends its executions


class _ProcessExecution(Execution):
    def __init__(self, run_id: str, worker: ProcessWorker, launcher: "subprocess.Popen[bytes]") -> None:
        self._run_id = run_id
        self.launcher = launcher
        self._worker = worker
        self._ending: Ending | None = None

    def ending(self) -> Ending | None:
        return self._ending

    def end(self, ending: Ending) -> None:
        self._ending = ending

    def kill(self) -> None:
        self._worker.kill(self._run_id)


def _environment(threads: int) -> dict[str, str]:
    """Environment of the launcher: bounded thread pools that sleep when they wait, and our sources."""
    limits = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
    return {**environment_with_our_sources(), **limits, "OMP_WAIT_POLICY": "PASSIVE"}
