"""Regions belong to owners: those whose runs or landmarks refer to one keep it."""

import time

from alembic import op
from sqlalchemy import Column, Float, PrimaryKeyConstraint, String, text

revision = "0002"
down_revision = "0001"

#: References of runs are to scans and to regions alike; what somebody opened as a scan is no region.
_KEEP = """
INSERT OR IGNORE INTO region_access (owner, region, used)
SELECT runs.owner, run_references.content, :now FROM run_references JOIN runs ON runs.id = run_references.run
WHERE run_references.content NOT IN (SELECT scan FROM scan_access)
UNION SELECT owner, region, :now FROM landmarks
"""


def upgrade() -> None:
    """Make the table and give every region to those who have it in use."""
    op.create_table(
        "region_access",
        Column("owner", String, nullable=False),
        Column("region", String, nullable=False),
        Column("used", Float, nullable=False),
        PrimaryKeyConstraint("owner", "region"),
        if_not_exists=True,
    )
    op.create_index("access_to_region", "region_access", ["region"], if_not_exists=True)
    op.execute(text(_KEEP).bindparams(now=time.time()))
