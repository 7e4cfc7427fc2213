"""The process that runs are forked from: imports torch once, so that a run starts in milliseconds.

`core.runs.execution.process` starts it as ``python -m core.runs.execution.launcher OPTIONS`` and speaks to it in
lines of JSON: ``{"run": id}`` and ``{"kill": id}`` in; ``{"ready": pid}``, ``{"started": id, "pid": n}`` and
``{"ended": id, "code": n}`` out. When its input ends, the server is gone: it stops its runs and leaves.

Why not ``multiprocessing``'s forkserver: its children import the parent's ``__main__`` again, which under Streamlit is
the page being drawn; and its environment (OMP_*) is the server's own.
"""

import ctypes
import gc
import importlib
import json
import logging
import os
import select
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from pydantic import BaseModel, ConfigDict

from core.runs.execution.execute import Stopped, execute
from core.runs.spec import kinds
from core.runs.store.identity import ProcessIdentity
from core.runs.store.store import RunStore

_log = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1
_SECONDS_TO_STOP = 1.5


class LauncherOptions(BaseModel):
    """What the server tells its launcher at the start.

    ``modules`` define further kinds of runs; ``nice`` is added to the priority value of the launcher and its runs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    store: Path
    modules: tuple[str, ...] = ()
    threads: int = 1
    nice: int = 10


class Launcher:
    """Forks one child a run and tells how each ends.

    Parameters
    ----------
    options : LauncherOptions
        What runs need.
    output : int
        File descriptor for messages to the server.
    """

    def __init__(self, options: LauncherOptions, output: int) -> None:
        self._options = options
        self._output = output
        self._children: dict[int, str] = {}

    def serve(self, commands: int) -> None:
        """Handle commands until their descriptor ends, then stop what still runs."""
        woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self._tell({"ready": os.getpid()})
        pending = b""
        while True:
            readable, _, _ = select.select([commands, woken], [], [])
            if woken in readable:
                os.read(woken, 4096)
                self._reap()
            if commands in readable:
                received = os.read(commands, 65536)
                if not received:
                    break
                *lines, pending = (pending + received).split(b"\n")
                for line in lines:
                    self._obey(json.loads(line))
        self._stop_all()

    def _obey(self, command: dict[str, str]) -> None:
        if "run" in command:
            self._fork(command["run"])
        for pid, run_id in self._children.items():
            if run_id == command.get("kill"):
                os.kill(pid, signal.SIGKILL)

    def _fork(self, run_id: str) -> None:
        pid = os.fork()
        if pid == 0:
            _be_a_worker(self._options, run_id, self._output)
        self._children[pid] = run_id
        self._tell({"started": run_id, "pid": pid})

    def _reap(self) -> None:
        for pid in list(self._children):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                self._tell({"ended": self._children.pop(pid), "code": os.waitstatus_to_exitcode(status)})

    def _stop_all(self) -> None:
        deadline = time.monotonic() + _SECONDS_TO_STOP
        for pid in self._children:
            os.kill(pid, signal.SIGTERM)
        while self._children and time.monotonic() < deadline:
            self._reap()
            time.sleep(0.02)
        for pid in self._children:
            os.kill(pid, signal.SIGKILL)

    def _tell(self, message: dict[str, Any]) -> None:
        try:
            os.write(self._output, json.dumps(message).encode() + b"\n")
        except BrokenPipeError:
            return  # the server is gone; the end of the commands says so too


def _be_a_worker(options: LauncherOptions, run_id: str, output: int) -> None:
    """What the forked child does; never returns."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, _stop)
        _die_with_parent()
        os.close(output)
        _redirect(options.store / "runs" / run_id / "worker.log")
        _be_the_first_to_go()
        _limit_threads(options.threads)
        execute(RunStore.connect(options.store), run_id, ProcessIdentity.of())
        code = 0
    except Stopped:
        code = 0  # before or after the work itself: nothing was cut off
    finally:
        logging.shutdown()
        os._exit(code)  # the launcher's own clean-up is not this child's to do


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise Stopped


def _die_with_parent() -> None:
    """Ask the kernel to stop this process when the launcher dies, however it dies."""
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise Stopped


def _redirect(log: Path) -> None:
    """Keep what a run prints in its folder, and keep the run from the launcher's channel."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nothing, 0)
    os.dup2(file, 1)
    os.dup2(file, 2)


def _be_the_first_to_go() -> None:
    """When memory runs out, the kernel should end the run and not the server."""
    setting = Path("/proc/self/oom_score_adj")
    if setting.exists():
        setting.write_text("500")


def _limit_threads(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)


def main() -> None:
    """Import what runs need, then serve."""
    options = LauncherOptions.model_validate_json(sys.argv[1])
    os.nice(options.nice)  # from the start: importing torch must not slow the first page
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then closes the channel
    commands, output = os.dup(0), os.dup(1)
    os.dup2(2, 1)  # whatever an import prints must not look like a message
    for module in options.modules:
        importlib.import_module(module)
    for kind in kinds().values():
        try:
            kind.preload()
        except Exception:
            # it only saves time: what is broken will fail the runs that need it, with their own sentence
            _log.exception("runs of the kind %s could not be prepared", kind.kind)
    gc.collect()
    gc.freeze()  # pages that the collector does not touch stay shared with the children
    Launcher(options, output).serve(commands)


if __name__ == "__main__":
    main()
