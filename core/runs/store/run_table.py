"""One owner's runs as a table: searched, sorted and paged by the database, and what the person writes on them."""

import time
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import DatabaseError

from core.errors import BadInput
from core.files import full_disk_as_sentence, is_disk_full
from core.runs.store import tables
from core.runs.store.ledger import Ledger
from core.runs.store.queries import ALL, RunQuery, RunRow, columns_of, grouping, narrowed, order_of
from core.runs.store.records import Status, as_run

#: Longest name of a run or a scan, longest tag and longest note, characters; most tags of a run.
LONGEST_NAME, LONGEST_TAG, LONGEST_NOTE, MOST_TAGS = 120, 40, 4000, 20
#: Runs that one statement names: SQLite takes only so many values at once.
_AT_ONCE = 500


class RunTable:
    """What an owner has run; made by `core.runs.store.shelf.Shelf.table`.

    Parameters
    ----------
    owner : str
        Whose runs: no method reaches those of another.
    ledger : Ledger
        State of every run.
    """

    def __init__(self, owner: str, ledger: Ledger) -> None:
        self.owner = owner
        self._ledger = ledger
        self._database = ledger.database

    # ---- looking

    def page(self, query: RunQuery = ALL, first: int = 0, rows: int = 50) -> list[RunRow]:
        """Rows `first` to `first + rows` of what `query` finds, in its order."""
        wanted = self._select(query).order_by(*order_of(query)).limit(rows).offset(first)
        with self._database.reading() as connection:
            return [_as_row(row) for row in connection.execute(wanted)]

    def rows(self, run_ids: Sequence[str]) -> list[RunRow]:
        """These runs, in the order given; those that are not there (any more) are left out."""
        found: dict[str, RunRow] = {}
        with self._database.reading() as connection:
            for some in _in_batches(run_ids):
                wanted = self._select(ALL).where(tables.runs.c.id.in_(some))
                found |= {row.id: _as_row(row) for row in connection.execute(wanted)}
        return [found[run_id] for run_id in run_ids if run_id in found]

    def count(self, query: RunQuery = ALL) -> int:
        """How many runs `query` finds."""
        wanted = self._select(query).with_only_columns(func.count(), maintain_column_froms=True)
        with self._database.reading() as connection:
            return int(connection.execute(wanted).scalar_one())

    def groups(self, query: RunQuery) -> dict[str, int]:
        """How many runs each group has; empty where nothing is grouped."""
        by = grouping(query)
        if by is None:
            return {}
        wanted = self._select(query).with_only_columns(by.label("of"), func.count(), maintain_column_froms=True)
        with self._database.reading() as connection:
            return {str(row[0]): int(row[1]) for row in connection.execute(wanted.group_by("of"))}

    def choices(self) -> dict[str, dict[str, int]]:
        """What can be asked for: of each filter of a `RunQuery` the values that there are, with how many runs.

        Of a scan the value is its content hash; what it is called is `ScanTable.names`.
        """
        columns = columns_of()
        found: dict[str, dict[str, int]] = {}
        with self._database.reading() as connection:
            for name in ("status", "kind", "method", "model", "scan", "verdict"):
                wanted = self._select(ALL).with_only_columns(columns[name], func.count(), maintain_column_froms=True)
                counted = connection.execute(wanted.group_by(columns[name]).order_by(func.count().desc()))
                found[name] = {str(row[0]): int(row[1]) for row in counted if row[0]}
            found["tag"] = self._tags(connection)
        return found

    def _tags(self, connection: Connection) -> dict[str, int]:
        tags, runs = tables.run_tags.c, tables.runs.c
        query = select(tags.tag, func.count()).join(tables.runs, runs.id == tags.run).where(self._mine())
        return {row[0]: int(row[1]) for row in connection.execute(query.group_by(tags.tag).order_by(tags.tag))}

    # ---- writing on them

    @full_disk_as_sentence()
    def describe(self, run_id: str, name: str, note: str, tags: Iterable[str]) -> None:
        """Give a run a name, a note and tags, in place of those that it had; empty ones take them away.

        Raises
        ------
        BadInput
            When this owner has no such run, or one of them is too long.
        """
        wanted = checked_words(name, note)
        given = checked_tags(tags)
        with self._database.writing() as connection:
            self._known(connection, [run_id])
            self._write_all(connection, [run_id], **wanted)
            connection.execute(delete(tables.run_tags).where(tables.run_tags.c.run == run_id))
            if given:
                connection.execute(insert(tables.run_tags), [{"run": run_id, "tag": tag} for tag in given])

    @full_disk_as_sentence()
    def tag(self, run_ids: Sequence[str], tags: Iterable[str]) -> None:
        """Add tags to several runs.

        Raises
        ------
        BadInput
            When this owner has none of the runs, a tag is too long, or one would have too many.
        """
        given = checked_tags(tags)
        table = tables.run_tags
        with self._database.writing() as connection:
            for run_id in self._known(connection, run_ids):
                had = set(connection.execute(select(table.c.tag).where(table.c.run == run_id)).scalars())
                new = [tag for tag in checked_tags([*sorted(had), *given]) if tag not in had]
                if new:
                    connection.execute(insert(table), [{"run": run_id, "tag": tag} for tag in new])

    @full_disk_as_sentence()
    def star(self, run_ids: Sequence[str], starred: bool = True) -> None:
        """Mark runs with a star, which keeps them from the janitor, or take it from them."""
        table = tables.runs
        with self._database.writing() as connection:
            for some in _in_batches(self._known(connection, run_ids)):
                connection.execute(update(table).where(table.c.id.in_(some)).values(pinned=starred))

    def throw_away(self, run_ids: Sequence[str], now: float | None = None) -> list[str]:
        """Put runs into the trash, from where `take_back` brings them again until the janitor empties it.

        Parameters
        ----------
        run_ids : sequence of str
            Which; those that have not finished are left alone.
        now : float, optional
            Seconds since 1970.

        Returns
        -------
        list of str
            Those that were thrown away and can be taken back. On a full disk there is no trash: they are gone.

        Raises
        ------
        BadInput
            When this owner has none of them, or none has finished.
        """
        moment = time.time() if now is None else now
        with self._database.reading() as connection:
            found = self._finished(connection, run_ids)
        if not found:
            raise BadInput("These runs have not finished, or are gone: cancel what still works first.")
        try:
            with self._database.writing() as connection:
                self._write_all(connection, found, trashed=moment)
        except DatabaseError as error:
            if not is_disk_full(error):
                raise
            self._ledger.discard(found)
            return []
        return found

    @full_disk_as_sentence()
    def take_back(self, run_ids: Sequence[str]) -> list[str]:
        """Bring runs back from the trash; returns those that still were there."""
        words, runs = tables.run_words, tables.runs
        back: list[str] = []
        with self._database.writing() as connection:
            for some in _in_batches(run_ids):
                mine = select(runs.c.id).where(runs.c.owner == self.owner, runs.c.id.in_(some))
                there = words.c.run.in_(mine) & words.c.trashed.is_not(None)
                back += connection.execute(select(words.c.run).where(there)).scalars()
                connection.execute(update(words).where(there).values(trashed=None))
        return back

    # ---- inside

    def _mine(self) -> ColumnElement[bool]:
        runs = tables.runs.c
        return (runs.owner == self.owner) & ~tables.in_trash(runs.id)

    def _select(self, query: RunQuery) -> Select[Any]:
        return narrowed(query, self.owner).where(self._mine())

    def _known(self, connection: Connection, run_ids: Sequence[str]) -> list[str]:
        """Those of these runs that are this owner's and not in the trash."""
        found: set[str] = set()
        for some in _in_batches(run_ids):
            found |= set(
                connection.execute(select(tables.runs.c.id).where(self._mine(), tables.runs.c.id.in_(some))).scalars()
            )
        if not found:
            raise BadInput("There is no such run here: it was removed, or the link is not yours.")
        return [run_id for run_id in run_ids if run_id in found]

    def _finished(self, connection: Connection, run_ids: Sequence[str]) -> list[str]:
        runs = tables.runs.c
        found: list[str] = []
        for some in _in_batches(run_ids):
            # a row whose state nobody understands is not going on either
            over = runs.status.not_in([Status.QUEUED, Status.RUNNING])
            found += connection.execute(select(runs.id).where(self._mine(), over, runs.id.in_(some))).scalars()
        return found

    @staticmethod
    def _write_all(connection: Connection, run_ids: Sequence[str], **values: Any) -> None:
        statement = upsert(tables.run_words)
        renewed = statement.on_conflict_do_update(
            index_elements=["run"], set_={name: statement.excluded[name] for name in values}
        )
        connection.execute(renewed, [{"run": run_id, **values} for run_id in run_ids])


