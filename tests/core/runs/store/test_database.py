"""Stores that cannot be used as they are: one sentence each, and nothing is lost."""

import contextlib
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, inspect

from core.errors import LightboxError
from core.runs.execution.inline import InlineWorker
from core.runs.execution.manager import RunManager
from core.runs.spec import LOCAL_OWNER
from core.runs.store import database, migrations, tables
from core.runs.store.database import StoreBusy
from core.runs.store.identity import ProcessIdentity
from core.runs.store.store import RunStore
from core.settings import ROOT
from tests.core.runs.toykinds import CountSpec

ME = ProcessIdentity.of()
NOBODY = 65534


@pytest.fixture
def filled(store: RunStore) -> Path:
    """Folder of a store with one run, closed."""
    store.of(LOCAL_OWNER).add(CountSpec(name="there"), ME)
    store.close()
    return store.root


def sql(root: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(root / "lightbox.db")) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def content(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def refusal(root: Path) -> str:
    """The sentence with which a store is refused; it loses nothing by it, and nobody is told to remove it."""
    before = content(root)
    with pytest.raises(LightboxError) as told:
        RunStore.open(root)
    assert content(root).items() >= before.items()
    sentence = str(told.value)
    assert sentence.count("\n") == 0
    assert sentence.endswith(".")
    assert "remove" not in sentence
    return sentence


def test_a_store_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LightboxError, match="LIGHTBOX_STORE_PATH"):
        RunStore.open(tmp_path / "file" / "store")


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "lightbox.db").write_bytes(b"not a database at all" * 100)
    assert "is damaged (file is not a database): put back a copy" in refusal(tmp_path)


def test_a_folder_in_the_place_of_the_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "lightbox.db").mkdir()
    assert "cannot be opened (unable to open database file)" in refusal(tmp_path)


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    sql(tmp_path, "CREATE TABLE songs (title)", "PRAGMA journal_mode = WAL")
    assert "is no store of Lightbox" in refusal(tmp_path)


def test_a_database_with_holes_is_named(filled: Path) -> None:
    file = filled / "lightbox.db"
    whole = file.read_bytes()
    file.write_bytes(whole[:5000] + bytes(len(whole) - 5000))
    assert "is damaged" in refusal(filled)
    file.write_bytes(whole)
    assert len(RunStore.open(filled).of(LOCAL_OWNER).runs()) == 1


def test_a_store_of_a_later_version_says_so_and_is_not_changed(filled: Path) -> None:
    sql(filled, f"PRAGMA user_version = {tables.VERSION + 1}")
    assert "was made by a later version of Lightbox: install that version" in refusal(filled)


def test_a_later_version_is_known_also_by_its_last_change(filled: Path) -> None:
    sql(filled, "PRAGMA user_version = 1", "UPDATE alembic_version SET version_num = '0099'")
    assert "was made by a later version of Lightbox" in refusal(filled)


def test_tables_that_something_else_has_changed_are_named_before_they_are_read(filled: Path) -> None:
    sql(filled, "ALTER TABLE runs DROP COLUMN pinned")
    assert "is damaged (runs.pinned is missing)" in refusal(filled)


def test_runs_whose_database_is_gone_are_not_taken_for_leftovers(filled: Path) -> None:
    (filled / "lightbox.db").rename(filled / "elsewhere.db")
    assert "holds runs, but its database lightbox.db is gone: put it back" in refusal(filled)
    (filled / "elsewhere.db").replace(filled / "lightbox.db")
    assert len(RunStore.open(filled).of(LOCAL_OWNER).runs()) == 1


# ---- locked


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)


