"""One suite for every worker: what `core.runs.execution.base.Worker` promises."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.runs.execution.manager import RunManager
from core.runs.spec import LOCAL_OWNER
from core.runs.store.identity import ProcessIdentity
from core.runs.store.records import Status
from core.runs.store.store import RunStore
from tests.core.runs.conftest import make_worker
from tests.core.runs.toykinds import CountSpec, TroubleSpec
from tests.core.runs.waiting import PATIENCE, finished, started, until

WORKERS = ("inline", "process")


@pytest.fixture(params=WORKERS, scope="module")
def worker(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def manager(worker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunManager]:
    store = RunStore.open(tmp_path_factory.mktemp(worker) / "store")
    made = RunManager(store, make_worker(worker, store))
    yield made
    made.close()
    store.close()


def test_a_run_ends_done_with_its_result(manager: RunManager) -> None:
    run_id, status, message = finished(manager, CountSpec(steps=4, name="result"))
    assert (status, message) == (Status.DONE, "")
    assert json.loads((manager.store.ledger.result(run_id) / "counted.json").read_text())["steps"] == 4


def test_start_returns_before_the_work_is_done(manager: RunManager) -> None:
    begin = time.monotonic()
    run_id = manager.submit(CountSpec(steps=50, pause=0.02, name="slow"))
    assert time.monotonic() - begin < 0.5
    assert manager.wait(run_id, LOCAL_OWNER, PATIENCE).status is Status.DONE


def test_progress_history_and_preview_reach_a_watcher_while_it_runs(manager: RunManager) -> None:
    run_id = started(manager, CountSpec(steps=200, pause=0.02, name="watched"))
    until(lambda: manager.store.of(LOCAL_OWNER).progress(run_id).eta_seconds is not None)
    live = manager.store.of(LOCAL_OWNER).progress(run_id)
    assert 0 < live.fraction < 1
    assert live.history["iteration"] == list(range(len(live.history["loss"])))
    preview = manager.store.of(LOCAL_OWNER).preview(run_id)
    assert preview is not None
    assert preview.values.shape == (2, 3, 4)
    manager.cancel(run_id, LOCAL_OWNER)
    manager.wait(run_id, LOCAL_OWNER, PATIENCE)


def test_cancel_stops_within_two_seconds_and_leaves_no_half_result(manager: RunManager) -> None:
    run_id = started(manager, CountSpec(steps=10**6, pause=0.01, name="endless"))
    manager.cancel(run_id, LOCAL_OWNER)
    assert until(lambda: manager.store.of(LOCAL_OWNER).run(run_id).status is Status.CANCELLED) < 2.0
    assert not manager.store.ledger.result(run_id).exists()
    assert not list(manager.store.ledger.folder(run_id).glob(".tmp-*"))


def test_a_cancelled_request_can_be_asked_again(manager: RunManager) -> None:
    spec = CountSpec(steps=40, pause=0.02, name="twice")
    first = started(manager, spec)
    manager.cancel(first, LOCAL_OWNER)
    second, status, _ = finished(manager, spec)
    assert second != first
    assert status is Status.DONE


def test_queued_runs_wait_their_turn_and_can_be_cancelled_at_once(manager: RunManager) -> None:
    running = started(manager, CountSpec(steps=10**6, pause=0.01, name="holds the slot"))
    waiting = [manager.submit(CountSpec(name=f"waits {n}")) for n in range(2)]
    assert [manager.store.of(LOCAL_OWNER).run(run_id).position for run_id in waiting] == [1, 2]
    assert manager.cancel(waiting[0], LOCAL_OWNER).status is Status.CANCELLED
    assert manager.store.of(LOCAL_OWNER).run(waiting[1]).position == 1
    manager.cancel(running, LOCAL_OWNER)
    assert manager.wait(waiting[1], LOCAL_OWNER, PATIENCE).status is Status.DONE
    assert manager.store.of(LOCAL_OWNER).run(waiting[0]).status is Status.CANCELLED


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("bad input", "The scan is upside down: turn it."),
        ("full disk", "disk that holds the store is full"),
        ("no memory", "Memory ran out"),
        ("bug", "ZeroDivisionError"),
    ],
)
def test_trouble_ends_failed_with_a_sentence_and_without_leftovers(
    manager: RunManager, trouble: str, words: str
) -> None:
    run_id, status, message = finished(manager, TroubleSpec(trouble=trouble))
    assert status is Status.FAILED
    assert words in message
    assert not list(manager.store.ledger.folder(run_id).glob(".tmp-*"))
    assert finished(manager, CountSpec(name=f"after {trouble}"))[1] is Status.DONE


def test_the_same_request_is_found_and_not_repeated(manager: RunManager) -> None:
    spec = CountSpec(steps=30, pause=0.02, name="same")
    joined = {started(manager, spec), manager.submit(spec)}
    found, status, _ = finished(manager, spec)
    assert joined == {found}
    assert status is Status.DONE
    assert manager.submit(spec) == found
    assert manager.submit(spec.model_copy(update={"owner": "somebody else"})) != found


def test_close_leaves_nothing_running_and_nothing_marked_running(tmp_path: Path, worker: str) -> None:
    store = RunStore.open(tmp_path / "closing")
    closing = RunManager(store, make_worker(worker, store))
    run_id = started(closing, CountSpec(steps=10**6, pause=0.01))
    queued = closing.submit(CountSpec())
    [row] = [run for run in store.ledger.unfinished() if run.id == run_id]
    closing.close()
    ended = store.of(LOCAL_OWNER).run(run_id)
    assert ended.status is Status.INTERRUPTED
    assert "run it again" in ended.message
    assert store.of(LOCAL_OWNER).run(queued).status is Status.QUEUED
    assert row.worker is not None
    assert row.worker == ProcessIdentity.of() or not row.worker.alive
