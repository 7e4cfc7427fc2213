import time

import numpy as np
import pytest
from sqlalchemy import update

from core.errors import BadInput
from core.runs.store import tables
from core.runs.store.janitor import UNUSED_SECONDS, sweep
from core.runs.store.landmarks import LONGEST_NAME, MOST, Landmark
from core.runs.store.store import RunStore
from core.scans import Scan

ANNA, BERT = "anna", "bert"
SHAPE = (6, 5)


def stored_scan(store: RunStore, owner: str = ANNA, seed: int = 0) -> str:
    array = np.random.default_rng(seed).random((1, *SHAPE), dtype=np.float32)
    return store.of(owner).add_scan(Scan(array, np.eye(4)))


def stored_region(store: RunStore, row: int = 0, shape: tuple[int, ...] = SHAPE, owner: str = ANNA) -> str:
    region = np.zeros(shape, dtype=bool)
    region[row] = True
    return store.of(owner).add_region(region)


def test_landmarks_come_back_in_their_order_also_after_a_restart(store: RunStore) -> None:
    scan = stored_scan(store)
    wanted = (Landmark("marker", stored_region(store, 1)), Landmark("bone", stored_region(store, 0)))
    store.of(ANNA).keep_landmarks(scan, wanted)
    assert store.of(ANNA).landmarks(scan) == wanted
    again = RunStore.open(store.root)
    assert again.of(ANNA).landmarks(scan) == wanted
    again.close()
    store.of(ANNA).keep_landmarks(scan, wanted[::-1])
    assert store.of(ANNA).landmarks(scan) == wanted[::-1]
    store.of(ANNA).keep_landmarks(scan, ())
    assert store.of(ANNA).landmarks(scan) == ()


def test_each_owner_and_each_scan_has_landmarks_of_its_own(store: RunStore) -> None:
    scan, other = stored_scan(store), stored_scan(store, seed=1)
    stored_scan(store, BERT)
    store.of(ANNA).keep_landmarks(scan, [Landmark("bone", stored_region(store))])
    assert store.of(BERT).landmarks(scan) == ()
    assert store.of(ANNA).landmarks(other) == ()
    store.of(BERT).keep_landmarks(scan, [Landmark("bone", stored_region(store, 3, owner=BERT))])
    assert store.of(ANNA).landmarks(scan)[0].region == stored_region(store)


def test_of_a_scan_of_somebody_else_nothing_is_read_or_kept(store: RunStore) -> None:
    scan = stored_scan(store)
    with pytest.raises(BadInput, match="no longer in the store"):
        store.of(BERT).landmarks(scan)
    with pytest.raises(BadInput, match="no longer in the store"):
        store.of(BERT).keep_landmarks(scan, [Landmark("bone", stored_region(store))])


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["bone", " bone "], "of this name already"),
        (["  \n "], "needs a name"),
        (["x" * (LONGEST_NAME + 1)], "at most 40 letters"),
        ([f"bone {number}" for number in range(MOST + 1)], "at most 24 landmarks"),
    ],
)
def test_names_that_cannot_be_kept_are_told_in_a_sentence(store: RunStore, names: list[str], sentence: str) -> None:
    scan, region = stored_scan(store), stored_region(store)
    store.of(ANNA).keep_landmarks(scan, [Landmark("before", region)])
    with pytest.raises(BadInput, match=sentence):
        store.of(ANNA).keep_landmarks(scan, [Landmark(name, region) for name in names])
    assert [landmark.name for landmark in store.of(ANNA).landmarks(scan)] == ["before"]


def test_a_name_is_kept_on_one_line_without_what_cannot_be_seen(store: RunStore) -> None:
    scan = stored_scan(store)
    store.of(ANNA).keep_landmarks(scan, [Landmark("left\n\x00 <b>hand</b>\u202e", stored_region(store))])
    assert store.of(ANNA).landmarks(scan)[0].name == "left <b>hand</b>"


def test_a_region_of_another_size_or_that_is_gone_is_refused(store: RunStore) -> None:
    scan = stored_scan(store)
    with pytest.raises(BadInput, match="another size"):
        store.of(ANNA).keep_landmarks(scan, [Landmark("bone", stored_region(store, shape=(5, 6)))])
    for name in ("0" * 64, "../../etc/passwd"):
        with pytest.raises(BadInput, match="mark it again"):
            store.of(ANNA).keep_landmarks(scan, [Landmark("bone", name)])


def test_the_janitor_leaves_regions_alone_as_long_as_their_scan_is_there(store: RunStore) -> None:
    scan = stored_scan(store)
    kept, free = stored_region(store, 0), stored_region(store, 1)
    store.of(ANNA).keep_landmarks(scan, [Landmark("bone", kept)])
    moment = time.time() + 2 * UNUSED_SECONDS
    with (
        store.ledger.database.writing() as connection
    ):  # somebody looks at the scan now; the regions are as old as can be
        connection.execute(update(tables.scan_access).values(used=moment))
    sweep(store, 1, now=moment)
    assert not store.regions.path(free).exists()
    assert store.of(ANNA).region(store.of(ANNA).landmarks(scan)[0].region).any()
    # nobody has looked at the scan for long: it goes, and then what only it held
    sweep(store, 1, now=moment + 2 * UNUSED_SECONDS)
    sweep(store, 1, now=moment + 2 * UNUSED_SECONDS)
    assert not store.regions.path(kept).exists()
    with pytest.raises(BadInput, match="open its file again"):
        store.of(ANNA).landmarks(scan)
    # opened once more, it has no landmark whose region is missing
    assert store.of(ANNA).landmarks(stored_scan(store)) == ()
