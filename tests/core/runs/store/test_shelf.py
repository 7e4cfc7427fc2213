import dataclasses
import inspect
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from sqlalchemy import event, select, update
from sqlalchemy.exc import OperationalError

from core.errors import BadInput, LightboxError
from core.runs.execution.manager import ManagedShelf, RunManager
from core.runs.kinds.explanation import ExplanationSpec
from core.runs.store import tables
from core.runs.store.database import FILE
from core.runs.store.identity import ProcessIdentity
from core.runs.store.landmarks import Landmark
from core.runs.store.records import Run, Status
from core.runs.store.scans import scan_label
from core.runs.store.store import RunStore
from core.scans import Form, HeaderForms, Scan, SourceSpace
from tests.core.runs.toykinds import CountSpec

ANNA, BERT = "anna", "bert"
ME = ProcessIdentity.of()


def scan(seed: int = 0, **fields: object) -> Scan:
    array = np.random.default_rng(seed).random((1, 4, 5, 6), dtype=np.float32)
    return Scan(array, np.diag([2.0, 2.0, 3.0, 1.0]), modality="MR", **fields)  # type: ignore[arg-type]


def test_a_scan_comes_back_as_it_went_in_without_being_loaded(store: RunStore) -> None:
    source = SourceSpace(np.diag([-2.0, 2, 3, 1]), (4, 5, 6), np.array([[0, -1], [1, 1], [2, 1]]))
    given = scan(units="probability", notes=("gantry tilt of 12°",), source=source)
    back = store.of(ANNA).scan(store.of(ANNA).add_scan(given))
    np.testing.assert_array_equal(back.array, given.array)
    np.testing.assert_array_equal(back.affine, given.affine)
    assert isinstance(back.array, np.memmap)
    assert not back.array.flags.writeable
    assert (back.modality, back.units, back.notes) == ("MR", "probability", ("gantry tilt of 12°",))
    assert back.source is not None
    np.testing.assert_array_equal(back.source.orientation, source.orientation)
    np.testing.assert_array_equal(back.source.affine, source.affine)
    assert back.content_hash == given.content_hash
    assert dataclasses.replace(back, array=np.array(back.array)).content_hash == given.content_hash


@pytest.mark.parametrize("codes", [(4, 1), (0, 1), (1, 0), (0, 0)])
def test_what_a_scan_s_header_refers_to_comes_back(store: RunStore, codes: tuple[int, int]) -> None:
    sform, qform = (Form(np.diag([-2.0, 2, 3 + code / 7, 1]), code) if code else None for code in codes)
    source = SourceSpace(np.diag([-2.0, 2, 3, 1]), (4, 5, 6), np.eye(3, 2), HeaderForms(sform, qform))
    given = scan(source=source)
    back = store.of(ANNA).scan(store.of(ANNA).add_scan(given))
    assert back.source is not None
    assert back.source.forms is not None
    for kept, known in ((back.source.forms.sform, sform), (back.source.forms.qform, qform)):
        assert (kept is None) == (known is None)
        if kept is not None and known is not None:
            assert kept.code == known.code
            np.testing.assert_array_equal(kept.affine, known.affine)
    assert dataclasses.replace(back, array=np.array(back.array)).content_hash == given.content_hash


def test_a_colour_picture_keeps_its_colours(store: RunStore) -> None:
    colours = np.random.default_rng(0).random((3, 4, 5)).astype(np.float32)
    kept = Scan(np.ones((1, 4, 5), np.float32), np.eye(4), units="8-bit", colours=colours)
    found = store.of(ANNA).scan(store.of(ANNA).add_scan(kept))
    np.testing.assert_array_equal(found.colours, colours)
    assert found.content_hash == kept.content_hash
    assert store.of(ANNA).scan(store.of(ANNA).add_scan(scan())).colours is None


def test_the_same_voxels_are_stored_once_for_everybody(store: RunStore) -> None:
    names = {store.of(owner).add_scan(scan()) for owner in (ANNA, BERT, ANNA)}
    assert len(names) == 1
    assert [path.name for path in (store.root / "scans").iterdir()] == list(names)


def test_somebody_elses_scan_is_not_found_even_by_its_hash(store: RunStore) -> None:
    name = store.of(ANNA).add_scan(scan())
    for ask in (store.of(BERT).scan, store.of(BERT).scan_meta):
        with pytest.raises(BadInput, match="no longer in the store"):
            ask(name)
    assert store.of(BERT).scans() == []


