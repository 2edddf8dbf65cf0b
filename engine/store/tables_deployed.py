"""What is deployed: bundles, definitions, and the start events that wait by themselves."""

from __future__ import annotations

import sqlalchemy as sa

from engine.store.shape import index_where, json, metadata, moment, number, tenant, text

meta = sa.Table("meta", metadata, text("name", key=True), text("value"))

deployment = sa.Table(
    "deployment",
    metadata,
    tenant(),
    text("id", key=True),
    text("hash"),
    moment("created_at"),
    text("created_by"),
    text("comment"),
    # warnings and notes of the gate
    json("problems"),
    sa.UniqueConstraint("tenant", "hash"),
)

file = sa.Table(
    "file",
    metadata,
    tenant(),
    # SHA-256 of the content: equal files of many deployments are stored once
    text("hash", key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

deployment_file = sa.Table(
    "deployment_file",
    metadata,
    tenant(),
    text("deployment_id", key=True),
    text("name", key=True),
    text("hash"),
    sa.ForeignKeyConstraint(["tenant", "deployment_id"], ["deployment.tenant", "deployment.id"]),
    sa.ForeignKeyConstraint(["tenant", "hash"], ["file.tenant", "file.hash"]),
)

definition = sa.Table(
    "definition",
    metadata,
    tenant(),
    text("id", key=True),
    text("process_id"),
    number("version"),
    text("name"),
    text("deployment_id"),
    # content hash of the bundle
    text("hash"),
    text("version_tag", null=True),
    sa.Column("active", sa.Boolean, nullable=False),
    moment("created_at"),
    sa.UniqueConstraint("tenant", "process_id", "version"),
    sa.ForeignKeyConstraint(["tenant", "deployment_id"], ["deployment.tenant", "deployment.id"]),
)
index_where("active", definition, "active", "tenant", "process_id", unique=True)
sa.Index(None, definition.c.tenant, definition.c.deployment_id)

# one row for each version of each decision of a deployed model
decision = sa.Table(
    "decision",
    metadata,
    tenant(),
    text("id", key=True),
    text("decision_id"),
    number("version"),
    text("name"),
    text("deployment_id"),
    # name of the file in the deployment
    text("file"),
    text("version_tag", null=True),
    sa.Column("active", sa.Boolean, nullable=False),
    moment("created_at"),
    sa.UniqueConstraint("tenant", "decision_id", "version"),
    sa.ForeignKeyConstraint(["tenant", "deployment_id"], ["deployment.tenant", "deployment.id"]),
)
index_where("active", decision, "active", "tenant", "decision_id", unique=True)
sa.Index(None, decision.c.tenant, decision.c.deployment_id)

# start events of the active definitions that nobody calls by name
trigger = sa.Table(
    "trigger",
    metadata,
    tenant(),
    text("id", key=True),
    text("definition_id"),
    text("process_id"),
    text("element_id"),
    # message | signal | timer
    text("kind"),
    text("name"),
)
sa.Index(None, trigger.c.tenant, trigger.c.kind, trigger.c.name)
sa.Index(None, trigger.c.tenant, trigger.c.process_id)

# values that outlive cases: what a drawing calls a data store
data_store = sa.Table(
    "data_store",
    metadata,
    tenant(),
    text("name", key=True),
    json("value", null=True),
    moment("changed_at"),
    # id of the case, or name of the person
    text("changed_by"),
)

# bundles that are not finished: kept and shown, never executed
bundle_draft = sa.Table(
    "bundle_draft",
    metadata,
    tenant(),
    text("id", key=True),
    # what the analyst calls it
    text("title"),
    # grows by one with each replacement of the files
    number("revision"),
    moment("created_at"),
    text("created_by"),
    moment("saved_at"),
    text("saved_by"),
)

bundle_draft_file = sa.Table(
    "bundle_draft_file",
    metadata,
    tenant(),
    text("draft_id", key=True),
    text("name", key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.ForeignKeyConstraint(["tenant", "draft_id"], ["bundle_draft.tenant", "bundle_draft.id"]),
)
