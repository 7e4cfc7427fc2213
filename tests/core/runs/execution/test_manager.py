"""What the manager says of runs whose worker ended without a word, and how it shares the machine."""

import signal
import time
from pathlib import Path

import pytest

from core.errors import BadInput
from core.runs.execution.base import Ending, Execution, Worker
from core.runs.execution.execute import STOPPED
from core.runs.execution.inline import InlineWorker
from core.runs.execution.manager import RunManager, _died, _manager, manager
from core.runs.execution.process import ProcessWorker
from core.runs.spec import LOCAL_OWNER
from core.runs.store.identity import ProcessIdentity
from core.runs.store.records import Status
from core.runs.store.store import RunStore
from core.settings import settings
from tests.core.runs.toykinds import CountSpec


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        (None, Status.INTERRUPTED, "start from ended"),
        (1, Status.FAILED, "server's log"),
        (-signal.SIGKILL, Status.INTERRUPTED, "killed (SIGKILL), perhaps because memory"),
        (-signal.SIGTERM, Status.INTERRUPTED, "from outside (SIGTERM)"),
        (-signal.SIGBUS, Status.FAILED, "crashed (SIGBUS), perhaps because the disk is full"),
        (-signal.SIGSEGV, Status.FAILED, "crashed (SIGSEGV)"),
    ],
)
def test_each_way_to_die_has_its_state_and_its_sentence(code: int | None, status: Status, words: str) -> None:
    found, sentence = _died(Ending(code))
    assert found is status
    assert words in sentence


class Silent(Worker):
    """Claims runs and never says anything again, like a worker that is killed as the server closes."""

    name = "silent"
    title = "Nowhere"

    def __init__(self, store: RunStore) -> None:
        self.store = store

    @classmethod
    def of(cls, store: RunStore, threads: int) -> "Silent":
        return cls(store)

    def start(self, run_id: str) -> Execution:
        self.store.ledger.claim(run_id, ProcessIdentity.of())
        return Endless()

    def warm_up(self) -> None:
        pass

    def close(self) -> None:
        pass


class Endless(Execution):
    def ending(self) -> Ending | None:
        return None

    def kill(self) -> None:
        pass


def test_a_run_that_the_closing_server_cuts_off_is_said_to_be_interrupted(store: RunStore) -> None:
    manager = RunManager(store, Silent(store))
    run_id = manager.submit(CountSpec())
    deadline = time.monotonic() + 20
    while store.of(LOCAL_OWNER).run(run_id).status is not Status.RUNNING:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    manager.close()
    run = store.of(LOCAL_OWNER).run(run_id)
    assert (run.status, run.message) == (Status.INTERRUPTED, STOPPED)


@pytest.mark.parametrize(("name", "kind"), [("process", ProcessWorker), ("inline", InlineWorker)])
def test_the_worker_and_its_limits_are_those_that_the_settings_name(
    tmp_path: Path, monkeypatch, name: str, kind: type
) -> None:
    monkeypatch.setenv("LIGHTBOX_STORE_PATH", str(tmp_path))
    monkeypatch.setenv("LIGHTBOX_WORKER", name)
    monkeypatch.setenv("LIGHTBOX_WORKER_SLOTS", "3")
    monkeypatch.setenv("LIGHTBOX_STORE_LIMIT_GB", "0.5")
    settings.cache_clear()
    _manager.cache_clear()
    made = manager()
    assert type(made._worker) is kind
    assert (made._slots, made._limit) == (3, 500_000_000)
    made.close()
    _manager.cache_clear()
    settings.cache_clear()


def test_a_worker_that_is_not_there_is_refused_before_the_store_is_opened(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("LIGHTBOX_STORE_PATH", str(tmp_path / "store"))
    monkeypatch.setenv("LIGHTBOX_WORKER", "cluster")
    settings.cache_clear()
    _manager.cache_clear()
    with pytest.raises(BadInput, match="There is no worker 'cluster'; there is inline, process"):
        manager()
    assert not (tmp_path / "store").exists()
    settings.cache_clear()
