"""What was, who did it, and who may ask."""

from __future__ import annotations

import sqlalchemy as sa

from engine.store.shape import metadata, moment, number, tenant, text

history = sa.Table(
    "history",
    metadata,
    tenant(),
    text("root_id", key=True),
    number("seq", key=True),
    moment("at"),
    text("kind"),
    text("instance_id"),
    text("element_id", null=True),
    number("token", null=True),
    text("actor", null=True),
    text("name", null=True),
    # JSON; NULL if there is none, if it is erased, or if it stands in `blob`
    text("value", null=True),
    text("blob", null=True),
    sa.Column("erased", sa.Boolean, nullable=False),
    # one tree instead of two: the rows of a case lie together
    sqlite_with_rowid=False,
)

# large values of the history of one case, by the SHA-256 of their JSON
blob = sa.Table(
    "blob", metadata, tenant(), text("root_id", key=True), text("hash", key=True), text("value")
)

# what an admin did to definitions and cases, and why
act = sa.Table(
    "act",
    metadata,
    tenant(),
    text("id", key=True),
    moment("at"),
    text("by"),
    # activate | cancel | erase | retry
    text("verb"),
    text("subject"),
    text("why"),
)
sa.Index(None, act.c.tenant, act.c.subject)

api_token = sa.Table(
    "api_token",
    metadata,
    tenant(),
    text("id", key=True),
    text("name"),
    text("role"),
    # SHA-256 of the secret, which nobody can read again
    text("hash"),
    moment("created_at"),
    text("created_by"),
    moment("revoked_at", null=True),
    text("revoked_by", null=True),
)
