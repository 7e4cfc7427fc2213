"""The tables of the store, and opening them so that several processes can share one file."""

from pathlib import Path
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
)
from sqlalchemy.exc import DatabaseError

from core.errors import LightboxError

#: Raised when a change of the tables makes an older file unreadable.
SCHEMA_VERSION = 1

metadata = MetaData()

runs = Table(
    "runs",
    metadata,
    Column("id", String, primary_key=True),
    Column("owner", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("title", String, nullable=False),
    Column("request", String, nullable=False),
    Column("fingerprint", String, nullable=False),
    Column("status", String, nullable=False),
    Column("message", String, nullable=False, default=""),
    Column("created", Float, nullable=False),
    Column("started", Float),
    Column("finished", Float),
    Column("pinned", Boolean, nullable=False, default=False),
    Column("cancelling", Float),
    Column("size", Integer, nullable=False, default=0),
    Column("server", String, nullable=False),
    Column("worker", String),
    Index("runs_of_owner", "owner", "created"),
    Index("runs_by_fingerprint", "owner", "fingerprint"),
    Index("runs_by_status", "status"),
)

#: What runs read: keeps scans and regions alive while a run refers to them.
references = Table(
    "run_references",
    metadata,
    Column("run", String, nullable=False),
    Column("content", String, nullable=False),
    Index("references_of_run", "run"),
    Index("references_to_content", "content"),
)

#: Who may look at which stored scan; the voxels themselves are kept once for all.
scan_access = Table(
    "scan_access",
    metadata,
    Column("owner", String, primary_key=True),
    Column("scan", String, primary_key=True),
    Column("label", String, nullable=False),
    Column("added", Float, nullable=False),
    Column("used", Float, nullable=False),
    Index("access_to_scan", "scan"),
)

#: What a person marked on a scan and gave a name; `place` is the order in which it is listed.
landmarks = Table(
    "landmarks",
    metadata,
    Column("owner", String, primary_key=True),
    Column("scan", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("place", Integer, nullable=False),
    Column("region", String, nullable=False),
    Index("landmarks_by_region", "region"),
)


def open_database(path: Path) -> Engine:
    """Engine on a SQLite file in WAL mode, made when missing. Transactions take the write lock at once.

    Raises
    ------
    LightboxError
        When the file is no database, or was made by another version.
    """
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 15})
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin_immediate)
    try:
        with engine.begin() as connection:
            found = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            if found not in (0, SCHEMA_VERSION):
                raise LightboxError(
                    f"The store {path.parent.name} was made by another version of Lightbox: "
                    "set LIGHTBOX_STORE_PATH to an empty folder, or remove the store."
                )
            metadata.create_all(connection)
            connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")
    except DatabaseError as error:
        raise LightboxError(
            f"The store's database {path.name} cannot be opened ({error.orig}): "
            "set LIGHTBOX_STORE_PATH to an empty folder, or remove the store."
        ) from error
    return engine


def _configure(connection: Any, _: object) -> None:
    connection.isolation_level = None  # SQLAlchemy, not the driver, says when a transaction begins
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Any) -> None:
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
