"""Executing one run, inside whatever worker, and giving it its true final state."""

import logging
import os
import shutil
import time
import traceback
from collections.abc import Callable

from sqlalchemy.exc import DatabaseError

from core.errors import Cancelled, LightboxError
from core.files import DISK_FULL, TEMPORARY_PREFIX, is_disk_full, remove_folder
from core.progress import Progress
from core.runs.spec import RunContext
from core.runs.store.database import StoreBusy
from core.runs.store.identity import ProcessIdentity
from core.runs.store.live import CANCEL, Heartbeat, LiveWriter
from core.runs.store.records import Status
from core.runs.store.store import RunStore

_log = logging.getLogger(__name__)

OUT_OF_MEMORY = "Memory ran out: close other programs or choose a smaller scan or model, then run it again."
STOPPED = "It was stopped together with the server: run it again."


class Stopped(BaseException):
    """Raised inside a run when its worker has to go (not because somebody cancelled it)."""


def execute(
    store: RunStore, run_id: str, worker: ProcessIdentity, must_stop: Callable[[], bool] = lambda: False
) -> None:
    """Execute a queued run to its end. Does nothing when it was cancelled or taken in the meantime.

    Parameters
    ----------
    store : RunStore
        Where it is.
    run_id : str
        Which one.
    worker : ProcessIdentity
        Whose death means that the run was cut off.
    must_stop : callable
        Asked at every report; True stops the run as interrupted.
    """
    if not store.ledger.claim(run_id, worker):
        return
    folder = store.ledger.folder(run_id)
    result = folder / f"{TEMPORARY_PREFIX}result"
    try:
        with Heartbeat(folder):
            status, message = _attempt(store, run_id, must_stop)
        if status is Status.DONE:
            result.replace(store.ledger.result(run_id))
    except OSError as error:
        status, message = _explain_failure(error)
    finally:
        # first what takes room: a full disk must not keep the truth from being written
        shutil.rmtree(result, ignore_errors=True)
    settle(store, run_id, status, message)


def settle(store: RunStore, run_id: str, status: Status, message: str, attempts: int = 10) -> None:
    """Write the final state, patiently: the disk may be full, or the database busy, for a moment.

    Raises
    ------
    sqlalchemy.exc.DatabaseError, core.runs.store.database.StoreBusy
        When it could not be written after all.
    """
    for attempt in range(attempts):
        try:
            store.ledger.finish(run_id, status, message)
        except (DatabaseError, StoreBusy):
            if attempt == attempts - 1:
                raise
            time.sleep(0.2)
        else:
            return


def _attempt(store: RunStore, run_id: str, must_stop: Callable[[], bool]) -> tuple[Status, str]:
    folder = store.ledger.folder(run_id)
    try:
        result = folder / f"{TEMPORARY_PREFIX}result"
        remove_folder(result)
        result.mkdir()
        live = LiveWriter(folder)

        def report(progress: Progress) -> None:
            if must_stop():
                raise Stopped
            live(progress)

        spec = store.ledger.request(run_id)
        spec.execute(RunContext(store.of(spec.owner), folder, result, report))
        report(Progress(1.0, "done"))
    except Cancelled:
        return Status.CANCELLED, ""
    except Stopped:
        return (Status.CANCELLED, "") if (folder / CANCEL).exists() else (Status.INTERRUPTED, STOPPED)
    except Exception as error:
        return _explain_failure(error)
    return Status.DONE, ""


def _explain_failure(error: Exception) -> tuple[Status, str]:
    if isinstance(error, LightboxError):
        return Status.FAILED, str(error)
    _log.error("a run failed in process %d\n%s", os.getpid(), traceback.format_exc())
    if is_disk_full(error):
        return Status.FAILED, DISK_FULL
    if isinstance(error, MemoryError) or _is_torch_memory(error):
        return Status.FAILED, OUT_OF_MEMORY
    return Status.FAILED, (
        f"Something unexpected went wrong ({type(error).__name__}): run it again, and if it fails again "
        "report it with the server's log."
    )


def _is_torch_memory(error: Exception) -> bool:
    """Whether it is torch's own error of a GPU, or its plain RuntimeError of the CPU; torch need not be here."""
    return type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in str(error)
