"""Decisions: which file of which deployment decides under an id, version by version."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def moment() -> sa.types.TypeEngine[Any]:
    """Return the type of a moment: sortable text on SQLite."""
    return sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "decision",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("deployment_id", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("version_tag", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_decision"),
        sa.ForeignKeyConstraint(
            ["tenant", "deployment_id"],
            ["deployment.tenant", "deployment.id"],
            name="fk_decision_deployment",
        ),
        sa.UniqueConstraint(
            "tenant", "decision_id", "version", name="uq_decision_tenant_decision_id_version"
        ),
    )
    is_active = sa.text("active")
    op.create_index(
        "ix_decision_active",
        "decision",
        ["tenant", "decision_id"],
        unique=True,
        sqlite_where=is_active,
        postgresql_where=is_active,
    )
    op.create_index("ix_decision_tenant_deployment_id", "decision", ["tenant", "deployment_id"])
