"""What is due next is found by the walk of the claim, so one index less is written at each step.

PostgreSQL, as long as it knew no numbers of a fresh backlog, took this index for a claim and sorted
all that was due.
"""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drop the index."""
    op.drop_index("ix_work_due", "work")
