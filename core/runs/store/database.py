"""The store's database: one SQLite file that several processes share, opened, brought up to date, or told why not."""

import contextlib
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError

from core.errors import LightboxError
from core.files import full_disk_as_sentence, temporary_beside
from core.runs.store import migrations, tables

#: Seconds to wait for another process that is writing.
BUSY_SECONDS = 15.0

#: The same for what may as well be lost.
_NOTE_SECONDS = 0.2

FILE = "lightbox.db"

#: What the folder of a run is called.
RUN_ID = re.compile(r"[0-9a-f]{16}")

_ELSEWHERE = "set LIGHTBOX_STORE_PATH to another folder"


class StoreBusy(LightboxError):  # noqa: N818 - it passes
    """Another program holds the database; the same may work a moment later."""


class Database:
    """The open database of a store, safe to share between threads; made by `open_database`.

    Parameters
    ----------
    root : pathlib.Path
        Folder of the store, absolute.
    engine : sqlalchemy.Engine
        On its file.
    read_only : bool
        Whether the store can only be looked at.
    """

    def __init__(self, root: Path, engine: Engine, read_only: bool = False) -> None:
        self.root = root
        self.read_only = read_only
        self.engine = engine
        self._reader = engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that looks and never waits for a writer.

        Raises
        ------
        LightboxError
            When the file cannot be read (any more).
        """
        with _as_sentence(self.root), self._reader.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that holds the write lock; what is done in it is there as a whole or not at all.

        Raises
        ------
        LightboxError
            When the store can only be looked at.
        StoreBusy
            When another program has held the lock for too long.
        sqlalchemy.exc.DatabaseError
            When the disk is full.
        """
        if self.read_only:
            raise LightboxError(_not_writable(self.root))
        with _as_sentence(self.root), self.engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def noting(self) -> Iterator[Connection]:
        """A connection for one statement that may be lost: who only looks neither waits for a lock nor fails for it."""
        with contextlib.suppress(DatabaseError, sqlite3.Error), self._reader.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {_NOTE_SECONDS * 1000:.0f}")
            try:
                yield connection
            finally:
                connection.exec_driver_sql(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}")

    def close(self) -> None:
        """Let go of the file."""
        self.engine.dispose()


def open_database(root: Path) -> Database:
    """Database of the store in folder `root`: made when there is none, upgraded when it is of an earlier version.

    One that is up to date is not written to, so that opening it never waits. An earlier one is upgraded in a single
    transaction, by whichever process comes first; a copy of what it was stays beside it.

    Parameters
    ----------
    root : pathlib.Path
        The folder; it is there.

    Raises
    ------
    LightboxError
        One sentence: the file is no database, is damaged, is in use, is of a later version, or has to be written and
        cannot be. Nothing was changed then.
    """
    root = root.resolve()
    read_only = _is_read_only(root)
    database = Database(root, create_engine(_read_only_url(root) if read_only else _url(root)), read_only)
    event.listen(database.engine, "connect", _look_only if read_only else _configure)
    event.listen(database.engine, "begin", _begin_immediate)
    try:
        with full_disk_as_sentence():
            with database.reading() as connection:
                version = _version(connection, root)
            if version != tables.VERSION:
                _bring_up_to_date(database)
            with database.reading() as connection:
                _check(connection, root)
    except BaseException:
        database.close()
        raise
    return database


# ---- opening


def _is_read_only(root: Path) -> bool:
    file = root / FILE
    return file.exists() and not (os.access(root, os.W_OK) and os.access(file, os.W_OK))


def _url(root: Path) -> URL:
    return URL.create("sqlite", database=str(root / FILE))


def _read_only_url(root: Path) -> URL:
    log = root / f"{FILE}-wal"
    query = {"uri": "true", "mode": "ro"}
    if not (log.exists() and log.stat().st_size):
        # nothing is written at the moment: without this SQLite would want to make a file beside it
        query["immutable"] = "1"
    path = (root / FILE).as_posix().replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return URL.create("sqlite", database=f"file:{path}", query=query)


