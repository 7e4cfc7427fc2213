"""Runs in the thread that asks: listed, cancelled and found again like the others, and what ended them is raised."""

from pathlib import Path

import pytest

from core.errors import BadInput, Cancelled
from core.runs.execution.foreground import run_here
from core.runs.spec import LOCAL_OWNER
from core.runs.store.identity import ProcessIdentity
from core.runs.store.records import Status
from core.runs.store.store import RunStore
from tests.core.runs.toykinds import CountSpec, TroubleSpec


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore.open(tmp_path / "store")


def only_run(store: RunStore):
    (run,) = store.of(LOCAL_OWNER).runs()
    return run


def test_it_is_done_when_it_returns_and_whoever_watches_is_told(store: RunStore) -> None:
    seen = []
    run_id = run_here(store, CountSpec(steps=2), seen.append)
    shelf = store.of(LOCAL_OWNER)
    assert shelf.run(run_id).status is Status.DONE
    assert (shelf.result(run_id) / "counted.json").is_file()
    assert [progress.message for progress in seen] == ["step 0", "step 1", "done"]
    assert shelf.progress(run_id).fraction == 1.0
    assert shelf.answered(CountSpec(steps=2)) == run_id
    assert shelf.answered(CountSpec(steps=3)) is None
    assert store.of("somebody else").answered(CountSpec(steps=2)) is None


def test_an_equal_request_is_executed_anew(store: RunStore) -> None:
    first, second = (run_here(store, CountSpec()) for _ in range(2))
    assert first != second
    assert store.of(LOCAL_OWNER).answered(CountSpec()) == second


@pytest.mark.parametrize(
    ("trouble", "error", "words"),
    [
        ("bad input", BadInput, "The scan is upside down: turn it."),
        ("no memory", MemoryError, "Memory ran out"),
        ("bug", ZeroDivisionError, "Something unexpected went wrong (ZeroDivisionError)"),
    ],
)
def test_what_ended_it_is_raised_and_the_run_says_so(store: RunStore, caplog, trouble, error, words) -> None:
    with pytest.raises(error):
        run_here(store, TroubleSpec(trouble=trouble))
    assert only_run(store).status is Status.FAILED
    assert only_run(store).message.startswith(words)
    assert not caplog.records
    assert store.of(LOCAL_OWNER).answered(TroubleSpec(trouble=trouble)) is None


def test_ctrl_c_leaves_a_cancelled_run_and_nothing_half_made(store: RunStore) -> None:
    def interrupt(progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_here(store, CountSpec(), interrupt)
    run = only_run(store)
    assert (run.status, run.message) == (Status.CANCELLED, "")
    assert not [path for path in store.ledger.folder(run.id).iterdir() if "result" in path.name]


def test_whoever_looks_at_the_runs_can_cancel_it(store: RunStore) -> None:
    with pytest.raises(Cancelled):
        run_here(store, CountSpec(), lambda progress: store.of(LOCAL_OWNER).request_cancel(only_run(store).id) and None)
    assert only_run(store).status is Status.CANCELLED


def test_one_that_was_cancelled_before_it_began_does_nothing(store: RunStore, monkeypatch) -> None:
    claim = store.ledger.claim

    def cancelled_first(run_id: str, worker: ProcessIdentity) -> bool:
        store.of(LOCAL_OWNER).request_cancel(run_id)
        return claim(run_id, worker)

    monkeypatch.setattr(store.ledger, "claim", cancelled_first)
    with pytest.raises(Cancelled):
        run_here(store, CountSpec())
    assert only_run(store).status is Status.CANCELLED


def test_what_cannot_work_leaves_no_run(store: RunStore) -> None:
    class Refused(CountSpec):
        kind = "toy-refused"

        def check(self, inputs) -> None:
            raise BadInput("Not this.")

    with pytest.raises(BadInput):
        run_here(store, Refused())
    assert store.of(LOCAL_OWNER).runs() == []
