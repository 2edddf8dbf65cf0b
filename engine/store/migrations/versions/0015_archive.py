"""The history of ended cases may stand in files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "archive",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("cases", "rows", "bytes")),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column(
            "made_at",
            sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_archive"),
    )
    op.create_index(
        "ix_archive_tenant_state_id", "archive", ["tenant", "state", "id"], unique=False
    )
    op.create_table(
        "archived",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("root_id", sa.Text(), nullable=False),
        sa.Column("archive_id", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("first", "rows")),
        sa.PrimaryKeyConstraint("tenant", "root_id", name="pk_archived"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_archived_tenant_archive_id", "archived", ["tenant", "archive_id"], unique=False
    )
