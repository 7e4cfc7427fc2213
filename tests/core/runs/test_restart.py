"""What a new server finds when the old one is gone, however it went."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.runs.execution.manager import RunManager
from core.runs.spec import LOCAL_OWNER
from core.runs.store import live, tables
from core.runs.store.identity import ProcessIdentity
from core.runs.store.live import HEARTBEAT, heartbeat_age
from core.runs.store.records import Status
from core.runs.store.store import RunStore
from core.settings import ROOT
from tests.core.runs.toykinds import CountSpec
from tests.core.runs.waiting import PATIENCE, started, until

ME = ProcessIdentity.of()


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


def running(store: RunStore, worker: ProcessIdentity) -> str:
    run_id = store.of(LOCAL_OWNER).add(CountSpec(name=worker.host), ME)
    assert store.ledger.claim(run_id, worker)
    return run_id


def test_a_run_whose_worker_died_is_interrupted_when_the_store_opens(
    store: RunStore, sleeper: "subprocess.Popen[bytes]"
) -> None:
    run_id = running(store, ProcessIdentity.of(sleeper.pid))
    sleeper.kill()
    sleeper.wait()
    found = RunStore.open(store.root).of(LOCAL_OWNER).run(run_id)
    assert found.status is Status.INTERRUPTED
    assert found.message == "It was cut off when the program that ran it stopped: run it again."


@pytest.mark.parametrize("cancelling", [False, True])
def test_a_result_that_was_complete_when_its_worker_died_is_kept(
    store: RunStore, sleeper: "subprocess.Popen[bytes]", cancelling: bool
) -> None:
    """A full disk may take the result and not the word that it is there."""
    run_id = running(store, ProcessIdentity.of(sleeper.pid))
    store.ledger.result(run_id).mkdir()
    if cancelling:
        store.of(LOCAL_OWNER).request_cancel(run_id)
    sleeper.kill()
    sleeper.wait()
    found = RunStore.open(store.root).of(LOCAL_OWNER).run(run_id)
    assert (found.status, found.message) == (Status.DONE, "")


def test_a_run_whose_worker_lives_is_left_alone(store: RunStore, sleeper: "subprocess.Popen[bytes]") -> None:
    run_id = running(store, ProcessIdentity.of(sleeper.pid))
    assert RunStore.open(store.root).of(LOCAL_OWNER).run(run_id).status is Status.RUNNING


def test_a_new_process_with_the_old_number_is_not_the_worker(
    store: RunStore, sleeper: "subprocess.Popen[bytes]"
) -> None:
    identity = ProcessIdentity.of(sleeper.pid)
    run_id = running(store, identity.model_copy(update={"started": "1"}))
    assert RunStore.open(store.root).of(LOCAL_OWNER).run(run_id).status is Status.INTERRUPTED


@pytest.mark.parametrize(("silence", "status"), [(5, Status.RUNNING), (120, Status.INTERRUPTED)])
def test_a_worker_on_another_host_is_judged_by_its_heartbeat(store: RunStore, silence: int, status: Status) -> None:
    run_id = running(store, ME.model_copy(update={"host": "elsewhere"}))
    beat = store.ledger.folder(run_id) / HEARTBEAT
    beat.touch()
    os.utime(beat, (time.time() - silence,) * 2)
    assert RunStore.open(store.root).of(LOCAL_OWNER).run(run_id).status is status


def test_a_run_that_works_for_long_on_another_host_is_not_called_dead(
    store: RunStore, start_manager: Callable[..., RunManager], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The heart of a run beats while it works: without that every run of another host would end after a minute."""
    monkeypatch.setattr(live, "_HEARTBEAT_EVERY", 0.02)
    manager = start_manager("inline")
    run_id = started(manager, CountSpec(steps=10**6, pause=0.01, name="long"))
    elsewhere = ME.model_copy(update={"host": "elsewhere"}).model_dump_json()
    store.ledger.change(tables.runs.c.id == run_id, worker=elsewhere)
    beat = store.ledger.folder(run_id) / HEARTBEAT
    os.utime(beat, (0, 0))
    until(lambda: heartbeat_age(beat.parent) < 30, 10)
    store.ledger.mark_interrupted()
    assert store.of(LOCAL_OWNER).run(run_id).status is Status.RUNNING
    manager.cancel(run_id, LOCAL_OWNER)
    assert manager.wait(run_id, LOCAL_OWNER, PATIENCE).status is Status.CANCELLED


def test_what_a_dead_server_had_queued_runs_under_the_next_one(
    store: RunStore, start_manager: Callable[..., RunManager], sleeper: "subprocess.Popen[bytes]"
) -> None:
    left = store.of(LOCAL_OWNER).add(CountSpec(name="left behind"), ProcessIdentity.of(sleeper.pid))
    sleeper.kill()
    sleeper.wait()
    assert start_manager("inline").wait(left, LOCAL_OWNER, PATIENCE).status is Status.DONE


