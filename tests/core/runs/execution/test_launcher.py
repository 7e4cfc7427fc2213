"""What a forked worker leaves behind, and what it is to the kernel."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from core.runs.execution import launcher
from core.runs.execution.execute import Stopped
from core.runs.execution.launcher import LauncherOptions
from core.runs.spec import LOCAL_OWNER
from core.runs.store.identity import ProcessIdentity
from core.runs.store.store import RunStore
from tests.core.runs.toykinds import CountSpec

#: What Linux adds to a process's score when it looks for one to end.
MEMORY_KILLER = Path("/proc/self/oom_score_adj")


def run_in_child(store: RunStore, run_id: str) -> int:
    output = os.open(os.devnull, os.O_WRONLY)
    child = os.fork()
    if child == 0:
        launcher._be_a_worker(LauncherOptions(store=store.root), run_id, output)
    os.close(output)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def stop(*_: object) -> None:
    raise Stopped


def crash(*_: object) -> None:
    raise OSError("the disk is gone")


@pytest.mark.parametrize(("execute", "code"), [(lambda *_: None, 0), (stop, 0), (crash, 1)])
def test_a_worker_that_is_told_to_stop_outside_its_work_has_not_failed(
    store: RunStore, monkeypatch: pytest.MonkeyPatch, execute: Callable[..., None], code: int
) -> None:
    run_id = store.of(LOCAL_OWNER).add(CountSpec(), ProcessIdentity.of())
    monkeypatch.setattr(launcher, "execute", execute)
    assert run_in_child(store, run_id) == code


@pytest.mark.skipif(not MEMORY_KILLER.exists(), reason="a system without Linux's memory killer")
def test_a_worker_goes_before_the_server_when_memory_runs_out_and_its_words_go_to_its_log(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = store.of(LOCAL_OWNER).add(CountSpec(), ProcessIdentity.of())
    monkeypatch.setattr(launcher, "execute", lambda *_: os.write(1, MEMORY_KILLER.read_bytes()))
    assert run_in_child(store, run_id) == 0
    log = (store.ledger.folder(run_id) / "worker.log").read_text()
    assert int(log) == 500 > int(MEMORY_KILLER.read_text())
