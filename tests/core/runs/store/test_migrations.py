"""A store of an earlier version becomes one of this version with everything in it, whatever happens meanwhile."""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from core.errors import BadInput
from core.runs.store import migrations, tables
from core.runs.store.database import open_database
from core.runs.store.janitor import UNUSED_SECONDS, sweep
from core.runs.store.store import RunStore
from core.settings import ROOT

SAMPLES = Path(__file__).parent / "samples"
OWNERS = ("local", "anna")


@pytest.fixture(params=sorted(path.name for path in SAMPLES.glob("version_*")))
def sample(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of a store as an earlier version left it."""
    return Path(shutil.copytree(SAMPLES / request.param, tmp_path / "store"))


@pytest.fixture
def known(sample: Path) -> Any:
    return json.loads((sample / "contents.json").read_text())


def version_of(root: Path) -> int:
    with closing(sqlite3.connect(root / "lightbox.db")) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def rows_of(root: Path) -> dict[str, list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(root / "lightbox.db")) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall()) for name in names}


def test_everything_is_found_again(sample: Path, known: Any) -> None:
    before = rows_of(sample)
    store = RunStore.open(sample)
    assert version_of(sample) == tables.VERSION
    after = rows_of(sample)
    assert {name: after[name] for name in before if name != "alembic_version"} == {
        name: rows for name, rows in before.items() if name != "alembic_version"
    }
    for owner in OWNERS:
        shelf = store.of(owner)
        wanted = {run["id"]: run for run in known["runs"].values() if run["owner"] == owner}
        assert {run.id for run in shelf.runs()} == set(wanted)
        for run in shelf.runs():
            assert {name: getattr(run, name) for name in wanted[run.id]} == wanted[run.id]
            assert shelf.spec(run.id).model_dump(mode="json").items() >= {"owner": owner}.items()
        assert shelf.runs()
    assert store.of("somebody else").runs() == []
    store.close()


def test_every_result_opens(sample: Path, known: Any) -> None:
    store = RunStore.open(sample)
    runs = known["runs"]
    mine, annas = store.of("local"), store.of("anna")
    for name, shelf in (("explanation", mine), ("anna's explanation", annas), ("mask", mine), ("trace", mine)):
        explanation = shelf.explanation(runs[name]["id"])
        assert explanation.sentence
        assert np.isfinite(explanation.arrays["map"].values).all()
        assert shelf.progress(runs[name]["id"]).fraction == 1.0
    assert mine.explanation(runs["explanation"]["id"]).scores["before"].keys() == {"CN", "AD"}
    assert mine.explanation(runs["mask"]["id"]).history["iteration"]
    assert mine.explanation(runs["filters"]["id"]).record["numbers"]
    assert mine.study(runs["study"]["id"]).sentence
    with pytest.raises(BadInput, match="This run is failed"):
        mine.explanation(runs["failed"]["id"])
    store.close()


def test_every_scan_and_landmark_is_there_for_its_owner(sample: Path, known: Any) -> None:
    store = RunStore.open(sample)
    mine, annas = store.of("local"), store.of("anna")
    scans, regions = known["scans"], known["regions"]
    assert {scan.hash: scan.label for scan in mine.scans()} == {
        scans["volume"]: "Demo volume",
        scans["film"]: "DX image 16×20 px",
    }
    assert {scan.hash for scan in annas.scans()} == {scans["film"], scans["picture"]}
    volume = mine.scan(scans["volume"])
    assert (volume.shape, volume.modality, volume.notes) == ((6, 5, 4), "MR", ("gantry tilt of 12°",))
    assert volume.source is not None
    assert annas.scan(scans["picture"]).colours.shape == (3, 8, 9)
    [landmark] = mine.landmarks(scans["film"])
    assert (landmark.name, landmark.region) == ("left <b>hand</b>", regions["of my landmark"])
    [landmark] = annas.landmarks(scans["film"])
    assert (landmark.name, landmark.region) == ("bone", regions["of anna's landmark"])
    store.close()


def test_regions_stay_with_those_whose_runs_or_landmarks_refer_to_them(sample: Path, known: Any) -> None:
    store = RunStore.open(sample)
    regions = known["regions"]
    readable = {
        owner: {name for name, content in regions.items() if _readable(store, owner, content)}
        for owner in (*OWNERS, "somebody else")
    }
    assert readable == {
        "local": {"of my landmark", "of my run"},
        "anna": {"of anna's landmark"},
        "somebody else": set(),
    }
    sweep(store, 1, now=time.time() + 2 * UNUSED_SECONDS)
    assert store.of("local").region(regions["of my run"]).sum() == 15  # the pinned run still reads it
    assert not store.regions.path(regions["of nobody"]).exists()
    store.close()


def _readable(store: RunStore, owner: str, content: str) -> bool:
    try:
        return bool(store.of(owner).region(content).any())
    except BadInput:
        return False


def test_what_it_was_stays_beside_it(sample: Path) -> None:
    before, version = rows_of(sample), version_of(sample)
    RunStore.open(sample).close()
    copy = sample / f"lightbox.version-{version}.db"
    copy.replace(sample / "lightbox.db")
    assert rows_of(sample) == before
    assert version_of(sample) == version
    RunStore.open(sample).close()
    assert version_of(sample) == tables.VERSION
    assert list(sample.glob(".tmp-*")) == []


def test_an_upgraded_store_and_a_new_one_have_the_same_tables(sample: Path, tmp_path: Path) -> None:
    RunStore.open(sample).close()
    RunStore.open(tmp_path / "new").close()
    assert _schema(sample) == _schema(tmp_path / "new")


def test_a_list_of_runs_knows_what_earlier_ones_were_and_finds_out_how_they_came_out(sample: Path, known: Any) -> None:
    with closing(sqlite3.connect(sample / "lightbox.db")) as connection:
        connection.execute("UPDATE runs SET request = '{' WHERE id = ?", (known["runs"]["failed"]["id"],))
        connection.commit()
    store = RunStore.open(sample)
    table, mine = store.of("local").table, {run["id"] for run in known["runs"].values() if run["owner"] == "local"}
    rows = {row.run.id: row for row in table.page()}
    assert set(rows) == mine
    mask = rows[known["runs"]["mask"]["id"]]
    assert (mask.method, mask.scan, mask.verdict) == ("mask", known["scans"]["film"], "")
    assert mask.scan_name == "DX image 16×20 px"
    assert rows[known["runs"]["study"]["id"]].method
    assert rows[known["runs"]["failed"]["id"]].run.kind == "damaged"
    waiting = store.ledger.not_looked_at(100)
    assert set(waiting) == {run["id"] for run in known["runs"].values() if run["status"] == "done"}
    for run_id in waiting:
        store.ledger.note_outcome(run_id)
    (mask,) = table.rows([mask.run.id])
    scores = store.of("local").explanation(mask.run.id).scores
    assert (mask.before, mask.after) == (scores["before"][mask.target], scores["after"][mask.target])
    assert mask.verdict == store.of("local").explanation(mask.run.id).verdict.state
    assert mask.model == Path(mask.run.request["model"]).name
    store.close()


def _schema(root: Path) -> dict[str, Any]:
    with closing(sqlite3.connect(root / "lightbox.db")) as connection:
        objects = connection.execute("SELECT type, name, tbl_name FROM sqlite_master ORDER BY name").fetchall()
        named = [name for kind, name, _ in objects if kind in ("table", "index")]
        facts = {name: connection.execute(f"PRAGMA table_info({name})").fetchall() for name in named}
        facts |= {f"{name} index": connection.execute(f"PRAGMA index_info({name})").fetchall() for name in named}
        facts["alembic"] = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    return {"objects": objects, "facts": facts}


def test_the_last_change_is_the_version_of_the_tables() -> None:
    found = sorted(path.name[1:5] for path in Path(migrations.__file__).parent.glob("versions/v*.py"))
    assert found == [migrations.revision(number) for number in range(1, tables.VERSION + 1)]


def test_a_store_that_was_half_changed_by_hand_comes_out_right(sample: Path, known: Any) -> None:
    """As a tool without transactions would leave it: the new table is there, and empty."""
    with closing(sqlite3.connect(sample / "lightbox.db")) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS region_access (owner VARCHAR NOT NULL, region VARCHAR NOT NULL, "
            "used FLOAT NOT NULL, PRIMARY KEY (owner, region))"
        )
        connection.commit()
    store = RunStore.open(sample)
    assert store.of("local").region(known["regions"]["of my run"]).any()
    store.close()


# ---- several at once, and cut off

HALTING = """
import sys, time
from pathlib import Path
from sqlalchemy import Engine, event
from core.runs.store.store import RunStore

@event.listens_for(Engine, "after_cursor_execute")
def halt(connection, cursor, statement, *_):
    if sys.argv[2] in statement:
        print("halted", flush=True)
        time.sleep(600)

RunStore.open(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("statement", ["INSERT OR IGNORE INTO run_facts", "UPDATE alembic_version", "user_version ="])
def test_an_upgrade_that_was_killed_goes_on(sample: Path, known: Any, statement: str) -> None:
    before, version = rows_of(sample), version_of(sample)
    command = [sys.executable, "-c", HALTING, str(sample), statement]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as upgrading:
        assert upgrading.stdout is not None
        assert upgrading.stdout.readline() == "halted\n"
        upgrading.send_signal(signal.SIGKILL)
    assert rows_of(sample) == before
    assert version_of(sample) == version
    test_everything_is_found_again(sample, known)


def test_of_many_processes_that_open_it_at_once_one_upgrades_it(sample: Path, known: Any) -> None:
    code = (
        "import sys; from pathlib import Path; from core.runs.store.store import RunStore;"
        "store = RunStore.open(Path(sys.argv[1])); print(len(store.of('local').runs()), 'alembic' in sys.modules)"
    )
    begun = [
        subprocess.Popen([sys.executable, "-c", code, str(sample)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    told = [process.communicate(timeout=60)[0].split() for process in begun]
    mine = sum(run["owner"] == "local" for run in known["runs"].values())
    assert [line[0] for line in told] == [str(mine)] * 6
    assert [line[1] for line in told].count("True") == 1


def test_a_change_that_fails_leaves_the_store_as_it_was(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, version = rows_of(sample), version_of(sample)
    upgrade = migrations.upgrade

    def fail(connection: Any) -> None:
        upgrade(connection)
        connection.execute(text("DELETE FROM runs"))
        raise ZeroDivisionError

    monkeypatch.setattr(migrations, "upgrade", fail)
    with pytest.raises(ZeroDivisionError):
        open_database(sample)
    monkeypatch.undo()
    assert rows_of(sample) == before
    assert version_of(sample) == version
    RunStore.open(sample).close()