def test_an_upload_is_labelled_from_technical_fields_and_a_shipped_scan_keeps_its_title(store: RunStore) -> None:
    store.of(ANNA).add_scan(scan())
    assert [found.label for found in store.of(ANNA).scans()] == ["MR volume 4×5×6, 2×2×3 mm"]
    film = np.zeros((1, 8, 9), np.float32)
    assert scan_label(Scan(film, np.diag([0.8, 0.8, 1, 1]), modality="DX")) == "DX image 8×9, 0.8 mm"
    assert scan_label(Scan(film, np.eye(4))) == "Image 8×9 px"  # its file does not say how large a pixel is
    store.of(ANNA).add_scan(scan(), title="Demo brain")
    store.of(ANNA).add_scan(scan())
    assert [found.label for found in store.of(ANNA).scans()] == ["Demo brain"]
    assert store.of(ANNA).scan_meta(scan().content_hash)["label"] == "Demo brain"


@pytest.mark.parametrize("name", ["../../etc", "", "a" * 63, "A" * 64, "/" * 64])
def test_names_from_a_link_never_become_paths(store: RunStore, name: str) -> None:
    with pytest.raises(BadInput):
        store.ledger.folder(name)
    with pytest.raises(BadInput):
        store.of(ANNA).scan(name)
    with pytest.raises(BadInput):
        store.of(ANNA).region(name)
    with pytest.raises(BadInput):
        store.of(ANNA).run(name)


@pytest.fixture
def annas(store: RunStore) -> dict[str, Any]:
    """One of everything that somebody can have, and what the parameters of a shelf's methods would be to reach it."""
    shelf = store.of(ANNA)
    film = Scan(np.ones((1, 4, 5), np.float32), np.eye(4))
    there = {"scan": shelf.add_scan(film), "region": shelf.add_region(np.ones((4, 5), dtype=bool))}
    shelf.keep_landmarks(there["scan"], [Landmark("bone", there["region"])])
    there["run"] = shelf.add(CountSpec(), ME)
    store.ledger.claim(there["run"], ME)
    store.ledger.result(there["run"]).mkdir()
    store.ledger.finish(there["run"], Status.DONE)
    return there


def reaching(method: str, annas: dict[str, Any], run: Run) -> dict[str, Any]:
    """What would have to be given to a method of a shelf to reach what is Anna's; `run` is hers."""
    given = {
        "run_id": annas["run"],
        "run": run,
        "content_hash": annas["region" if "region" in method else "scan"],
        "scan": annas["scan"],
        "landmarks": [Landmark("mine", annas["region"])],
        "pinned": True,
        "again": False,
        "limit": 10,
        "title": "mine",
        "timeout": 0.1,
        "server": ME,
        "spec": ExplanationSpec(owner=ANNA, scan=annas["scan"], model="tiny", explainer="saliency"),
        "region": np.zeros((4, 5), dtype=bool),
    }
    if method == "add_scan":
        given["scan"] = Scan(np.zeros((1, 4, 5), np.float32), np.eye(4))
    parameters = list(inspect.signature(getattr(ManagedShelf, method)).parameters)[1:]
    # a new parameter is to be told here what of somebody else's it could name
    return {name: given[name] for name in parameters}


def everything_of(store: RunStore, owner: str) -> list[Any]:
    """Rows and files of an owner, without when they were looked at."""
    found: list[Any] = []
    with store.ledger.database.reading() as connection:
        for table in tables.metadata.sorted_tables:
            if "owner" in table.c:
                columns = [column for column in table.c if column.name != "used"]
                found += connection.execute(select(*columns).where(table.c.owner == owner)).all()
        runs = [row.id for row in connection.execute(select(tables.runs).where(tables.runs.c.owner == owner))]
    return [*found, *sorted(str(path) for run in runs for path in store.ledger.folder(run).rglob("*"))]


METHODS = [name for name, _ in inspect.getmembers(ManagedShelf, inspect.isfunction) if not name.startswith("_")]


@pytest.mark.parametrize("method", METHODS)
def test_no_method_of_a_shelf_reaches_what_is_somebody_elses(
    store: RunStore, start_manager: Callable[..., RunManager], annas: dict[str, Any], method: str
) -> None:
    before = everything_of(store, ANNA)
    shelf = start_manager().shelf(BERT)
    given = reaching(method, annas, store.of(ANNA).run(annas["run"]))
    if method in ("scans", "runs"):
        assert getattr(shelf, method)(**given) == []
    elif method in ("add_scan", "add_region"):
        assert getattr(shelf, method)(**given) not in annas.values()
    else:
        with pytest.raises(BadInput, match=r"no such run here|no longer in the store"):
            getattr(shelf, method)(**given)
    assert everything_of(store, ANNA) == before


