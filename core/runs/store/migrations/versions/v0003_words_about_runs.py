"""Runs and scans get what a person writes about them; what a list shows of a run gets columns of its own."""

from alembic import op
from sqlalchemy import Boolean, Column, Float, PrimaryKeyConstraint, String

revision = "0003"
down_revision = "0002"

#: What a request names is in it; of the results that are there `core.runs.store.ledger` finds out by and by.
_READ = """
INSERT OR IGNORE INTO run_facts (run, method, model, scan, target, verdict, looked)
SELECT id, coalesce(json_extract(request, '$.explainer'), json_extract(request, '$.study'),
                    json_extract(request, '$.recipe'), ''),
       coalesce(json_extract(request, '$.model'), ''), coalesce(json_extract(request, '$.scan'), ''),
       coalesce(json_extract(request, '$.target'), ''), '', 0
FROM runs WHERE json_valid(request)
UNION ALL SELECT id, '', '', '', '', '', 0 FROM runs WHERE NOT json_valid(request)
"""


def upgrade() -> None:
    """Make the tables, and a row for every run."""
    op.create_index("runs_by_arrival", "runs", ["owner"], if_not_exists=True)
    op.create_table(
        "run_words",
        Column("run", String, nullable=False),
        Column("name", String, nullable=False),
        Column("note", String, nullable=False),
        Column("trashed", Float),
        PrimaryKeyConstraint("run"),
        if_not_exists=True,
    )
    op.create_index("run_words_trashed", "run_words", ["trashed"], if_not_exists=True)
    op.create_table(
        "run_tags",
        Column("run", String, nullable=False),
        Column("tag", String, nullable=False),
        PrimaryKeyConstraint("run", "tag"),
        if_not_exists=True,
    )
    op.create_table(
        "run_facts",
        Column("run", String, nullable=False),
        Column("method", String, nullable=False),
        Column("model", String, nullable=False),
        Column("scan", String, nullable=False),
        Column("target", String, nullable=False),
        Column("verdict", String, nullable=False),
        Column("before", Float),
        Column("after", Float),
        Column("looked", Boolean, nullable=False),
        PrimaryKeyConstraint("run"),
        if_not_exists=True,
    )
    op.create_index("run_facts_of_scan", "run_facts", ["scan"], if_not_exists=True)
    op.create_index("run_facts_looked", "run_facts", ["looked"], if_not_exists=True)
    op.create_table(
        "scan_words",
        Column("owner", String, nullable=False),
        Column("scan", String, nullable=False),
        Column("name", String, nullable=False),
        Column("note", String, nullable=False),
        PrimaryKeyConstraint("owner", "scan"),
        if_not_exists=True,
    )
    op.execute(_READ)