@contextlib.contextmanager
def held(root: Path, *statements: str) -> Iterator[None]:
    """Another program that holds the database as `statements` say."""
    with contextlib.closing(sqlite3.connect(root / "lightbox.db", isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
        yield


def test_a_store_that_another_program_keeps_to_itself_is_locked(filled: Path, impatient: None) -> None:
    with held(filled, "PRAGMA locking_mode = EXCLUSIVE", "BEGIN EXCLUSIVE", "UPDATE runs SET size = 0"):
        assert "Another program keeps the store store locked: close it, or try again" in refusal(filled)
    assert len(RunStore.open(filled).of(LOCAL_OWNER).runs()) == 1


def test_opening_and_looking_do_not_wait_for_a_writer_and_writing_says_so(filled: Path, impatient: None) -> None:
    with held(filled, "BEGIN IMMEDIATE"):
        shelf = RunStore.open(filled).of(LOCAL_OWNER)
        [run] = shelf.runs()
        with pytest.raises(StoreBusy, match="keeps the store store locked"):
            shelf.pin(run.id)
    shelf.pin(run.id)
    assert shelf.run(run.id).pinned


def test_an_upgrade_that_cannot_begin_says_so(filled: Path, impatient: None) -> None:
    sql(filled, "PRAGMA user_version = 1")
    with held(filled, "BEGIN IMMEDIATE"):
        assert "keeps the store store locked" in refusal(filled)
    RunStore.open(filled)


# ---- not writable


@pytest.fixture
def shelved(filled: Path) -> Iterator[Path]:
    """The store in a folder that everybody can enter and nobody can write to."""
    place = Path(tempfile.mkdtemp())
    root = place / "store"
    shutil.copytree(filled, root)
    place.chmod(0o755)
    _forbid_writing(root)
    yield root
    for path in [root, *root.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    shutil.rmtree(place)


def _forbid_writing(root: Path) -> None:
    for path in [*root.rglob("*"), root]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    assert not stat.S_IMODE(root.stat().st_mode) & 0o222


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Be somebody who may not write to what this user owns; only root has to pretend."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def test_a_store_that_is_not_writable_can_be_looked_at(shelved: Path) -> None:
    before = content(shelved)
    with as_nobody():
        store = RunStore.open(shelved)
        shelf = store.of(LOCAL_OWNER)
        [run] = shelf.runs()
        assert store.read_only
        assert (run.title, shelf.progress(run.id).fraction) == ("count to 3", 0.0)
        with pytest.raises(LightboxError, match="The store store can only be looked at: make it writable"):
            shelf.pin(run.id)
        store.close()
    assert content(shelved) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="needs two users")
def test_a_store_of_somebody_who_works_with_it_shows_what_is_true(shelved: Path) -> None:
    for path in (shelved, shelved / "lightbox.db"):
        path.chmod(0o755)
    working = RunStore.open(shelved)
    shelved.chmod(0o755)  # opening closes it to others; whoever wants them to look opens it again
    [run] = working.of(LOCAL_OWNER).runs()
    working.of(LOCAL_OWNER).pin(run.id)  # in the log beside the file, not yet in it
    assert (shelved / "lightbox.db-wal").stat().st_size > 0
    with as_nobody():
        looking = RunStore.open(shelved)
        assert looking.read_only
        assert looking.of(LOCAL_OWNER).run(run.id).pinned
        looking.close()
    working.close()


def test_an_earlier_store_that_is_not_writable_is_not_upgraded(shelved: Path) -> None:
    shelved.chmod(0o755)
    (shelved / "lightbox.db").chmod(0o644)
    sql(shelved, "PRAGMA user_version = 1")
    _forbid_writing(shelved)
    with as_nobody():
        assert "is of an earlier version and cannot be upgraded where it is" in refusal(shelved)


def test_a_manager_of_a_store_that_can_only_be_looked_at_starts_nothing(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_is_read_only", lambda root: True)
    store = RunStore.open(filled)
    manager = RunManager(store, InlineWorker(store))
    with pytest.raises(LightboxError, match="can only be looked at"):
        manager.submit(CountSpec())
    [run] = manager.shelf(LOCAL_OWNER).runs()
    with pytest.raises(LightboxError, match="can only be looked at"):
        manager.cancel(run.id, LOCAL_OWNER)
    manager.close()
    assert manager.shelf(LOCAL_OWNER).run(run.id).status == "queued"
    store.close()


def test_a_disk_that_becomes_read_only_is_told_in_a_sentence(store: RunStore) -> None:
    run_id = store.of(LOCAL_OWNER).add(CountSpec(), ME)
    with store.ledger.database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
    with pytest.raises(LightboxError, match="can only be looked at"):
        store.of(LOCAL_OWNER).pin(run_id)


# ---- quick


def test_the_migrations_end_in_the_tables_that_a_new_store_has(store: RunStore, tmp_path: Path) -> None:
    wanted = create_engine(f"sqlite:///{store.root / 'lightbox.db'}")
    made = create_engine(f"sqlite:///{tmp_path / 'upgraded.db'}")
    with made.begin() as connection:
        migrations.upgrade(connection)

    def shape(engine: Engine, table: str) -> list[object]:
        seen = inspect(engine)
        columns = {
            each["name"]: (str(each["type"]), each["nullable"], each["primary_key"]) for each in seen.get_columns(table)
        }
        indexes = {each["name"]: each["column_names"] for each in seen.get_indexes(table)}
        return [columns, indexes]

    for table in tables.metadata.tables:
        assert shape(made, table) == shape(wanted, table)
    wanted.dispose()
    made.dispose()


def test_opening_a_store_that_is_up_to_date_writes_nothing_and_imports_nothing_heavy(filled: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from core.runs import RunStore; RunStore.open(Path(sys.argv[1]));"
        "print([name for name in ('torch', 'alembic', 'mako') if name in sys.modules])"
    )
    before = content(filled)
    ended = subprocess.run([sys.executable, "-c", code, filled], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
    assert content(filled) == before
