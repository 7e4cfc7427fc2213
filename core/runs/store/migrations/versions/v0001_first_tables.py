"""The tables of the first version; they are there already in a store that it made."""

from alembic import op
from sqlalchemy import Boolean, Column, Float, Integer, PrimaryKeyConstraint, String

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables that are not there."""
    op.create_table(
        "runs",
        Column("id", String, nullable=False),
        Column("owner", String, nullable=False),
        Column("kind", String, nullable=False),
        Column("title", String, nullable=False),
        Column("request", String, nullable=False),
        Column("fingerprint", String, nullable=False),
        Column("status", String, nullable=False),
        Column("message", String, nullable=False),
        Column("created", Float, nullable=False),
        Column("started", Float),
        Column("finished", Float),
        Column("pinned", Boolean, nullable=False),
        Column("cancelling", Float),
        Column("size", Integer, nullable=False),
        Column("server", String, nullable=False),
        Column("worker", String),
        PrimaryKeyConstraint("id"),
        if_not_exists=True,
    )
    op.create_index("runs_of_owner", "runs", ["owner", "created"], if_not_exists=True)
    op.create_index("runs_by_fingerprint", "runs", ["owner", "fingerprint"], if_not_exists=True)
    op.create_index("runs_by_status", "runs", ["status"], if_not_exists=True)
    op.create_table(
        "run_references",
        Column("run", String, nullable=False),
        Column("content", String, nullable=False),
        if_not_exists=True,
    )
    op.create_index("references_of_run", "run_references", ["run"], if_not_exists=True)
    op.create_index("references_to_content", "run_references", ["content"], if_not_exists=True)
    op.create_table(
        "scan_access",
        Column("owner", String, nullable=False),
        Column("scan", String, nullable=False),
        Column("label", String, nullable=False),
        Column("added", Float, nullable=False),
        Column("used", Float, nullable=False),
        PrimaryKeyConstraint("owner", "scan"),
        if_not_exists=True,
    )
    op.create_index("access_to_scan", "scan_access", ["scan"], if_not_exists=True)
    op.create_table(
        "landmarks",
        Column("owner", String, nullable=False),
        Column("scan", String, nullable=False),
        Column("name", String, nullable=False),
        Column("place", Integer, nullable=False),
        Column("region", String, nullable=False),
        PrimaryKeyConstraint("owner", "scan", "name"),
        if_not_exists=True,
    )
    op.create_index("landmarks_by_region", "landmarks", ["region"], if_not_exists=True)
