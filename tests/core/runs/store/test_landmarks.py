import time

import numpy as np
import pytest
from sqlalchemy import update

from core.errors import BadInput
from core.runs.store import database
from core.runs.store.janitor import UNUSED_SECONDS, sweep
from core.runs.store.landmarks import LONGEST_NAME, MOST, Landmark
from core.runs.store.run_store import RunStore
from core.scans import Scan

ANNA, BERT = "anna", "bert"
SHAPE = (6, 5)


def stored_scan(store: RunStore, owner: str = ANNA, seed: int = 0) -> str:
    array = np.random.default_rng(seed).random((1, *SHAPE), dtype=np.float32)
    return store.add_scan(Scan(array, np.eye(4)), owner)


def stored_region(store: RunStore, row: int = 0, shape: tuple[int, ...] = SHAPE) -> str:
    region = np.zeros(shape, dtype=bool)
    region[row] = True
    return store.add_region(region)


def test_landmarks_come_back_in_their_order_also_after_a_restart(store: RunStore) -> None:
    scan = stored_scan(store)
    wanted = (Landmark("marker", stored_region(store, 1)), Landmark("bone", stored_region(store, 0)))
    store.keep_landmarks(scan, ANNA, wanted)
    assert store.landmarks(scan, ANNA) == wanted
    again = RunStore.open(store.root)
    assert again.landmarks(scan, ANNA) == wanted
    again.close()
    store.keep_landmarks(scan, ANNA, wanted[::-1])
    assert store.landmarks(scan, ANNA) == wanted[::-1]
    store.keep_landmarks(scan, ANNA, ())
    assert store.landmarks(scan, ANNA) == ()


def test_each_owner_and_each_scan_has_landmarks_of_its_own(store: RunStore) -> None:
    scan, other = stored_scan(store), stored_scan(store, seed=1)
    stored_scan(store, BERT)
    store.keep_landmarks(scan, ANNA, [Landmark("bone", stored_region(store))])
    assert store.landmarks(scan, BERT) == ()
    assert store.landmarks(other, ANNA) == ()
    store.keep_landmarks(scan, BERT, [Landmark("bone", stored_region(store, 3))])
    assert store.landmarks(scan, ANNA)[0].region == stored_region(store)


def test_of_a_scan_of_somebody_else_nothing_is_read_or_kept(store: RunStore) -> None:
    scan = stored_scan(store)
    with pytest.raises(BadInput, match="no longer in the store"):
        store.landmarks(scan, BERT)
    with pytest.raises(BadInput, match="no longer in the store"):
        store.keep_landmarks(scan, BERT, [Landmark("bone", stored_region(store))])


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
    store.keep_landmarks(scan, ANNA, [Landmark("before", region)])
    with pytest.raises(BadInput, match=sentence):
        store.keep_landmarks(scan, ANNA, [Landmark(name, region) for name in names])
    assert [landmark.name for landmark in store.landmarks(scan, ANNA)] == ["before"]


def test_a_name_is_kept_on_one_line_without_what_cannot_be_seen(store: RunStore) -> None:
    scan = stored_scan(store)
    store.keep_landmarks(scan, ANNA, [Landmark("left\n\x00 <b>hand</b>\u202e", stored_region(store))])
    assert store.landmarks(scan, ANNA)[0].name == "left <b>hand</b>"


def test_a_region_of_another_size_or_that_is_gone_is_refused(store: RunStore) -> None:
    scan = stored_scan(store)
    with pytest.raises(BadInput, match="another size"):
        store.keep_landmarks(scan, ANNA, [Landmark("bone", stored_region(store, shape=(5, 6)))])
    for name in ("0" * 64, "../../etc/passwd"):
        with pytest.raises(BadInput, match="mark it again"):
            store.keep_landmarks(scan, ANNA, [Landmark("bone", name)])


def test_the_janitor_leaves_regions_alone_as_long_as_their_scan_is_there(store: RunStore) -> None:
    scan = stored_scan(store)
    kept, free = stored_region(store, 0), stored_region(store, 1)
    store.keep_landmarks(scan, ANNA, [Landmark("bone", kept)])
    moment = time.time() + 2 * UNUSED_SECONDS
    with store.engine.begin() as connection:  # somebody looks at the scan now; the regions are as old as can be
        connection.execute(update(database.scan_access).values(used=moment))
    sweep(store, 1, now=moment)
    assert not store._regions.path(free).exists()
    assert store.region(store.landmarks(scan, ANNA)[0].region).any()
    # nobody has looked at the scan for long: it goes, and then what only it held
    sweep(store, 1, now=moment + 2 * UNUSED_SECONDS)
    sweep(store, 1, now=moment + 2 * UNUSED_SECONDS)
    assert not store._regions.path(kept).exists()
    with pytest.raises(BadInput, match="open its file again"):
        store.landmarks(scan, ANNA)
    # opened once more, it has no landmark whose region is missing
    assert store.landmarks(stored_scan(store), ANNA) == ()
