"""The tables of the store as they are now. How older ones become these is in `core.runs.store.migrations`."""

from sqlalchemy import Boolean, Column, ColumnElement, Float, Index, Integer, MetaData, String, Table, literal_column

#: Number of the last migration; a database says in its ``user_version`` which one it has.
VERSION = 2

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
