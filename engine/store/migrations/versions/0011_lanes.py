"""Work is claimed by topic; lanes keep an order.

Older programs may go on beside this: they leave `lane` empty, and what they end of a lane is
noticed by the maintenance (`engine/store/lanes.py:heal`).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add lane and place, the gates, and the index that a claim walks."""
    op.add_column("work", sa.Column("lane", sa.Text(), nullable=True))
    op.add_column("work", sa.Column("place", sa.BigInteger(), nullable=True))
    op.create_table(
        "gate",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "name", name="pk_gate"),
    )
    op.drop_index("ix_work_claim", "work")
    _index("ix_work_claim", ["tenant", "kind", "topic", "priority", "free_at", "id"],
           "state = 'ready'")  # fmt: skip
    _index("ix_work_lane", ["tenant", "lane", "place"], "lane IS NOT NULL")


def _index(name: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(
        name, "work", columns, sqlite_where=condition, postgresql_where=condition, unique=False
    )
