import os
import time
from pathlib import Path

import numpy as np
import pytest

from core.errors import BadInput
from core.files import size_of
from core.models.card import write_card
from core.runs.kinds.explanation import ExplanationSpec
from core.runs.spec import LOCAL_OWNER
from core.runs.store.identity import ProcessIdentity
from core.runs.store.janitor import PRESSED_SECONDS, TRASH_SECONDS, UNUSED_SECONDS, sweep
from core.runs.store.records import Status
from core.runs.store.store import RunStore
from core.scans import Scan
from tests.core.runs.toykinds import CountSpec
from tests.core.tiny import tiny_card

ME = ProcessIdentity.of()
MEGABYTE = 10**6


def later() -> float:
    """A moment at which nothing counts as just used; counted from now, not from when the file was collected."""
    return time.time() + UNUSED_SECONDS + 60


def finished_run(store: RunStore, name: str, megabytes: int = 1) -> str:
    run_id = store.of(LOCAL_OWNER).add(CountSpec(name=name), ME)
    store.ledger.claim(run_id, ME)
    store.ledger.result(run_id).mkdir()
    (store.ledger.result(run_id) / "map.npy").write_bytes(os.urandom(megabytes * MEGABYTE))
    store.ledger.finish(run_id, Status.DONE)
    return run_id


def stored_scan(store: RunStore, seed: int) -> str:
    array = np.random.default_rng(seed).random((1, 50, 50, 100), dtype=np.float32)
    return store.of(LOCAL_OWNER).add_scan(Scan(array, np.eye(4)))


def ids(store: RunStore) -> set[str]:
    return {run.id for run in store.of(LOCAL_OWNER).runs()}


def test_below_the_limit_nothing_goes(store: RunStore) -> None:
    kept = {finished_run(store, "a"), finished_run(store, "b")}
    scan = stored_scan(store, 0)
    sweep(store, 100 * MEGABYTE, now=later())
    assert ids(store) == kept
    assert store.of(LOCAL_OWNER).scan(scan).shape == (50, 50, 100)


def test_above_the_limit_the_oldest_unpinned_runs_go_until_it_fits(store: RunStore) -> None:
    runs = [finished_run(store, name) for name in "abcde"]
    store.of(LOCAL_OWNER).pin(runs[0])
    left = sweep(store, int(3.6 * MEGABYTE))
    assert ids(store) == {runs[0], runs[3], runs[4]}
    assert left <= 3.6 * MEGABYTE
    assert {path.name for path in (store.root / "runs").iterdir()} == ids(store)


def test_what_is_queued_or_running_never_goes(store: RunStore) -> None:
    queued, running = (
        store.of(LOCAL_OWNER).add(CountSpec(name="queued"), ME),
        store.of(LOCAL_OWNER).add(CountSpec(name="running"), ME),
    )
    store.ledger.claim(running, ME)
    (store.ledger.folder(running) / "preview.npy").write_bytes(os.urandom(MEGABYTE))
    finished_run(store, "done")
    sweep(store, 1)
    assert ids(store) == {queued, running}
    assert (store.ledger.folder(running) / "preview.npy").exists()


def test_an_unused_scan_goes_before_any_run_and_is_then_told_to_be_gone(store: RunStore) -> None:
    run_id, scan = finished_run(store, "a"), stored_scan(store, 0)
    sweep(store, int(1.5 * MEGABYTE), now=later())
    assert ids(store) == {run_id}
    assert store.of(LOCAL_OWNER).scans() == []
    with pytest.raises(BadInput, match="open its file again"):
        store.of(LOCAL_OWNER).scan(scan)


@pytest.mark.parametrize(("missing", "left"), [(0, 1), (1, 0)])
def test_no_more_goes_than_has_to_and_not_a_byte_less(store: RunStore, missing: int, left: int) -> None:
    scans = [stored_scan(store, seed) for seed in (0, 1)]
    weight = size_of(store.root / "scans" / scans[0])
    sweep(store, size_of(store.root) - weight - missing, now=later())
    assert len(store.of(LOCAL_OWNER).scans()) == left


def test_a_scan_just_looked_at_stays(store: RunStore) -> None:
    scan = stored_scan(store, 0)
    sweep(store, 1)
    assert store.of(LOCAL_OWNER).scan(scan).shape == (50, 50, 100)


