"""Changes of the store's tables, one a file of ``versions``, in order: how an earlier store becomes today's.

A change never takes away what an earlier version wrote. Each can be applied again where it was applied already, so that
a database whose version is not known for certain comes out right. `core.runs.store.tables.VERSION` is the number of the
last one. Alembic is imported only when there is something to do.
"""

from pathlib import Path

from sqlalchemy import Connection, insert
from sqlalchemy.schema import Column, MetaData, Table
from sqlalchemy.types import String

from core.runs.store import tables

_FOLDER = Path(__file__).parent

#: Alembic's own record of where a database is.
_alembic = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))


def revision(version: int) -> str:
    """What Alembic calls a version of the tables."""
    return f"{version:04d}"


def create(connection: Connection) -> None:
    """Make today's tables in an empty database, within the transaction of `connection`."""
    tables.metadata.create_all(connection)
    _alembic.create(connection)
    connection.execute(insert(_alembic).values(version_num=revision(tables.VERSION)))
    _say_version(connection)


def upgrade(connection: Connection) -> None:
    """Apply what is missing, within the transaction of `connection`: all of it or, when that ends early, nothing.

    Raises
    ------
    Exception
        `unknown_change`, when the database has one.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision(tables.VERSION))
    _say_version(connection)


def unknown_change() -> type[Exception]:
    """What `upgrade` raises when the database says that it has a change that is not known here."""
    from alembic.util import CommandError

    return CommandError


def _say_version(connection: Connection) -> None:
    connection.exec_driver_sql(f"PRAGMA user_version = {tables.VERSION}")