def checked_words(name: str, note: str) -> dict[str, str]:
    """Name and note as they are kept: without white space around, the name on one line.

    Raises
    ------
    BadInput
        When one is too long.
    """
    name, note = " ".join(name.split()), note.strip()
    if len(name) > LONGEST_NAME:
        raise BadInput(f"A name has at most {LONGEST_NAME} characters, and this one has {len(name)}: shorten it.")
    if len(note) > LONGEST_NOTE:
        raise BadInput(f"A note has at most {LONGEST_NOTE} characters, and this one has {len(note)}: shorten it.")
    return {"name": name, "note": note}


def checked_tags(tags: Iterable[str]) -> list[str]:
    """Tags as they are kept: once each, on one line, without a number sign before them.

    Raises
    ------
    BadInput
        When one is too long, or there are too many.
    """
    found = [word for word in dict.fromkeys(" ".join(tag.split()).lstrip("#").strip() for tag in tags) if word]
    if any(len(tag) > LONGEST_TAG for tag in found):
        raise BadInput(f"A tag has at most {LONGEST_TAG} characters: write what is longer into the note.")
    if len(found) > MOST_TAGS:
        raise BadInput(f"A run has at most {MOST_TAGS} tags: take one away first.")
    return found


def _in_batches(run_ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (run_ids[first : first + _AT_ONCE] for first in range(0, len(run_ids), _AT_ONCE))


def _as_row(row: Row[Any]) -> RunRow:
    return RunRow(
        run=as_run(row, {}),
        name=row.given_name or "",
        note=row.note or "",
        tags=tuple(sorted(row.tags.split("\n"))) if row.tags else (),
        method=row.method or "",
        model=row.model or "",
        scan=row.scan or "",
        scan_name=row.scan_name or "",
        target=row.target or "",
        verdict=row.verdict or "",
        before=row.before,
        after=row.after,
        group=str(row.grouped) if row.grouped is not None else "",
    )