def test_when_uploads_alone_fill_the_store_those_unused_for_minutes_go(store: RunStore) -> None:
    stored_scan(store, 0)
    sweep(store, 1, now=time.time() + PRESSED_SECONDS - 60)
    assert len(store.of(LOCAL_OWNER).scans()) == 1
    sweep(store, 1, now=time.time() + PRESSED_SECONDS + 60)
    assert store.of(LOCAL_OWNER).scans() == []


def test_a_scan_stays_as_long_as_a_run_reads_it_and_goes_with_it(store: RunStore, tmp_path: Path) -> None:
    folder = tmp_path / "a-model"
    folder.mkdir()
    write_card(tiny_card("a-model", (16, 20)), folder)
    scan = stored_scan(store, 0)
    run_id = store.of(LOCAL_OWNER).add(ExplanationSpec(scan=scan, model=str(folder), explainer="mask"), ME)
    sweep(store, 1, now=later())
    assert store.of(LOCAL_OWNER).scan(scan).shape == (50, 50, 100)
    store.ledger.finish(run_id, Status.CANCELLED)
    sweep(store, 1, now=later())
    assert ids(store) == set()
    assert store.of(LOCAL_OWNER).scans() == []


def test_leftovers_of_a_crash_go_when_they_are_old(store: RunStore) -> None:
    run_id = finished_run(store, "a")
    for leftover in (store.root / "scans" / ".tmp-1-abc", store.ledger.folder(run_id) / ".tmp-1-map.npy"):
        leftover.write_bytes(b"half")
    (store.root / "runs" / ("0" * 16)).mkdir()
    sweep(store, 100 * MEGABYTE)
    assert [path.parent.name for path in store.root.rglob(".tmp-*")] == ["scans"]
    sweep(store, 100 * MEGABYTE, now=later())
    assert list(store.root.rglob(".tmp-*")) == []
    assert [path.name for path in (store.root / "runs").iterdir()] == [run_id]


@pytest.mark.parametrize("hours", [0.5, 2, 48])
def test_what_a_run_is_still_writing_stays_however_long_it_takes(store: RunStore, hours: float) -> None:
    run_id = store.of(LOCAL_OWNER).add(CountSpec(), ME)
    store.ledger.claim(run_id, ME)
    result = store.ledger.folder(run_id) / ".tmp-result"
    result.mkdir()
    (store.ledger.folder(run_id) / ".tmp-7-progress.json").write_text("{")
    sweep(store, 100 * MEGABYTE, now=time.time() + hours * 3600)
    assert result.is_dir()
    assert len(list(store.root.rglob(".tmp-*"))) == 2
    store.ledger.finish(run_id, Status.CANCELLED)
    assert list(store.root.rglob(".tmp-*")) == []


@pytest.mark.parametrize("status", [status for status in Status if status.final])
def test_what_a_run_had_begun_to_write_goes_when_it_has_ended(store: RunStore, status: Status) -> None:
    run_id = store.of(LOCAL_OWNER).add(CountSpec(), ME)
    store.ledger.claim(run_id, ME)
    begun = store.ledger.folder(run_id) / ".tmp-result"
    begun.mkdir()
    (begun / "map.npy").write_bytes(os.urandom(MEGABYTE))
    store.ledger.finish(run_id, status)
    assert not begun.exists()
    assert store.of(LOCAL_OWNER).run(run_id).size < MEGABYTE


def test_the_trash_is_emptied_after_a_day(store: RunStore) -> None:
    early, late = finished_run(store, "early"), finished_run(store, "late")
    table, now = store.of(LOCAL_OWNER).table, time.time()
    table.star([early])
    table.throw_away([early], now=now)
    table.throw_away([late], now=now + 60)
    sweep(store, 100 * MEGABYTE, now=now + TRASH_SECONDS - 1)
    assert store.ledger.result(early).is_dir()
    sweep(store, 100 * MEGABYTE, now=now + TRASH_SECONDS + 1)
    assert not store.ledger.folder(early).exists()
    assert table.take_back([early, late]) == [late]


def test_the_trash_makes_room_first_and_no_more_of_it_than_has_to(store: RunStore) -> None:
    old, first, second, starred = (finished_run(store, name) for name in ("old", "first", "second", "starred"))
    table, now = store.of(LOCAL_OWNER).table, time.time()
    table.star([starred])
    table.throw_away([first], now=now - 2)
    table.throw_away([second], now=now - 1)
    sweep(store, int(3.6 * MEGABYTE), now=now)
    assert ids(store) == {old, starred}
    assert table.take_back([first, second]) == [second]
    sweep(store, int(1.6 * MEGABYTE), now=now)
    assert ids(store) == {starred}
