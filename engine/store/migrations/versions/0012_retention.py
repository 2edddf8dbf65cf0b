"""Ids of messages that are over are found by their age."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    over = sa.text("state IN ('delivered', 'expired')")
    op.create_index(
        "ix_message_over", "message", ["tenant", "created_at"],
        sqlite_where=over, postgresql_where=over, unique=False,
    )  # fmt: skip
