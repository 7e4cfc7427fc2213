"""What only a process can do: be killed, crash, and take nothing with it."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.runs.execution.manager import RunManager
from core.runs.execution.process import ProcessWorker
from core.runs.spec import LOCAL_OWNER
from core.runs.store.records import Status
from core.runs.store.store import RunStore
from tests.core.runs.conftest import make_worker
from tests.core.runs.toykinds import CountSpec, DeafSpec, TroubleSpec
from tests.core.runs.waiting import PATIENCE, finished, started, until


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunManager]:
    store = RunStore.open(tmp_path_factory.mktemp("process") / "store")
    made = RunManager(store, make_worker("process", store))
    yield made
    made.close()
    store.close()


def launcher_of(manager: RunManager) -> int:
    worker = manager._worker
    assert isinstance(worker, ProcessWorker)
    assert worker.launcher_pid is not None
    return worker.launcher_pid


def test_a_deaf_run_is_killed_within_two_seconds_and_its_memory_freed(manager: RunManager) -> None:
    run_id = started(manager, DeafSpec())
    [worker] = [run.worker for run in manager.store.ledger.unfinished() if run.id == run_id]
    assert worker is not None
    assert worker.alive
    manager.cancel(run_id, LOCAL_OWNER)
    assert manager.store.of(LOCAL_OWNER).run(run_id).cancelling
    took = until(lambda: manager.store.of(LOCAL_OWNER).run(run_id).status is Status.CANCELLED)
    assert took < 2.0
    assert not worker.alive


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("SIGKILL", Status.INTERRUPTED, "killed (SIGKILL), perhaps because memory ran out"),
        ("SIGTERM", Status.INTERRUPTED, "run it again"),
        ("SIGSEGV", Status.FAILED, "crashed (SIGSEGV)"),
    ],
)
def test_a_killed_worker_ends_in_a_truthful_state(manager: RunManager, name: str, status: Status, words: str) -> None:
    _, ended, message = finished(manager, TroubleSpec(trouble=name))
    assert ended is status
    assert words in message
    assert finished(manager, CountSpec(name=f"after {name}"))[1] is Status.DONE


def test_when_the_launcher_dies_its_runs_stop_and_the_next_run_gets_a_new_one(manager: RunManager) -> None:
    run_id = started(manager, CountSpec(steps=10**6, pause=0.01, name="orphan"))
    [worker] = [run.worker for run in manager.store.ledger.unfinished() if run.id == run_id]
    launcher = launcher_of(manager)
    os.kill(launcher, signal.SIGKILL)
    assert manager.wait(run_id, LOCAL_OWNER, PATIENCE).status is Status.INTERRUPTED
    assert worker is not None
    until(lambda: not worker.alive, 5.0)
    assert finished(manager, CountSpec(name="after the launcher"))[1] is Status.DONE


def test_a_run_goes_before_the_server_when_memory_runs_out_is_nicer_and_bounded_in_threads(manager: RunManager) -> None:
    run_id = started(manager, DeafSpec(seconds=59))
    [worker] = [run.worker for run in manager.store.ledger.unfinished() if run.id == run_id]
    assert worker is not None
    fields = Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()
    assert int(fields[16]) >= min(os.nice(0) + 10, 19)  # nobody is nicer than 19
    first_to_go = int(Path(f"/proc/{worker.pid}/oom_score_adj").read_text())
    assert first_to_go > int(Path("/proc/self/oom_score_adj").read_text())
    assert first_to_go > int(Path(f"/proc/{launcher_of(manager)}/oom_score_adj").read_text())
    environment = Path(f"/proc/{launcher_of(manager)}/environ").read_bytes().split(b"\0")
    assert b"OMP_WAIT_POLICY=PASSIVE" in environment
    assert b"OMP_NUM_THREADS=1" in environment
    manager.cancel(run_id, LOCAL_OWNER)
    manager.wait(run_id, LOCAL_OWNER, PATIENCE)