def _configure(connection: Any, _: object) -> None:
    _prepare(connection)
    cursor = connection.cursor()
    # how long to wait comes first: the mode of the journal may have to
    for pragma in (f"busy_timeout = {BUSY_SECONDS * 1000:.0f}", "journal_mode = WAL", "synchronous = NORMAL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _look_only(connection: Any, _: object) -> None:
    _prepare(connection)


def _prepare(connection: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy, not the driver, says when a transaction begins
    # SQLite's own knows the 26 letters alone, and people search for "Ärztin" as well
    connection.create_function("casefold", 1, lambda words: None if words is None else str(words).casefold())


def _begin_immediate(connection: Connection) -> None:
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _version(connection: Connection, root: Path) -> int:
    """Number of the last change that was applied; 0 in an empty database."""
    found = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    if found > tables.VERSION:
        raise LightboxError(_of_a_later_version(root))
    return found


def _bring_up_to_date(database: Database) -> None:
    """Make the tables, or change earlier ones, all at once or not at all."""
    root = database.root
    if database.read_only:
        raise LightboxError(
            f"The store {root.name} is of an earlier version and cannot be upgraded where it is, because it is not "
            f"writable: make it writable, or copy it and set LIGHTBOX_STORE_PATH to the copy."
        )
    with database.writing() as connection:
        version = _version(connection, root)
        there = _columns(connection)
        if version == tables.VERSION:
            return  # another process was quicker
        if not there:
            _expect_no_runs(root)
            migrations.create(connection)
        elif "runs" not in there:
            raise LightboxError(f"The file {FILE} in {root.name} is no store of Lightbox: {_ELSEWHERE}.")
        else:
            _keep_copy(root, version)
            _upgrade(connection, root)


def _upgrade(connection: Connection, root: Path) -> None:
    try:
        migrations.upgrade(connection)
    except migrations.unknown_change() as error:
        raise LightboxError(_of_a_later_version(root)) from error


def _keep_copy(root: Path, version: int) -> None:
    """Copy the database as it is, whole or not at all; the caller's transaction keeps it from changing meanwhile."""
    copy = root / f"lightbox.version-{version}.db"
    temporary = temporary_beside(copy)
    try:
        with closing(sqlite3.connect(root / FILE)) as source, closing(sqlite3.connect(temporary)) as target:
            source.backup(target)
        temporary.replace(copy)
    except sqlite3.Error as error:
        temporary.unlink(missing_ok=True)
        raise LightboxError(
            f"The store {root.name} was not upgraded, because there is no room for a copy of its database ({error}): "
            "free some space."
        ) from error


def _expect_no_runs(root: Path) -> None:
    """Runs without a database would be taken for leftovers, and removed."""
    if any(RUN_ID.fullmatch(folder.name) for folder in (root / "runs").glob("*")):
        raise LightboxError(
            f"The store {root.name} holds runs, but its database {FILE} is gone: put it back, or {_ELSEWHERE}."
        )


def _check(connection: Connection, root: Path) -> None:
    """Refuse tables that something else has changed, before they are read half."""
    there = _columns(connection)
    for table in tables.metadata.sorted_tables:
        for column in table.columns:
            if column.name not in there.get(table.name, ()):
                raise LightboxError(_damaged(root, f"{table.name}.{column.name} is missing"))


def _columns(connection: Connection) -> dict[str, set[str]]:
    """Names of the columns of every table."""
    found: dict[str, set[str]] = {}
    rows = connection.exec_driver_sql(
        "SELECT m.name, c.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table'"
    )
    for table, column in rows:
        found.setdefault(table, set()).add(column)
    return found


# ---- sentences


@contextlib.contextmanager
def _as_sentence(root: Path) -> Iterator[None]:
    """Turn what SQLite says of a file that cannot be used into a sentence for people.

    A full disk passes: who writes knows what else there is to be done about it (`core.files.full_disk_as_sentence`).
    """
    try:
        yield
    except (DatabaseError, sqlite3.Error) as error:
        cause = getattr(error, "orig", error)
        reason = str(getattr(cause, "sqlite_errorname", ""))
        if reason.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise StoreBusy(
                f"Another program keeps the store {root.name} locked: close it, or try again in a moment."
            ) from error
        if reason.startswith("SQLITE_READONLY"):
            raise LightboxError(_not_writable(root)) from error
        if reason.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
            raise LightboxError(_damaged(root, str(cause))) from error
        if reason.startswith(("SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
            raise LightboxError(
                f"The database {FILE} of the store {root.name} cannot be opened ({cause}): look at its permissions, "
                f"or {_ELSEWHERE}."
            ) from error
        raise


def _not_writable(root: Path) -> str:
    return f"The store {root.name} can only be looked at: make it writable, or {_ELSEWHERE}."


def _damaged(root: Path, what: str) -> str:
    return (
        f"The database {FILE} of the store {root.name} is damaged ({what}): put back a copy of it, or {_ELSEWHERE}; "
        "nothing was changed."
    )


def _of_a_later_version(root: Path) -> str:
    return f"The store {root.name} was made by a later version of Lightbox: install that version, or {_ELSEWHERE}."
