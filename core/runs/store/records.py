"""What the store tells about runs and scans."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row

from core.runs.store.identity import ProcessIdentity

#: Kind of a run whose row cannot be read.
DAMAGED = "damaged"
_DAMAGED_ROW = "What was stored of this run is damaged: remove it, and ask again."


class Status(StrEnum):
    """Where a run is. The last four are final."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def final(self) -> bool:
        """Whether nothing will change any more."""
        return self not in (Status.QUEUED, Status.RUNNING)


@dataclass(frozen=True)
class Run:
    """A row of the store.

    Parameters
    ----------
    id, owner, kind, title : str
        Its name (16 hex digits), whose it is, what it is.
    status : Status
        Where it is.
    message : str
        For people: what went wrong and what to do (failed, interrupted), else empty.
    created, started, finished : float or None
        Seconds since 1970.
    pinned : bool
        The janitor leaves it alone.
    cancelling : bool
        Somebody asked it to stop and it has not stopped yet.
    position : int
        Place in the queue, 1 is next; 0 when not queued.
    size : int
        Bytes on disk once finished.
    request : Mapping
        The fields of its spec.
    fingerprint : str
        Equal for equal requests on equal inputs.
    """

    id: str
    owner: str
    kind: str
    title: str
    status: Status
    message: str
    created: float
    started: float | None
    finished: float | None
    pinned: bool
    cancelling: bool
    position: int
    size: int
    request: Mapping[str, Any]
    fingerprint: str

    @property
    def seconds(self) -> float | None:
        """How long it ran (so far); None before it started. Never below 0: a clock may have been set back."""
        return None if self.started is None else max(0.0, (self.finished or time.time()) - self.started)


@dataclass(frozen=True)
class StoredScan:
    """One line of the list of scans an owner has opened.

    Parameters
    ----------
    hash : str
        Content hash.
    label : str
        What it is called: the name that the person gave, else `title`.
    shape : tuple of int
        Channels first.
    added : float
        When it was opened first, seconds since 1970.
    title : str
        What it is called without a name: the title of a scan that ships with Lightbox, else its technical fields.
    name, note : str
        What the person wrote on it; empty where nothing.
    """

    hash: str
    label: str
    shape: tuple[int, ...]
    added: float
    title: str = ""
    name: str = ""
    note: str = ""


@dataclass(frozen=True)
class UnfinishedRun:
    """What the manager needs to know of a queued or running run."""

    id: str
    status: Status
    cancelling: float | None
    server: ProcessIdentity
    worker: ProcessIdentity | None


def as_run(row: Row[Any], queue: Mapping[str, int]) -> Run:
    """A row of the table as a `Run`; `queue` gives places by id.

    A damaged row becomes a failed run of kind `DAMAGED`, so that it can be seen and removed beside the others.
    """
    kind, status, message, request = _readable(row)
    return Run(
        id=row.id,
        owner=row.owner,
        kind=kind,
        title=row.title,
        status=status,
        message=message,
        created=row.created,
        started=row.started,
        finished=row.finished,
        pinned=row.pinned,
        cancelling=row.cancelling is not None,
        position=queue.get(row.id, 0),
        size=row.size,
        request=request,
        fingerprint=row.fingerprint,
    )


def _readable(row: Row[Any]) -> tuple[str, Status, str, Mapping[str, Any]]:
    """Kind, state, message and request of a row."""
    try:
        request = json.loads(row.request)
        status = Status(row.status)
    except (TypeError, ValueError):
        return DAMAGED, Status.FAILED, _DAMAGED_ROW, {}
    if not isinstance(request, dict):
        return DAMAGED, Status.FAILED, _DAMAGED_ROW, {}
    return row.kind, status, row.message, request