def test_a_landmark_cannot_be_made_of_somebody_elses_region(store: RunStore, annas: dict[str, Any]) -> None:
    shelf = store.of(BERT)
    scan = shelf.add_scan(Scan(np.ones((1, 4, 5), np.float32), np.eye(4)))
    assert scan == annas["scan"]
    with pytest.raises(BadInput, match="mark it again"):
        shelf.keep_landmarks(scan, [Landmark("mine", annas["region"])])
    assert shelf.landmarks(scan) == ()
    # whoever marks the very same place has it, too
    assert shelf.add_region(np.ones((4, 5), dtype=bool)) == annas["region"]
    shelf.keep_landmarks(scan, [Landmark("mine", annas["region"])])
    assert shelf.region(annas["region"]).all()


def test_a_request_is_of_the_shelf_it_is_put_on(store: RunStore) -> None:
    run_id = store.of(BERT).add(CountSpec(owner=ANNA), ME)
    assert store.of(ANNA).runs() == []
    assert store.of(BERT).spec(run_id).owner == BERT


def test_a_run_has_one_final_state(store: RunStore) -> None:
    run_id = store.of(ANNA).add(CountSpec(), ME)
    assert store.ledger.claim(run_id, ME)
    assert not store.ledger.claim(run_id, ME)
    assert store.ledger.finish(run_id, Status.FAILED, "It was too much.")
    assert not store.ledger.finish(run_id, Status.DONE)
    run = store.of(ANNA).run(run_id)
    assert (run.status, run.message) == (Status.FAILED, "It was too much.")
    assert run.seconds is not None
    assert run.seconds >= 0


def test_the_spec_comes_back_for_asking_again(store: RunStore) -> None:
    spec = CountSpec(owner=ANNA, steps=7)
    assert store.of(ANNA).spec(store.of(ANNA).add(spec, ME)) == spec


def test_a_region_comes_back_as_marked(store: RunStore) -> None:
    region = np.zeros((4, 5, 6), dtype=bool)
    region[1, 2, 3] = True
    name = store.of(ANNA).add_region(region)
    assert name == store.of(ANNA).add_region(region.astype(np.uint8))
    np.testing.assert_array_equal(store.of(ANNA).region(name), region)
    assert store.of(ANNA).add_region(region.reshape(5, 4, 6)) != name


def test_delete_takes_everything_and_refuses_what_has_not_finished(store: RunStore) -> None:
    run_id = store.of(ANNA).add(CountSpec(), ME)
    with pytest.raises(BadInput, match="cancel it first"):
        store.of(ANNA).delete(run_id)
    store.ledger.finish(run_id, Status.CANCELLED)
    store.of(ANNA).delete(run_id)
    assert not store.ledger.folder(run_id).exists()
    assert store.of(ANNA).runs() == []


def test_a_result_that_was_lost_is_computed_again(store: RunStore) -> None:
    run_id = store.of(ANNA).add(CountSpec(), ME)
    store.ledger.claim(run_id, ME)
    store.ledger.result(run_id).mkdir()
    store.ledger.finish(run_id, Status.DONE)
    assert store.of(ANNA).add(CountSpec(), ME) == run_id
    store.ledger.result(run_id).rmdir()
    assert store.of(ANNA).add(CountSpec(), ME) != run_id


def test_many_equal_requests_at_once_become_one_run(store: RunStore) -> None:
    with ThreadPoolExecutor(40) as pool:
        found = set(pool.map(lambda _: RunStore.open(store.root).of(ANNA).add(CountSpec(), ME), range(40)))
        found |= set(pool.map(lambda _: store.of(ANNA).add(CountSpec(), ME), range(40)))
    assert len(found) == 1
    assert {run.id for run in store.of(ANNA).runs()} == found
    assert {path.name for path in (store.root / "runs").iterdir()} == found


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED, Status.INTERRUPTED])
def test_what_did_not_succeed_is_not_reused(store: RunStore, status: Status) -> None:
    run_id = store.of(ANNA).add(CountSpec(), ME)
    store.ledger.finish(run_id, status)
    assert store.of(ANNA).add(CountSpec(), ME) != run_id


