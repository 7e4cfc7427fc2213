"""Waiting for runs, with an end."""

import time
from collections.abc import Callable

from core.runs.execution.manager import RunManager
from core.runs.spec import LOCAL_OWNER, RunSpec
from core.runs.store.records import Status

#: Importing torch in the launcher, on a busy machine.
PATIENCE = 60.0


def finished(manager: RunManager, spec: RunSpec) -> tuple[str, Status, str]:
    run = manager.wait(manager.submit(spec), LOCAL_OWNER, PATIENCE)
    return run.id, run.status, run.message


def started(manager: RunManager, spec: RunSpec) -> str:
    """Submit and wait until the work itself has begun."""
    run_id = manager.submit(spec)
    until(lambda: bool(manager.store.of(LOCAL_OWNER).progress(run_id).message) or _ended(manager, run_id))
    assert not _ended(manager, run_id), manager.store.of(LOCAL_OWNER).run(run_id).message
    return run_id


def until(condition: Callable[[], bool], seconds: float = PATIENCE) -> float:
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < seconds, "it did not happen in time"
        time.sleep(0.01)
    return time.monotonic() - begin


def _ended(manager: RunManager, run_id: str) -> bool:
    return manager.store.of(LOCAL_OWNER).run(run_id).status.final
