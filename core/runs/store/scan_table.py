"""One owner's scans: what they are called, what the person noted of them, and forgetting one."""

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.sqlite import insert as upsert

from core.errors import BadInput
from core.files import full_disk_as_sentence, remove_folder
from core.runs.store import tables
from core.runs.store.ledger import Ledger
from core.runs.store.records import Status, StoredScan
from core.runs.store.run_table import checked_words
from core.runs.store.scans import ScanFiles

_GONE = "This scan is no longer in the store: open its file again."


class ScanTable:
    """What an owner has opened; made by `core.runs.store.shelf.Shelf.scan_table`.

    Parameters
    ----------
    owner : str
        Whose scans: no method reaches those of another.
    ledger : Ledger
        State of every run.
    files : ScanFiles
        Voxels, kept once for all owners.
    """

    def __init__(self, owner: str, ledger: Ledger, files: ScanFiles) -> None:
        self.owner = owner
        self._ledger = ledger
        self._database = ledger.database
        self._files = files

    def listed(self) -> list[StoredScan]:
        """Every scan, the one that was looked at last first."""
        access, words = tables.scan_access, tables.scan_words
        given = (words.c.owner == access.c.owner) & (words.c.scan == access.c.scan)
        query = select(access, words.c.name, words.c.note).select_from(access.outerjoin(words, given))
        with self._database.reading() as connection:
            rows = connection.execute(query.where(access.c.owner == self.owner).order_by(access.c.used.desc())).all()
        return [
            StoredScan(
                row.scan,
                row.name or row.label,
                tuple(self._files.meta(row.scan)["shape"]),
                row.added,
                row.label,
                row.name or "",
                row.note or "",
            )
            for row in rows
            if self._files.path(row.scan).is_dir()
        ]

    def names(self) -> dict[str, str]:
        """What every scan is called, by its content hash."""
        access, words = tables.scan_access, tables.scan_words
        given = (words.c.owner == access.c.owner) & (words.c.scan == access.c.scan)
        called = func.coalesce(func.nullif(words.c.name, ""), access.c.label)
        query = select(access.c.scan, called).select_from(access.outerjoin(words, given))
        with self._database.reading() as connection:
            found = connection.execute(query.where(access.c.owner == self.owner))
            return {row[0]: row[1] for row in found}

    def name(self, content_hash: str) -> str:
        """The name that the person gave to a scan; empty where there is none."""
        words = tables.scan_words.c
        query = select(words.name).where(words.owner == self.owner, words.scan == content_hash)
        with self._database.reading() as connection:
            return connection.execute(query).scalar_one_or_none() or ""

    @full_disk_as_sentence()
    def describe(self, content_hash: str, name: str, note: str) -> None:
        """Give a scan a name and a note, in place of those that it had; empty ones take them away.

        Raises
        ------
        BadInput
            When this owner has no such scan, or one of them is too long.
        """
        given = checked_words(name, note)
        statement = upsert(tables.scan_words).values(owner=self.owner, scan=content_hash, **given)
        with self._database.writing() as connection:
            self._expect(connection, content_hash)
            connection.execute(statement.on_conflict_do_update(index_elements=["owner", "scan"], set_=given))

    def runs_of(self, content_hash: str) -> list[str]:
        """Ids of this owner's runs that read a scan, those in the trash too."""
        with self._database.reading() as connection:
            return self._runs_of(connection, content_hash)

    def forget(self, content_hash: str) -> None:
        """Remove a scan of this owner for good: with its runs, landmarks, name and note, and its voxels.

        Voxels that somebody else has opened as well stay for them.

        Raises
        ------
        BadInput
            When this owner has no such scan, or a run that reads it goes on.
        """
        runs = tables.runs.c
        with self._database.reading() as connection:
            self._expect(connection, content_hash)
            reading = self._runs_of(connection, content_hash)
            going = runs.status.in_([Status.QUEUED, Status.RUNNING])
            if connection.execute(select(runs.id).where(going, runs.id.in_(reading)).limit(1)).first():
                raise BadInput("A run that reads this scan has not finished: cancel it first, then forget the scan.")
        self._ledger.discard(reading)
        with self._database.writing() as connection:
            for table in (tables.scan_access, tables.scan_words, tables.landmarks):
                mine = (table.c.owner == self.owner) & (table.c.scan == content_hash)
                connection.execute(delete(table).where(mine))
            access, references = tables.scan_access.c, tables.references.c
            opened = connection.execute(select(access.owner).where(access.scan == content_hash).limit(1)).first()
            read = connection.execute(select(references.run).where(references.content == content_hash).limit(1)).first()
        if not opened and not read:
            remove_folder(self._files.path(content_hash))

    def _expect(self, connection: Connection, content_hash: str) -> None:
        access = tables.scan_access.c
        mine = select(access.scan).where(access.owner == self.owner, access.scan == content_hash)
        if connection.execute(mine).first() is None:
            raise BadInput(_GONE)

    def _runs_of(self, connection: Connection, content_hash: str) -> list[str]:
        runs, references = tables.runs.c, tables.references.c
        query = select(runs.id).join(tables.references, references.run == runs.id)
        return list(
            connection.execute(query.where(runs.owner == self.owner, references.content == content_hash)).scalars()
        )
