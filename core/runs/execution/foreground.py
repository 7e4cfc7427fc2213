"""Runs in the very thread that asks, while somebody waits: for the command line."""

from core.errors import Cancelled
from core.progress import Report, silent
from core.runs.execution.execute import carry_out
from core.runs.spec import RunSpec
from core.runs.store.identity import ProcessIdentity
from core.runs.store.records import Status
from core.runs.store.store import RunStore


def run_here(store: RunStore, spec: RunSpec, watch: Report = silent) -> str:
    """Execute a request as a run of its owner and wait for it. It is listed, and can be cancelled, like the others.

    Parameters
    ----------
    store : RunStore
        Where it is kept.
    spec : RunSpec
        What to do.
    watch : Report
        Told of the progress.

    Returns
    -------
    str
        Id of the run, which is done.

    Raises
    ------
    core.errors.Cancelled, KeyboardInterrupt
        When somebody cancelled it; the run is ``cancelled``.
    Exception
        Whatever the work raised; the run is ``failed``.
    """
    me = ProcessIdentity.of()
    run_id = store.of(spec.owner).add(spec, me, again=True)
    try:
        outcome = carry_out(store, run_id, me, watch=watch)
    except KeyboardInterrupt:
        store.ledger.finish(run_id, Status.CANCELLED)
        raise
    if outcome is None:
        raise Cancelled
    if outcome.error is not None:
        raise outcome.error
    return run_id
