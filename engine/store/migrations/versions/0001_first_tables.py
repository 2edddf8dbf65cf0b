"""The first tables: what is deployed, cases with their obligations, and their history."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def moment() -> sa.types.TypeEngine[Any]:
    """Return the type of a moment: sortable text on SQLite."""
    return sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def _index(name: str, table: str, columns: list[str], *, where: str, unique: bool) -> None:
    only = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=only, postgresql_where=only)


def upgrade() -> None:
    """Create every table."""
    _deployed()
    _cases()
    _obligations()
    _past()


def _deployed() -> None:
    """Create the tables of what is deployed."""
    op.create_table(
        "meta",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_meta"),
    )
    op.create_table(
        "file",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "hash", name="pk_file"),
    )
    op.create_table(
        "deployment",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_deployment"),
        sa.UniqueConstraint("tenant", "hash", name="uq_deployment_tenant_hash"),
    )
    op.create_table(
        "definition",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("process_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("deployment_id", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("version_tag", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_definition"),
        sa.ForeignKeyConstraint(
            ["tenant", "deployment_id"],
            ["deployment.tenant", "deployment.id"],
            name="fk_definition_deployment",
        ),
        sa.UniqueConstraint(
            "tenant", "process_id", "version", name="uq_definition_tenant_process_id_version"
        ),
    )
    _index(
        "ix_definition_active", "definition", ["tenant", "process_id"], where="active", unique=True
    )
    op.create_index("ix_definition_tenant_deployment_id", "definition", ["tenant", "deployment_id"])
    op.create_table(
        "deployment_file",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("deployment_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "deployment_id", "name", name="pk_deployment_file"),
        sa.ForeignKeyConstraint(
            ["tenant", "deployment_id"],
            ["deployment.tenant", "deployment.id"],
            name="fk_deployment_file_deployment",
        ),
        sa.ForeignKeyConstraint(
            ["tenant", "hash"],
            ["file.tenant", "file.hash"],
            name="fk_deployment_file_file",
        ),
    )
    op.create_table(
        "trigger",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("definition_id", sa.Text(), nullable=False),
        sa.Column("process_id", sa.Text(), nullable=False),
        sa.Column("element_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_trigger"),
    )
    op.create_index("ix_trigger_tenant_kind_name", "trigger", ["tenant", "kind", "name"])
    op.create_index("ix_trigger_tenant_process_id", "trigger", ["tenant", "process_id"])


def _cases() -> None:
    """Create the tables of instances and their tasks."""
    op.create_table(
        "instance",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("root_id", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Text(), nullable=True),
        sa.Column("definition_id", sa.Text(), nullable=False),
        sa.Column("process_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("business_key", sa.Text(), nullable=True),
        sa.Column("start_key", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", moment(), nullable=False),
        sa.Column("ended_at", moment(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("history_seq", sa.BigInteger(), nullable=False),
        sa.Column("owns", sa.BigInteger(), nullable=False),
        sa.Column("snapshot", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_instance"),
    )
    _index(
        "ix_instance_business_key",
        "instance",
        ["tenant", "business_key", "id"],
        where="business_key IS NOT NULL",
        unique=False,
    )
    _index(
        "ix_instance_called",
        "instance",
        ["tenant", "root_id"],
        where="parent_id IS NOT NULL",
        unique=False,
    )
    _index(
        "ix_instance_process",
        "instance",
        ["tenant", "process_id", "state", "id"],
        where="parent_id IS NULL",
        unique=False,
    )
    _index(
        "ix_instance_start_key",
        "instance",
        ["tenant", "start_key"],
        where="start_key IS NOT NULL",
        unique=True,
    )
    _index(
        "ix_instance_state",
        "instance",
        ["tenant", "state", "id"],
        where="parent_id IS NULL",
        unique=False,
    )
    op.create_table(
        "user_task",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("root_id", sa.Text(), nullable=False),
        sa.Column("instance_id", sa.Text(), nullable=False),
        sa.Column("process_id", sa.Text(), nullable=False),
        sa.Column("business_key", sa.Text(), nullable=True),
        sa.Column("element_id", sa.Text(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("assignee", sa.Text(), nullable=True),
        sa.Column("candidate_groups", sa.Text(), nullable=False),
        sa.Column("candidate_users", sa.Text(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("due_at", moment(), nullable=True),
        sa.Column("follow_up_at", moment(), nullable=True),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("form_key", sa.Text(), nullable=True),
        sa.Column("claimed_at", moment(), nullable=True),
        sa.Column("ended_at", moment(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_user_task"),
    )
    _index(
        "ix_user_task_assignee",
        "user_task",
        ["tenant", "assignee", "state", "id"],
        where="assignee IS NOT NULL",
        unique=False,
    )
    _index(
        "ix_user_task_open",
        "user_task",
        ["tenant", "process_id", "id"],
        where="state = 'open'",
        unique=False,
    )
    op.create_index(
        "ix_user_task_tenant_root_id_token", "user_task", ["tenant", "root_id", "token"]
    )
    op.create_table(
        "candidate",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "name", "task_id", name="pk_candidate"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_candidate_tenant_task_id", "candidate", ["tenant", "task_id"])
    op.create_table(
        "incident",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("root_id", sa.Text(), nullable=False),
        sa.Column("instance_id", sa.Text(), nullable=False),
        sa.Column("process_id", sa.Text(), nullable=False),
        sa.Column("element_id", sa.Text(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("trace", sa.Text(), nullable=False),
        sa.Column("work_id", sa.Text(), nullable=True),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("resolved_at", moment(), nullable=True),
        sa.Column("resolved_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_incident"),
    )
    _index(
        "ix_incident_open", "incident", ["tenant", "id"], where="resolved_at IS NULL", unique=False
    )
    op.create_index("ix_incident_tenant_root_id_token", "incident", ["tenant", "root_id", "token"])


def _obligations() -> None:
    """Create the tables of what is still to happen."""
    op.create_table(
        "work",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("root_id", sa.Text(), nullable=False),
        sa.Column("instance_id", sa.Text(), nullable=False),
        sa.Column("element_id", sa.Text(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("due_at", moment(), nullable=False),
        sa.Column("free_at", moment(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("retries", sa.BigInteger(), nullable=True),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("trigger_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_work"),
    )
    _index(
        "ix_work_claim",
        "work",
        ["tenant", "priority", "free_at", "id"],
        where="state = 'ready'",
        unique=False,
    )
    _index("ix_work_due", "work", ["tenant", "free_at"], where="state = 'ready'", unique=False)
    op.create_index("ix_work_tenant_root_id_token", "work", ["tenant", "root_id", "token"])
    _index(
        "ix_work_trigger",
        "work",
        ["tenant", "trigger_id"],
        where="trigger_id IS NOT NULL",
        unique=False,
    )
    op.create_table(
        "subscription",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("root_id", sa.Text(), nullable=False),
        sa.Column("instance_id", sa.Text(), nullable=False),
        sa.Column("element_id", sa.Text(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_subscription"),
    )
    op.create_index(
        "ix_subscription_tenant_root_id_token", "subscription", ["tenant", "root_id", "token"]
    )
    _index(
        "ix_subscription_waiting",
        "subscription",
        ["tenant", "kind", "name", "key", "created_at", "id"],
        where="message_id IS NULL",
        unique=False,
    )
    op.create_table(
        "message",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("keys", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.Column("instance_id", sa.Text(), nullable=True),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_message"),
    )
    _index(
        "ix_message_buffered",
        "message",
        ["tenant", "name", "key", "created_at", "id"],
        where="state = 'buffered'",
        unique=False,
    )
    _index(
        "ix_message_expires",
        "message",
        ["tenant", "expires_at"],
        where="state = 'buffered'",
        unique=False,
    )
    _index(
        "ix_message_recent",
        "message",
        ["tenant", "created_at"],
        where="state = 'buffered'",
        unique=False,
    )


def _past() -> None:
    """Create the tables of what was."""
    op.create_table(
        "history",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("root_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("at", moment(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("instance_id", sa.Text(), nullable=False),
        sa.Column("element_id", sa.Text(), nullable=True),
        sa.Column("token", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("blob", sa.Text(), nullable=True),
        sa.Column("erased", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "root_id", "seq", name="pk_history"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "blob",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("root_id", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "root_id", "hash", name="pk_blob"),
    )
    op.create_table(
        "act",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", moment(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_act"),
    )
    op.create_index("ix_act_tenant_subject", "act", ["tenant", "subject"])
    op.create_table(
        "api_token",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("revoked_at", moment(), nullable=True),
        sa.Column("revoked_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_api_token"),
    )
