import numpy as np
import pytest

from core.errors import BadInput
from core.runs.store import tables
from core.runs.store.identity import ProcessIdentity
from core.runs.store.landmarks import Landmark
from core.runs.store.records import Status
from core.runs.store.store import RunStore
from core.scans import Scan
from tests.core.runs.toykinds import CountSpec

ME = ProcessIdentity.of()
ANNA, BERT = "anna", "bert"


def scan_of(seed: int = 0) -> Scan:
    return Scan(np.random.default_rng(seed).random((1, 4, 5, 6), np.float32), np.eye(4), modality="MR")


def reading(store: RunStore, owner: str, scan: str) -> str:
    """A run of the owner's that reads a scan."""
    run_id = store.of(owner).add(CountSpec(name=scan), ME)
    with store.ledger.database.writing() as connection:
        connection.execute(tables.references.insert().values(run=run_id, content=scan))
    return run_id


def test_a_scan_is_called_by_its_name_and_by_what_it_is_without_one(store: RunStore) -> None:
    shelf = store.of(ANNA)
    scan, other = shelf.add_scan(scan_of()), shelf.add_scan(scan_of(1))
    shelf.scan_table.describe(scan, "  Left\nhip ", " before the operation ")
    found = {one.hash: one for one in shelf.scans()}
    title = "MR volume 4×5×6, 1 mm"
    assert (found[scan].label, found[scan].name, found[scan].title) == ("Left hip", "Left hip", title)
    assert found[scan].note == "before the operation"
    assert (found[other].label, found[other].name, found[other].note) == (title, "", "")
    assert (shelf.scan_meta(scan)["label"], shelf.scan_meta(scan)["title"]) == ("Left hip", title)
    assert shelf.scan_table.names() == {scan: "Left hip", other: title}
    shelf.add_scan(scan_of())  # opened again, it keeps its name
    assert shelf.scan_meta(scan)["label"] == "Left hip"
    shelf.scan_table.describe(scan, "", "")
    assert shelf.scan_meta(scan)["label"] == title
    with pytest.raises(BadInput, match="at most 120"):
        shelf.scan_table.describe(scan, "x" * 121, "")


def test_names_are_the_owners(store: RunStore) -> None:
    scan = store.of(ANNA).add_scan(scan_of())
    with pytest.raises(BadInput, match="open its file again"):
        store.of(BERT).scan_table.describe(scan, "mine", "")
    with pytest.raises(BadInput, match="open its file again"):
        store.of(BERT).scan_table.forget(scan)
    store.of(BERT).add_scan(scan_of())
    store.of(ANNA).scan_table.describe(scan, "Anna's", "")
    store.of(BERT).scan_table.describe(scan, "Bert's", "")
    assert store.of(ANNA).scan_meta(scan)["label"] == "Anna's"
    assert store.of(BERT).scan_table.names() == {scan: "Bert's"}


def test_a_forgotten_scan_is_gone_with_all_that_was_made_of_it(store: RunStore) -> None:
    shelf = store.of(ANNA)
    scan, kept = shelf.add_scan(scan_of()), shelf.add_scan(scan_of(1))
    shelf.scan_table.describe(scan, "name", "note")
    shelf.keep_landmarks(scan, [Landmark("spot", shelf.add_region(np.ones((4, 5, 6), bool)))])
    run, trashed, other = (reading(store, ANNA, name) for name in (scan, scan + " ", kept))
    with store.ledger.database.writing() as connection:
        connection.execute(tables.references.insert().values(run=trashed, content=scan))
    for run_id in (run, trashed, other):
        store.ledger.finish(run_id, Status.CANCELLED)
    shelf.table.throw_away([trashed])
    assert sorted(shelf.scan_table.runs_of(scan)) == sorted([run, trashed])
    shelf.scan_table.forget(scan)
    assert not store.scans.path(scan).exists()
    assert [one.hash for one in shelf.scans()] == [kept]
    assert [one.id for one in shelf.runs()] == [other]
    assert shelf.table.take_back([trashed]) == []
    shelf.add_scan(scan_of())
    assert shelf.scan_meta(scan)["label"] == "MR volume 4×5×6, 1 mm"
    assert shelf.landmarks(scan) == ()


def test_voxels_of_somebody_else_stay(store: RunStore) -> None:
    scan = store.of(ANNA).add_scan(scan_of())
    store.of(BERT).add_scan(scan_of())
    theirs = reading(store, BERT, scan)
    store.of(ANNA).scan_table.forget(scan)
    assert store.of(BERT).scan(scan).shape == (4, 5, 6)
    assert store.of(BERT).run(theirs)
    with pytest.raises(BadInput):
        store.of(ANNA).scan(scan)


def test_a_scan_whose_run_goes_on_is_not_forgotten(store: RunStore) -> None:
    shelf = store.of(ANNA)
    scan = shelf.add_scan(scan_of())
    run = reading(store, ANNA, scan)
    with pytest.raises(BadInput, match="cancel it first"):
        shelf.scan_table.forget(scan)
    assert shelf.scan(scan).shape == (4, 5, 6)
    store.ledger.finish(run, Status.CANCELLED)
    shelf.scan_table.forget(scan)
    assert shelf.runs() == []
