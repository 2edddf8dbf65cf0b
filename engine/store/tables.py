"""The tables. Tenant leads every key, ids are UUIDv7 texts, moments are aware UTC.

No foreign keys between the tables of running cases: each row there is written and deleted under the
lock of its root instance, so they could only cost time. A change here needs a file in migrations/.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from engine.store.columns import Json, Moment

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
    }
)


def _text(name: str, *, null: bool = False, key: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=null, primary_key=key)


def _number(name: str, *, null: bool = False, key: bool = False) -> sa.Column[Any]:
    return sa.Column(
        name, sa.BigInteger, nullable=null, primary_key=key, autoincrement=False if key else "auto"
    )


def _moment(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, Moment, nullable=null)


def _json(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, Json, nullable=null)


def _tenant() -> sa.Column[Any]:
    return _text("tenant", key=True)


def _only(name: str, table: sa.Table, condition: str, *columns: str, unique: bool = False) -> None:
    """Add an index on the rows that fulfil a condition; what is over costs it nothing."""
    where = sa.text(condition)
    sa.Index(
        f"ix_{table.name}_{name}",
        *(table.c[column] for column in columns),
        unique=unique,
        sqlite_where=where,
        postgresql_where=where,
    )


# ------------------------------------------------------------------ what is deployed

meta = sa.Table("meta", metadata, _text("name", key=True), _text("value"))

deployment = sa.Table(
    "deployment",
    metadata,
    _tenant(),
    _text("id", key=True),
    _text("hash"),
    _moment("created_at"),
    _text("created_by"),
    _text("comment"),
    # warnings and notes of the gate
    _json("problems"),
    sa.UniqueConstraint("tenant", "hash"),
)

file = sa.Table(
    "file",
    metadata,
    _tenant(),
    # SHA-256 of the content: equal files of many deployments are stored once
    _text("hash", key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

deployment_file = sa.Table(
    "deployment_file",
    metadata,
    _tenant(),
    _text("deployment_id", key=True),
    _text("name", key=True),
    _text("hash"),
    sa.ForeignKeyConstraint(["tenant", "deployment_id"], ["deployment.tenant", "deployment.id"]),
    sa.ForeignKeyConstraint(["tenant", "hash"], ["file.tenant", "file.hash"]),
)

definition = sa.Table(
    "definition",
    metadata,
    _tenant(),
    _text("id", key=True),
    _text("process_id"),
    _number("version"),
    _text("name"),
    _text("deployment_id"),
    # content hash of the bundle
    _text("hash"),
    _text("version_tag", null=True),
    sa.Column("active", sa.Boolean, nullable=False),
    _moment("created_at"),
    sa.UniqueConstraint("tenant", "process_id", "version"),
    sa.ForeignKeyConstraint(["tenant", "deployment_id"], ["deployment.tenant", "deployment.id"]),
)
_only("active", definition, "active", "tenant", "process_id", unique=True)
sa.Index(None, definition.c.tenant, definition.c.deployment_id)

# start events of the active definitions that nobody calls by name
trigger = sa.Table(
    "trigger",
    metadata,
    _tenant(),
    _text("id", key=True),
    _text("definition_id"),
    _text("process_id"),
    _text("element_id"),
    # message | signal | timer
    _text("kind"),
    _text("name"),
)
sa.Index(None, trigger.c.tenant, trigger.c.kind, trigger.c.name)
sa.Index(None, trigger.c.tenant, trigger.c.process_id)

# ------------------------------------------------------------------ running and ended cases

instance = sa.Table(
    "instance",
    metadata,
    _tenant(),
    _text("id", key=True),
    # the instance whose snapshot and lock it shares; itself for a root
    _text("root_id"),
    _text("parent_id", null=True),
    _text("definition_id"),
    _text("process_id"),
    _number("version"),
    _text("business_key", null=True),
    _text("start_key", null=True),
    _text("state"),
    _moment("started_at"),
    _moment("ended_at", null=True),
    # roots only: commits so far, last number of the history, kinds of rows it may own (bits)
    _number("revision"),
    _number("history_seq"),
    _number("owns"),
    sa.Column("snapshot", sa.LargeBinary, nullable=True),
)
_only("start_key", instance, "start_key IS NOT NULL", "tenant", "start_key", unique=True)
_only("business_key", instance, "business_key IS NOT NULL", "tenant", "business_key", "id")
_only("state", instance, "parent_id IS NULL", "tenant", "state", "id")
_only("process", instance, "parent_id IS NULL", "tenant", "process_id", "state", "id")
_only("called", instance, "parent_id IS NOT NULL", "tenant", "root_id")

work = sa.Table(
    "work",
    metadata,
    _tenant(),
    _text("id", key=True),
    # for kind `start`: the id of the instance that will be
    _text("root_id"),
    _text("instance_id"),
    _text("element_id"),
    _number("token"),
    # service | timer | continue | deliver | start
    _text("kind"),
    _text("topic"),
    # ready | dead (an incident stands for it)
    _text("state"),
    _number("priority"),
    _moment("due_at"),
    # when it may be claimed: due_at, or the end of the lease of who has claimed it
    _moment("free_at"),
    _text("owner", null=True),
    _number("attempt"),
    _number("fence"),
    _number("retries", null=True),
    _json("inputs"),
    _json("headers"),
    # deliver: the reserved message; start: the timer trigger that repeats
    _text("message_id", null=True),
    _text("trigger_id", null=True),
)
_only("claim", work, "state = 'ready'", "tenant", "priority", "free_at", "id")
_only("due", work, "state = 'ready'", "tenant", "free_at")
_only("trigger", work, "trigger_id IS NOT NULL", "tenant", "trigger_id")
sa.Index(None, work.c.tenant, work.c.root_id, work.c.token)

user_task = sa.Table(
    "user_task",
    metadata,
    _tenant(),
    _text("id", key=True),
    _text("root_id"),
    _text("instance_id"),
    _text("process_id"),
    _text("business_key", null=True),
    _text("element_id"),
    _number("token"),
    _text("name"),
    # open | completed | cancelled
    _text("state"),
    _text("assignee", null=True),
    _json("candidate_groups"),
    _json("candidate_users"),
    _moment("created_at"),
    _moment("due_at", null=True),
    _moment("follow_up_at", null=True),
    _number("priority"),
    _text("form_key", null=True),
    _moment("claimed_at", null=True),
    _moment("ended_at", null=True),
    _text("ended_by", null=True),
)
_only("open", user_task, "state = 'open'", "tenant", "process_id", "id")
_only("assignee", user_task, "state = 'open' AND assignee IS NOT NULL", "tenant", "assignee", "id")
sa.Index(None, user_task.c.tenant, user_task.c.root_id, user_task.c.token)

# who may claim an open task that nobody has: `user:ann`, `group:sales`, or `*` for everybody
candidate = sa.Table(
    "candidate",
    metadata,
    _tenant(),
    _text("name", key=True),
    _text("task_id", key=True),
    sqlite_with_rowid=False,
)
sa.Index(None, candidate.c.tenant, candidate.c.task_id)

subscription = sa.Table(
    "subscription",
    metadata,
    _tenant(),
    _text("id", key=True),
    _text("root_id"),
    _text("instance_id"),
    _text("element_id"),
    _number("token"),
    # message | signal
    _text("kind"),
    _text("name"),
    # NULL matches any key
    _text("key", null=True),
    _moment("created_at"),
    # the message that will be delivered here
    _text("message_id", null=True),
)
_only(
    "waiting", subscription, "message_id IS NULL",
    "tenant", "kind", "name", "key", "created_at", "id",
)  # fmt: skip
sa.Index(None, subscription.c.tenant, subscription.c.root_id, subscription.c.token)

message = sa.Table(
    "message",
    metadata,
    _tenant(),
    # the sender's id if there is one: the same id is never delivered twice
    _text("id", key=True),
    _text("name"),
    _text("key", null=True),
    _json("payload"),
    _json("keys"),
    # buffered | reserved | delivered | expired
    _text("state"),
    # True if the sender gave the id: the row stays to know a repetition
    sa.Column("named", sa.Boolean, nullable=False),
    # who got it
    _text("instance_id", null=True),
    _moment("created_at"),
    _moment("expires_at"),
)
_only("buffered", message, "state = 'buffered'", "tenant", "name", "key", "created_at", "id")
_only("expires", message, "state = 'buffered'", "tenant", "expires_at")
_only("recent", message, "state = 'buffered'", "tenant", "created_at")

incident = sa.Table(
    "incident",
    metadata,
    _tenant(),
    _text("id", key=True),
    _text("root_id"),
    _text("instance_id"),
    _text("process_id"),
    _text("element_id"),
    _number("token"),
    # work | fault | uncaught_error | runaway
    _text("kind"),
    _text("message"),
    _text("trace"),
    _text("work_id", null=True),
    _moment("created_at"),
    _moment("resolved_at", null=True),
    _text("resolved_by", null=True),
)
_only("open", incident, "resolved_at IS NULL", "tenant", "id")
sa.Index(None, incident.c.tenant, incident.c.root_id, incident.c.token)

# ------------------------------------------------------------------ what was

history = sa.Table(
    "history",
    metadata,
    _tenant(),
    _text("root_id", key=True),
    _number("seq", key=True),
    _moment("at"),
    _text("kind"),
    _text("instance_id"),
    _text("element_id", null=True),
    _number("token", null=True),
    _text("actor", null=True),
    _text("name", null=True),
    # JSON; NULL if there is none, if it is erased, or if it stands in `blob`
    _text("value", null=True),
    _text("blob", null=True),
    sa.Column("erased", sa.Boolean, nullable=False),
    # one tree instead of two: the rows of a case lie together
    sqlite_with_rowid=False,
)

# large values of the history of one case, by the SHA-256 of their JSON
blob = sa.Table(
    "blob", metadata, _tenant(), _text("root_id", key=True), _text("hash", key=True), _text("value")
)

# what an admin did to definitions and cases, and why
act = sa.Table(
    "act",
    metadata,
    _tenant(),
    _text("id", key=True),
    _moment("at"),
    _text("by"),
    # activate | cancel | erase | retry
    _text("verb"),
    _text("subject"),
    _text("why"),
)
sa.Index(None, act.c.tenant, act.c.subject)

api_token = sa.Table(
    "api_token",
    metadata,
    _tenant(),
    _text("id", key=True),
    _text("name"),
    _text("role"),
    # SHA-256 of the secret, which nobody can read again
    _text("hash"),
    _moment("created_at"),
    _text("created_by"),
    _moment("revoked_at", null=True),
    _text("revoked_by", null=True),
)
