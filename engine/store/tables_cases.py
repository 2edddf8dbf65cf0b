"""Cases and their open obligations.

No foreign keys: each row is written and deleted under the lock of its root instance, so they could
only cost time.
"""

from __future__ import annotations

import sqlalchemy as sa

from engine.store.shape import index_where, json, metadata, moment, number, tenant, text

instance = sa.Table(
    "instance",
    metadata,
    tenant(),
    text("id", key=True),
    # the instance whose snapshot and lock it shares; itself for a root
    text("root_id"),
    text("parent_id", null=True),
    text("definition_id"),
    text("process_id"),
    number("version"),
    text("business_key", null=True),
    text("start_key", null=True),
    text("state"),
    moment("started_at"),
    moment("ended_at", null=True),
    # roots only: commits so far, last number of the history, kinds of rows it may own (bits)
    number("revision"),
    number("history_seq"),
    number("owns"),
    sa.Column("snapshot", sa.LargeBinary, nullable=True),
)
index_where("start_key", instance, "start_key IS NOT NULL", "tenant", "start_key", unique=True)
index_where("business_key", instance, "business_key IS NOT NULL", "tenant", "business_key", "id")
index_where("state", instance, "parent_id IS NULL", "tenant", "state", "id")
index_where("process", instance, "parent_id IS NULL", "tenant", "process_id", "state", "id")
index_where("called", instance, "parent_id IS NOT NULL", "tenant", "root_id")

work = sa.Table(
    "work",
    metadata,
    tenant(),
    text("id", key=True),
    # for kind `start`: the id of the instance that will be
    text("root_id"),
    text("instance_id"),
    text("element_id"),
    number("token"),
    # service | timer | continue | deliver | start
    text("kind"),
    text("topic"),
    # ready | queued (behind another row of its lane) | dead (an incident stands for it)
    text("state"),
    number("priority"),
    moment("due_at"),
    # when it may be claimed: due_at, or the end of the lease of who has claimed it
    moment("free_at"),
    text("owner", null=True),
    number("attempt"),
    number("fence"),
    number("retries", null=True),
    json("inputs"),
    json("headers"),
    # deliver: the reserved message; start: the timer trigger that repeats
    text("message_id", null=True),
    text("trigger_id", null=True),
    # rows of one lane are done one after another, by their place in it
    text("lane", null=True),
    number("place", null=True),
)
index_where(
    "claim", work, "state = 'ready'", "tenant", "kind", "topic", "priority", "free_at", "id"
)
index_where("trigger", work, "trigger_id IS NOT NULL", "tenant", "trigger_id")
index_where("lane", work, "lane IS NOT NULL", "tenant", "lane", "place")
sa.Index(None, work.c.tenant, work.c.root_id, work.c.token)

# what only one transaction may pass at a time: `lane/NAME` while the lane has work, `topic/NAME`
gate = sa.Table(
    "gate",
    metadata,
    tenant(),
    text("name", key=True),
    # lanes: the last place that was given
    number("last"),
)

user_task = sa.Table(
    "user_task",
    metadata,
    tenant(),
    text("id", key=True),
    text("root_id"),
    text("instance_id"),
    text("process_id"),
    text("business_key", null=True),
    text("element_id"),
    number("token"),
    text("name"),
    # open | completed | cancelled
    text("state"),
    text("assignee", null=True),
    json("candidate_groups"),
    json("candidate_users"),
    moment("created_at"),
    moment("due_at", null=True),
    moment("follow_up_at", null=True),
    number("priority"),
    text("form_key", null=True),
    moment("claimed_at", null=True),
    moment("ended_at", null=True),
    text("ended_by", null=True),
)
index_where("open", user_task, "state = 'open'", "tenant", "process_id", "id")
index_where("due", user_task, "state = 'open'", "tenant", "due_at", "id")
index_where("assignee", user_task, "assignee IS NOT NULL", "tenant", "assignee", "state", "id")
sa.Index(None, user_task.c.tenant, user_task.c.root_id, user_task.c.token)

# who may claim an open task that nobody has: `user:ann`, `group:sales`, or `*` for everybody
candidate = sa.Table(
    "candidate",
    metadata,
    tenant(),
    text("name", key=True),
    text("task_id", key=True),
    sqlite_with_rowid=False,
)
sa.Index(None, candidate.c.tenant, candidate.c.task_id)

subscription = sa.Table(
    "subscription",
    metadata,
    tenant(),
    text("id", key=True),
    text("root_id"),
    text("instance_id"),
    text("element_id"),
    number("token"),
    # message | signal
    text("kind"),
    text("name"),
    # NULL matches any key
    text("key", null=True),
    moment("created_at"),
    # the message that will be delivered here
    text("message_id", null=True),
)
index_where(
    "waiting", subscription, "message_id IS NULL",
    "tenant", "kind", "name", "key", "created_at", "id",
)  # fmt: skip
sa.Index(None, subscription.c.tenant, subscription.c.root_id, subscription.c.token)

message = sa.Table(
    "message",
    metadata,
    tenant(),
    # the sender's id if there is one: the same id is never delivered twice
    text("id", key=True),
    text("name"),
    text("key", null=True),
    json("payload"),
    json("keys"),
    # buffered | reserved | delivered | expired
    text("state"),
    # True if the sender gave the id: the row stays to know a repetition
    sa.Column("named", sa.Boolean, nullable=False),
    # who got it
    text("instance_id", null=True),
    moment("created_at"),
    moment("expires_at"),
)
index_where("buffered", message, "state = 'buffered'", "tenant", "name", "key", "created_at", "id")
index_where("expires", message, "state = 'buffered'", "tenant", "expires_at")
index_where("over", message, "state IN ('delivered', 'expired')", "tenant", "created_at")
index_where("recent", message, "state = 'buffered'", "tenant", "created_at")

incident = sa.Table(
    "incident",
    metadata,
    tenant(),
    text("id", key=True),
    text("root_id"),
    text("instance_id"),
    text("process_id"),
    text("element_id"),
    number("token"),
    # work | fault | uncaught_error | runaway
    text("kind"),
    text("message"),
    text("trace"),
    text("work_id", null=True),
    moment("created_at"),
    moment("resolved_at", null=True),
    text("resolved_by", null=True),
)
index_where("open", incident, "resolved_at IS NULL", "tenant", "id")
sa.Index(None, incident.c.tenant, incident.c.root_id, incident.c.token)
