"""One owner's part of the store: runs, scans, regions and landmarks; whoever asks sees only what is theirs."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Column, Row, Table, func, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from core.errors import BadInput, LightboxError
from core.files import full_disk_as_sentence
from core.runs.spec import RunSpec, parse_spec
from core.runs.store import tables
from core.runs.store.identity import ProcessIdentity
from core.runs.store.landmarks import Landmark, checked_landmarks, read_landmarks, write_landmarks
from core.runs.store.ledger import Ledger
from core.runs.store.live import CANCEL, Live, Preview, read_live, read_preview
from core.runs.store.records import Run, Status, StoredScan, as_run
from core.runs.store.run_table import RunTable
from core.runs.store.scan_table import ScanTable
from core.runs.store.scans import RegionFiles, ScanFiles, scan_label
from core.scans.scan import Scan

if TYPE_CHECKING:
    from core.reports.explanation import StoredExplanation
    from core.studies.reading import StoredStudy


class Shelf:
    """What one owner has in the store; made by `RunStore.of`. Safe to share between threads.

    No method reaches anything of another owner: something of somebody else is reported exactly like something that is
    not there.

    Parameters
    ----------
    owner : str
        Whose it is.
    ledger : Ledger
        State of every run.
    scans, regions : ScanFiles, RegionFiles
        Samples, kept once for all owners.
    """

    def __init__(self, owner: str, ledger: Ledger, scans: ScanFiles, regions: RegionFiles) -> None:
        self.owner = owner
        self._ledger = ledger
        self._database = ledger.database
        self._scans = scans
        self._regions = regions
        #: every run of this owner, to search, sort and write on
        self.table = RunTable(owner, ledger)
        #: every scan of this owner, to name, to write on and to forget
        self.scan_table = ScanTable(owner, ledger, scans)

    # ---- scans and regions

    @full_disk_as_sentence()
    def add_scan(self, scan: Scan, title: str | None = None) -> str:
        """Keep a scan for this owner; voxels that are there already are not written again.

        Parameters
        ----------
        scan : Scan
            As read.
        title : str, optional
            Name of a scan that ships with Lightbox. Never a file name: uploads are labelled from technical fields.

        Returns
        -------
        str
            Content hash, its name from now on.
        """
        name = self._scans.add(scan)
        now = time.time()
        values = {"owner": self.owner, "scan": name, "label": title or scan_label(scan), "added": now, "used": now}
        # the label of a shipped scan is not lost when somebody uploads the very same file
        renewed = {"used": now, "label": title} if title else {"used": now}
        statement = upsert(tables.scan_access).values(**values)
        with self._database.writing() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["owner", "scan"], set_=renewed))
        return name

    def scan(self, content_hash: str) -> Scan:
        """A stored scan; its array is mapped from the disk, read-only.

        Raises
        ------
        BadInput
            When this owner has no such scan (any more).
        """
        self._touch_scan(content_hash)
        return self._scans.read(content_hash)

    def scan_meta(self, content_hash: str) -> dict[str, Any]:
        """Technical fields of a stored scan (``shape`` with channels, ``affine``, ``modality`` …) without its voxels.

        Its ``label`` is what it is called, its ``title`` what it is called without a name of the person's.

        Raises
        ------
        BadInput
            When this owner has no such scan.
        """
        title = self._touch_scan(content_hash)
        named = {"title": title, "label": self.scan_table.name(content_hash) or title}
        return {**self._scans.meta(content_hash), **named}

    def scan_folder(self, content_hash: str) -> Path:
        """Folder of a stored scan, for what is kept beside its voxels.

        Raises
        ------
        BadInput
            When this owner has no such scan.
        """
        self._touch_scan(content_hash)
        return self._scans.path(content_hash)

    def scans(self) -> list[StoredScan]:
        """What this owner has opened, latest first."""
        return self.scan_table.listed()

    @full_disk_as_sentence()
    def add_region(self, region: np.ndarray) -> str:
        """Keep a region (bool, the scan's spatial shape); returns its content hash for `ExplanationSpec.region`."""
        name = self._regions.add(region)
        statement = upsert(tables.region_access).values(owner=self.owner, region=name, used=time.time())
        renewed = statement.on_conflict_do_update(index_elements=["owner", "region"], set_={"used": time.time()})
        with self._database.writing() as connection:
            connection.execute(renewed)
        return name

    def region(self, content_hash: str) -> np.ndarray:
        """A stored region, bool.

        Raises
        ------
        BadInput
            When this owner has no such region (any more).
        """
        self._touch_region(content_hash)
        return self._regions.read(content_hash)

    def landmarks(self, scan: str) -> tuple[Landmark, ...]:
        """What this owner marked on a scan and named, in the order it was kept in; empty where nothing was.

        Raises
        ------
        BadInput
            When this owner has no such scan.
        """
        self._touch_scan(scan)
        with self._database.reading() as connection:
            return read_landmarks(connection, scan, self.owner)

    @full_disk_as_sentence()
    def keep_landmarks(self, scan: str, landmarks: Sequence[Landmark]) -> None:
        """Replace all landmarks of a scan; they stay as long as the scan does.

        Parameters
        ----------
        scan : str
            Content hash.
        landmarks : sequence of Landmark
            In the order in which they are listed. Their regions come from `add_region`.

        Raises
        ------
        BadInput
            When this owner has no such scan; names that are empty, too long or the same; too many; a region that is not
            there or of another shape.
        """
        self._touch_scan(scan)
        wanted = checked_landmarks(landmarks)
        shape = tuple(self._scans.meta(scan)["shape"][1:])
        for landmark in wanted:
            self._touch_region(landmark.region)
        if any(self._regions.shape(landmark.region) != shape for landmark in wanted):
            raise BadInput("A landmark belongs to a scan of another size: mark it on this one.")
        with self._database.writing() as connection:
            write_landmarks(connection, scan, self.owner, wanted)

    # ---- asking about runs

    def run(self, run_id: str) -> Run:
        """One run.

        Raises
        ------
        BadInput
            When this owner has no such run.
        """
        table = tables.runs
        with self._database.reading() as connection:
            row = connection.execute(
                select(table).where(table.c.id == run_id, table.c.owner == self.owner, ~tables.in_trash(table.c.id))
            ).one_or_none()
            queue = _queue(connection) if row is not None and row.status == Status.QUEUED else {}
        if row is None:
            raise BadInput("There is no such run here: it was removed, or the link is not yours.")
        return as_run(row, queue)

    def runs(self, limit: int = 200) -> list[Run]:
        """The latest runs of this owner, latest first; `table` finds any."""
        table = tables.runs
        query = select(table).where(table.c.owner == self.owner, ~tables.in_trash(table.c.id))
        query = query.order_by(tables.ARRIVAL.desc()).limit(limit)
        with self._database.reading() as connection:
            rows, queue = connection.execute(query).all(), _queue(connection)
        return [as_run(row, queue) for row in rows]

    def spec(self, run_id: str) -> RunSpec:
        """What a run was asked, for asking it again.

        Raises
        ------
        BadInput
            When this owner has no such run.
        LightboxError
            When this version no longer knows its kind or its fields.
        """
        run = self.run(run_id)
        try:
            return parse_spec(run.kind, json.dumps(dict(run.request)))
        except (KeyError, ValueError) as error:
            raise LightboxError("This run was made by another version: set it up again.") from error

    def progress(self, run_id: str) -> Live:
        """Where a run stands: fraction, message, ETA, live curves."""
        return read_live(self.folder(run_id))

    def preview(self, run_id: str) -> Preview | None:
        """The map as it stands, on the model's grid; None before there is one."""
        return read_preview(self.folder(run_id))

    def explanation(self, run_id: str) -> "StoredExplanation":
        """The result of a finished explanation; arrays are mapped from the disk when first looked at.

        Raises
        ------
        BadInput
            When this owner has no such run, or it is not (yet) done.
        """
        from core.reports.explanation import read_explanation

        return read_explanation(self.result(run_id))

    def study(self, run_id: str) -> "StoredStudy":
        """The result of a finished study.

        Raises
        ------
        BadInput
            When this owner has no such run, it is not (yet) done, or it is no study.
        """
        from core.studies.reading import read_study

        return read_study(self.result(run_id))

    def folder(self, run_id: str) -> Path:
        """Folder of a run.

        Raises
        ------
        BadInput
            When this owner has no such run.
        """
        return self.folder_of(self.run(run_id))

    def folder_of(self, run: Run) -> Path:
        """Folder of a run that this owner has just asked for.

        Raises
        ------
        BadInput
            When it is another owner's.
        """
        if run.owner != self.owner:
            raise BadInput("There is no such run here: it was removed, or the link is not yours.")
        return self._ledger.folder(run.id)

    def result(self, run_id: str) -> Path:
        """Folder with what a run produced.

        Raises
        ------
        BadInput
            When this owner has no such run, or it is not (yet) done.
        """
        run = self.run(run_id)
        if run.status is not Status.DONE:
            raise BadInput(f"This run is {run.status}: it has no result to show.")
        return self._ledger.result(run_id)

    # ---- changing runs

    def pin(self, run_id: str, pinned: bool = True) -> None:
        """Keep a run from the janitor, or leave it to it again."""
        self.run(run_id)
        self._ledger.change(tables.runs.c.id == run_id, pinned=pinned)

    def delete(self, run_id: str) -> None:
        """Remove a finished run and everything it produced, for good; `RunTable.throw_away` can be undone.

        Raises
        ------
        BadInput
            When this owner has no such run, or it has not finished.
        """
        if not self.run(run_id).status.final:
            raise BadInput("This run has not finished: cancel it first.")
        self._ledger.discard([run_id])

    @full_disk_as_sentence()
    def add(self, spec: RunSpec, server: ProcessIdentity, again: bool = False) -> str:
        """Queue `spec` as this owner's, or join the equal run that is there already. Returns the run's id.

        Parameters
        ----------
        spec : RunSpec
            What to do; its field `owner` becomes this shelf's.
        server : ProcessIdentity
            Whose manager is to execute it.
        again : bool
            Queue it even where an equal run is there.

        Raises
        ------
        BadInput
            From ``spec.check``.
        """
        mine = spec.model_copy(update={"owner": self.owner})
        mine.check(self)
        return self._ledger.enter(mine, server, again)

    def answered(self, spec: RunSpec) -> str | None:
        """Id of an equal run of this owner that is done, so that it need not be done again; None where there is none.

        Raises
        ------
        BadInput
            From ``spec.check``.
        """
        mine = spec.model_copy(update={"owner": self.owner})
        mine.check(self)
        return self._ledger.answered(mine)

    def request_cancel(self, run_id: str) -> Run:
        """Ask a run to stop: a queued one is cancelled at once, a running one is told by a file it looks at."""
        run = self.run(run_id)
        table = tables.runs
        if not run.status.final and not self._ledger.finish(run_id, Status.CANCELLED, only=Status.QUEUED):
            (self._ledger.folder(run_id) / CANCEL).touch()
            running = (table.c.id == run_id) & (table.c.status == Status.RUNNING)
            self._ledger.change(running & table.c.cancelling.is_(None), cancelling=time.time())
        return self.run(run_id)

    def _touch_scan(self, content_hash: str) -> str:
        """Say that a scan is in use; returns what it is called without a name of the person's."""
        table = tables.scan_access
        row = self._touch(table, table.c.scan, content_hash)
        if row is None:
            raise BadInput("This scan is no longer in the store: open its file again.")
        return str(row.label)

    def _touch_region(self, content_hash: str) -> None:
        table = tables.region_access
        if self._touch(table, table.c.region, content_hash) is None:
            raise BadInput("This region is no longer in the store: mark it again.")

    def _touch(self, table: Table, column: Column[str], content_hash: str) -> Row[Any] | None:
        """What a table says of something of this owner, which is noted as used; None where there is no such thing."""
        mine = (table.c.owner == self.owner) & (column == content_hash)
        with self._database.reading() as connection:
            row = connection.execute(select(table).where(mine)).one_or_none()
        # good enough for the janitor, without a write for every look
        if row is not None and time.time() - row.used > 60 and not self._database.read_only:
            # looking must work where nothing can be written: a full disk, a database that somebody holds
            with self._database.noting() as connection:
                connection.execute(update(table).where(mine).values(used=time.time()))
        return row


def _queue(connection: Any) -> dict[str, int]:
    table = tables.runs
    order = select(table.c.id, func.row_number().over(order_by=tables.ARRIVAL)).where(table.c.status == Status.QUEUED)
    return {row[0]: int(row[1]) for row in connection.execute(order)}