def test_a_full_disk_refuses_a_request_in_a_sentence_and_nothing_is_left(store: RunStore) -> None:
    def no_more_pages(connection: Any, _: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")

    store.ledger.database.engine.dispose()
    event.listen(store.ledger.database.engine, "connect", no_more_pages)
    with pytest.raises(LightboxError, match="disk that holds the store is full"):
        for number in range(1000):
            store.of(ANNA).add(CountSpec(name=f"{number}" * 500), ME)
    assert {path.name for path in (store.root / "runs").iterdir()} >= {run.id for run in store.of(ANNA).runs()}


def test_a_finished_run_can_be_removed_from_a_full_disk(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = store.of(ANNA).add(CountSpec(), ME)
    store.ledger.result(run_id).mkdir()
    store.ledger.finish(run_id, Status.DONE)
    forget = store.ledger._forget

    def needs_room(run: str) -> bool:
        if store.ledger.result(run).exists():
            raise OperationalError("DELETE", {}, Exception("database or disk is full"))
        return forget(run)

    monkeypatch.setattr(store.ledger, "_forget", needs_room)
    store.of(ANNA).delete(run_id)
    assert store.of(ANNA).runs() == []
    assert not store.ledger.folder(run_id).exists()


def test_runs_that_wait_have_places_and_those_that_work_seconds(store: RunStore, monkeypatch) -> None:
    shelf = store.of(ANNA)
    names = [shelf.add(CountSpec(name=name), ME) for name in ("first", "second", "third")]
    assert [shelf.run(name).position for name in names] == [1, 2, 3]
    assert {run.id: run.position for run in shelf.runs()} == dict(zip(names, (1, 2, 3), strict=True))
    waiting = shelf.run(names[0])
    assert (waiting.seconds, waiting.size, waiting.pinned, waiting.cancelling) == (None, 0, False, False)
    store.ledger.claim(names[0], ME)
    assert [shelf.run(name).position for name in names] == [0, 1, 2]
    working = shelf.run(names[0])
    assert working.started is not None
    monkeypatch.setattr("core.runs.store.records.time.time", lambda: working.started + 7)
    assert working.seconds == 7
    assert dataclasses.replace(working, finished=working.started + 3).seconds == 3


@pytest.mark.parametrize(
    "damage", [{"request": "{"}, {"request": "[1]"}, {"request": "\x00\ud7ff"}, {"status": "dnoe"}, {"status": ""}]
)
def test_a_damaged_row_is_seen_and_removed_beside_the_others(store: RunStore, damage: dict[str, str]) -> None:
    mine = store.of(ANNA)
    first, bad, last = (mine.add(CountSpec(name=name), ME) for name in ("first", "bad", "last"))
    for run_id in (first, bad, last):
        store.ledger.claim(run_id, ME)
        store.ledger.finish(run_id, Status.DONE)
    store.ledger.change(tables.runs.c.id == bad, **damage)
    assert [run.id for run in mine.runs()] == [last, bad, first]
    found = mine.run(bad)
    assert (found.kind, found.status) == ("damaged", Status.FAILED)
    assert "remove it" in found.message
    assert RunStore.open(store.root).ledger.unfinished() == []
    mine.delete(bad)
    assert [run.id for run in mine.runs()] == [last, first]


def test_a_process_that_cannot_be_read_is_dead(store: RunStore) -> None:
    mine = store.of(ANNA)
    waiting, working = mine.add(CountSpec(name="waits"), ME), mine.add(CountSpec(name="works"), ME)
    store.ledger.claim(working, ME)
    store.ledger.change(tables.runs.c.id == waiting, server="{")
    store.ledger.change(tables.runs.c.id == working, worker="nobody")
    store.ledger.mark_interrupted()
    store.ledger.adopt_queued(ME)
    assert mine.run(working).status is Status.INTERRUPTED
    assert [run.server for run in store.ledger.unfinished()] == [ME]


def test_runs_are_listed_in_the_order_they_were_asked_for_whatever_the_clock_says(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, real = store.of(ANNA), time.time
    first = mine.add(CountSpec(name="first"), ME)
    store.ledger.claim(first, ME)
    monkeypatch.setattr(time, "time", lambda: real() - 7200)  # summer ends, or a clock is set right
    store.ledger.finish(first, Status.DONE)
    second = mine.add(CountSpec(name="second"), ME)
    assert [run.id for run in mine.runs()] == [second, first]
    assert mine.run(first).seconds == 0
    assert [run.id for run in store.ledger.unfinished()] == [second]


def test_looking_works_while_somebody_holds_the_database(store: RunStore) -> None:
    mine = store.of(ANNA)
    name = mine.add_scan(scan())
    with store.ledger.database.writing() as connection:
        connection.execute(update(tables.scan_access).values(used=0.0))
    with closing(sqlite3.connect(store.root / FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        assert mine.scan(name).shape == (4, 5, 6)
        assert time.monotonic() - began < 5
        other.execute("ROLLBACK")
    assert mine.scan_meta(name)["label"]
    with store.ledger.database.reading() as connection:
        assert connection.execute(select(tables.scan_access.c.used)).scalar_one() > 0


def test_looking_works_on_a_full_disk(store: RunStore) -> None:
    mine = store.of(ANNA)
    name = mine.add_scan(scan())
    with store.ledger.database.writing() as connection:
        connection.execute(update(tables.scan_access).values(used=0.0))

    def full(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE"):
            raise sqlite3.OperationalError("database or disk is full")

    event.listen(store.ledger.database.engine, "before_cursor_execute", full)
    assert mine.scan(name).shape == (4, 5, 6)
    assert mine.scan_meta(name)["label"]
