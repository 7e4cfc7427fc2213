"""Executing one run, inside whatever worker, and giving it its true final state."""

import contextlib
import logging
import os
import shutil
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy.exc import DatabaseError

from core.errors import Cancelled, LightboxError
from core.files import DISK_FULL, TEMPORARY_PREFIX, is_disk_full, remove_folder
from core.progress import Progress, Report, silent
from core.runs.spec import RunContext, RunSpec
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


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its final state, what people are told, and what ended it (None: it is done)."""

    status: Status
    message: str = ""
    error: BaseException | None = None

    @property
    def unexpected(self) -> bool:
        """Whether somebody should look into it."""
        return isinstance(self.error, Exception) and not isinstance(self.error, Cancelled | LightboxError)


def execute(
    store: RunStore, run_id: str, worker: ProcessIdentity, must_stop: Callable[[], bool] = lambda: False
) -> None:
    """`carry_out` for a worker, which has a log and nobody who watches."""
    outcome = carry_out(store, run_id, worker, must_stop)
    if outcome is not None and outcome.unexpected:
        said = "".join(traceback.format_exception(outcome.error))
        _log.error("a run failed in process %d\n%s", os.getpid(), said)


def carry_out(
    store: RunStore,
    run_id: str,
    worker: ProcessIdentity,
    must_stop: Callable[[], bool] = lambda: False,
    watch: Report = silent,
) -> Outcome | None:
    """Execute a queued run to its end, and write how it ended.

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
    watch : Report
        Told of the progress as well.

    Returns
    -------
    Outcome or None
        None when nothing was done: it was cancelled or taken in the meantime.
    """
    if not store.ledger.claim(run_id, worker):
        return None
    folder = store.ledger.folder(run_id)
    result = folder / f"{TEMPORARY_PREFIX}result"
    try:
        with Heartbeat(folder):
            outcome = _attempt(store, run_id, must_stop, watch)
        if outcome.status is Status.DONE:
            result.replace(store.ledger.result(run_id))
    except OSError as error:
        outcome = _explain_failure(error)
    finally:
        # first what takes room: a full disk must not keep the truth from being written
        shutil.rmtree(result, ignore_errors=True)
    settle(store, run_id, outcome.status, outcome.message)
    return outcome


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


def _attempt(store: RunStore, run_id: str, must_stop: Callable[[], bool], watch: Report) -> Outcome:
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
            watch(progress)

        spec = store.ledger.request(run_id)
        with _same_inputs(spec):
            store.ledger.restate(run_id, spec)
            spec.execute(RunContext(store.of(spec.owner), folder, result, report))
        report(Progress(1.0, "done"))
    except (Cancelled, KeyboardInterrupt) as error:
        return Outcome(Status.CANCELLED, error=error)
    except Stopped as error:
        cancelled = (folder / CANCEL).exists()
        return Outcome(Status.CANCELLED, error=error) if cancelled else Outcome(Status.INTERRUPTED, STOPPED, error)
    except Exception as error:
        return _explain_failure(error)
    return Outcome(Status.DONE)


@contextlib.contextmanager
def _same_inputs(spec: RunSpec) -> Iterator[None]:
    """Refuse a result whose inputs were replaced meanwhile: it would be kept, and found again, under a wrong name.

    Raises
    ------
    LightboxError
        When they were.
    """
    before = _stamps(spec), spec.state_of_inputs()
    yield
    if (_stamps(spec), spec.state_of_inputs()) != before:
        raise LightboxError("The model's or the cohort's files were replaced while this ran: run it again.")


def _stamps(spec: RunSpec) -> list[tuple[str, int, int, int, int]]:
    """What tells a file that was replaced, even by one of the same size and time that was put back afterwards."""
    found = []
    for path in spec.files():
        status = path.stat()
        found.append((str(path), status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
    return found


def _explain_failure(error: Exception) -> Outcome:
    if isinstance(error, LightboxError):
        return Outcome(Status.FAILED, str(error), error)
    if is_disk_full(error):
        return Outcome(Status.FAILED, DISK_FULL, error)
    if isinstance(error, MemoryError) or _is_torch_memory(error):
        return Outcome(Status.FAILED, OUT_OF_MEMORY, error)
    sentence = (
        f"Something unexpected went wrong ({type(error).__name__}): run it again, and if it fails again "
        "report it with the server's log."
    )
    return Outcome(Status.FAILED, sentence, error)


def _is_torch_memory(error: Exception) -> bool:
    """Whether it is torch's own error of a GPU, or its plain RuntimeError of the CPU; torch need not be here."""
    return type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in str(error)
