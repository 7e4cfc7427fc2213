"""What a forked worker leaves behind as its exit code."""

import os
from collections.abc import Callable

import pytest

from core.runs.execution import launcher
from core.runs.execution.execute import Stopped
from core.runs.execution.launcher import LauncherOptions
from core.runs.spec import LOCAL_OWNER
from core.runs.store.identity import ProcessIdentity
from core.runs.store.store import RunStore
from tests.core.runs.toykinds import CountSpec


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
    output = os.open(os.devnull, os.O_WRONLY)
    child = os.fork()
    if child == 0:
        launcher._be_a_worker(LauncherOptions(store=store.root), run_id, output)
    os.close(output)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == code
