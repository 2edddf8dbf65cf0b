"""People who sign in: accounts, sessions, drafts, and counted attempts; tasks by their due time."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def moment() -> sa.types.TypeEngine[Any]:
    """Return the type of a moment: sortable text on SQLite."""
    return sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """Create the tables and the index."""
    _accounts()
    _drafts_and_buckets()
    is_open = sa.text("state = 'open'")
    op.create_index(
        "ix_user_task_due",
        "user_task",
        ["tenant", "due_at", "id"],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )


def _accounts() -> None:
    op.create_table(
        "account",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("display", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("groups", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("zone", sa.Text(), nullable=True),
        sa.Column("theme", sa.Text(), nullable=True),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("disabled_at", moment(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "name", name="pk_account"),
    )
    op.create_table(
        "web_session",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_web_session"),
    )
    op.create_index("ix_web_session_tenant_account", "web_session", ["tenant", "account"])


def _drafts_and_buckets() -> None:
    op.create_table(
        "draft",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("saved_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "task_id", "account", name="pk_draft"),
    )
    op.create_table(
        "bucket",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("level", sa.BigInteger(), nullable=False),
        sa.Column("at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "name", name="pk_bucket"),
    )
    op.create_index("ix_bucket_tenant_at", "bucket", ["tenant", "at"])
