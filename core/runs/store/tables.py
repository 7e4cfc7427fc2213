"""The tables of the store as they are now. How older ones become these is in `core.runs.store.migrations`."""

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    literal_column,
    select,
)

#: Number of the last migration; a database says in its ``user_version`` which one it has.
VERSION = 3

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
    # the latest of an owner without sorting all: an index keeps equal rows in the order in which they came
    Index("runs_by_arrival", "owner"),
    Index("runs_by_fingerprint", "owner", "fingerprint"),
    Index("runs_by_status", "status"),
)

#: Order in which runs were asked for, whatever the clock said then.
ARRIVAL: ColumnElement[int] = literal_column("runs.rowid", Integer)

#: What runs read: keeps scans and regions alive while a run refers to them.
references = Table(
    "run_references",
    metadata,
    Column("run", String, nullable=False),
    Column("content", String, nullable=False),
    Index("references_of_run", "run"),
    Index("references_to_content", "content"),
)

#: What a person wrote about a run, and since when it lies in the trash; a run of which nothing is known has no row.
run_words = Table(
    "run_words",
    metadata,
    Column("run", String, primary_key=True),
    Column("name", String, nullable=False, default=""),
    Column("note", String, nullable=False, default=""),
    Column("trashed", Float),
    Index("run_words_trashed", "trashed"),
)


def in_trash(run: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a run was thrown away, and is kept only so that it can be taken back."""
    return run.in_(select(run_words.c.run).where(run_words.c.trashed.is_not(None)))


#: Tags that a person gave to runs.
run_tags = Table(
    "run_tags",
    metadata,
    Column("run", String, primary_key=True),
    Column("tag", String, primary_key=True),
)

#: What a list of runs shows of each, worked out of its request and, once it is done, of its result (`core.runs.facts`).
run_facts = Table(
    "run_facts",
    metadata,
    Column("run", String, primary_key=True),
    Column("method", String, nullable=False, default=""),
    Column("model", String, nullable=False, default=""),
    Column("scan", String, nullable=False, default=""),
    Column("target", String, nullable=False, default=""),
    Column("verdict", String, nullable=False, default=""),
    Column("before", Float),
    Column("after", Float),
    # whether the result was looked at: those of an earlier version are looked at by and by
    Column("looked", Boolean, nullable=False, default=False),
    Index("run_facts_of_scan", "scan"),
    Index("run_facts_looked", "looked"),
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

#: What a person called a stored scan, and noted of it.
scan_words = Table(
    "scan_words",
    metadata,
    Column("owner", String, primary_key=True),
    Column("scan", String, primary_key=True),
    Column("name", String, nullable=False, default=""),
    Column("note", String, nullable=False, default=""),
)

#: Who may look at which stored region; the samples themselves are kept once for all.
region_access = Table(
    "region_access",
    metadata,
    Column("owner", String, primary_key=True),
    Column("region", String, primary_key=True),
    Column("used", Float, nullable=False),
    Index("access_to_region", "region"),
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