def test_what_a_living_server_has_queued_is_left_to_it(
    store: RunStore, start_manager: Callable[..., RunManager], sleeper: "subprocess.Popen[bytes]"
) -> None:
    theirs = store.of(LOCAL_OWNER).add(CountSpec(name="theirs"), ProcessIdentity.of(sleeper.pid))
    manager = start_manager("inline")
    mine = manager.submit(CountSpec(name="mine"))
    assert manager.wait(mine, LOCAL_OWNER, PATIENCE).status is Status.DONE
    assert store.of(LOCAL_OWNER).run(theirs).status is Status.QUEUED


@pytest.mark.parametrize(("silence", "status"), [(None, Status.DONE), (120, Status.DONE), (5, Status.QUEUED)])
def test_what_waits_for_a_server_on_another_host_is_taken_over_once_that_is_silent(
    store: RunStore, start_manager: Callable[..., RunManager], silence: float | None, status: Status
) -> None:
    """A container that is made anew has another name: what its predecessor had queued must not wait for ever."""
    server = ME.model_copy(update={"host": "the container before"})
    if silence is not None:
        store.ledger.show_alive(server)
        os.utime(store.root / "servers" / server.digest, (time.time() - silence,) * 2)
    theirs = store.of(LOCAL_OWNER).add(CountSpec(name="theirs"), server)
    manager = start_manager("inline")
    assert manager.wait(manager.submit(CountSpec(name="mine")), LOCAL_OWNER, PATIENCE).status is Status.DONE
    assert manager.wait(theirs, LOCAL_OWNER, PATIENCE if status is Status.DONE else 0.5).status is status


def test_a_server_shows_that_it_lives_until_it_ends(store: RunStore, start_manager: Callable[..., RunManager]) -> None:
    manager = start_manager("inline")
    assert [path.name for path in (store.root / "servers").iterdir()] == [ME.digest]
    manager.close()
    assert list((store.root / "servers").iterdir()) == []


def test_asking_for_what_waits_for_a_dead_server_has_it_done(
    store: RunStore, start_manager: Callable[..., RunManager]
) -> None:
    server = ME.model_copy(update={"host": "the container before"})
    left = store.of(LOCAL_OWNER).add(CountSpec(name="asked twice"), server)
    manager = start_manager("inline")
    assert manager.submit(CountSpec(name="asked twice")) == left
    assert manager.wait(left, LOCAL_OWNER, PATIENCE).status is Status.DONE


#: Like a page of Streamlit: must not be executed a second time by whatever runs are started from.
SERVER = """
import sys
if __name__ != "__main__":
    raise SystemExit("the server's script was executed again")
from pathlib import Path
from core.runs import LOCAL_OWNER, RunManager, RunStore
from core.runs.execution.process import ProcessWorker
from tests.core.runs.toykinds import CountSpec

store = RunStore.open(Path(sys.argv[1]))
manager = RunManager(store, ProcessWorker(store.root, modules=("tests.core.runs.toykinds",)))
done = manager.wait(manager.submit(CountSpec(name="first")), LOCAL_OWNER, 60)
assert done.status == "done", done.message
assert "torch" not in sys.modules
assert "libtorch" not in Path("/proc/self/maps").read_text()
endless = manager.submit(CountSpec(steps=10**6, pause=0.01, name="endless"))
queued = manager.submit(CountSpec(name="queued"))
while not store.of(LOCAL_OWNER).progress(endless).message:
    pass
print(endless, queued, flush=True)
sys.stdin.read()
manager.close()
"""


def start_server(store: RunStore, folder: Path) -> tuple["subprocess.Popen[str]", str, str]:
    script = folder / "page.py"
    script.write_text(SERVER)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    server = subprocess.Popen(
        [sys.executable, str(script), str(store.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    )
    assert server.stdout is not None
    endless, queued = server.stdout.readline().split()
    return server, endless, queued


def test_a_killed_server_takes_its_worker_along_and_the_next_one_tells_the_truth(
    store: RunStore, tmp_path: Path, start_manager: Callable[..., RunManager]
) -> None:
    server, endless, queued = start_server(store, tmp_path)
    [worker] = [run.worker for run in store.ledger.unfinished() if run.id == endless]
    assert worker is not None
    assert worker.alive
    os.kill(server.pid, signal.SIGKILL)
    server.communicate()
    until(lambda: not worker.alive, 5.0)
    manager = start_manager("inline")
    interrupted = manager.wait(endless, LOCAL_OWNER, PATIENCE)
    assert interrupted.status is Status.INTERRUPTED
    assert "run it again" in interrupted.message
    assert manager.wait(queued, LOCAL_OWNER, PATIENCE).status is Status.DONE


def test_a_server_that_closes_leaves_no_process_behind(store: RunStore, tmp_path: Path) -> None:
    server, endless, _ = start_server(store, tmp_path)
    [worker] = [run.worker for run in store.ledger.unfinished() if run.id == endless]
    server.communicate("", timeout=20)
    assert server.returncode == 0
    assert worker is not None
    assert not worker.alive
    assert store.of(LOCAL_OWNER).run(endless).status is Status.INTERRUPTED
