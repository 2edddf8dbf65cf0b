"""Drafts of bundles: unfinished drawings that are kept and shown, and never executed."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0004"
branch_labels = None
depends_on = None


def moment() -> sa.types.TypeEngine[Any]:
    """Return the type of a moment: sortable text on SQLite."""
    return sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "bundle_draft",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("saved_at", moment(), nullable=False),
        sa.Column("saved_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_bundle_draft"),
    )
    op.create_table(
        "bundle_draft_file",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("draft_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "draft_id", "name", name="pk_bundle_draft_file"),
        sa.ForeignKeyConstraint(
            ["tenant", "draft_id"],
            ["bundle_draft.tenant", "bundle_draft.id"],
            name="fk_bundle_draft_file_bundle_draft",
        ),
    )
