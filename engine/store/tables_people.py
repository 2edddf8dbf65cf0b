"""People who sign in: their accounts, sessions and drafts, and how often somebody may try."""

from __future__ import annotations

import sqlalchemy as sa

from engine.store.shape import json, metadata, moment, number, tenant, text

account = sa.Table(
    "account",
    metadata,
    tenant(),
    # what the person types to sign in, in lower case; also the name in histories
    text("name", key=True),
    # what others read
    text("display"),
    # one of access.PEOPLE
    text("role"),
    # candidate groups of user tasks
    json("groups"),
    text("email", null=True),
    # zh | en; NULL: what the browser asks for
    text("language", null=True),
    # IANA name; NULL: UTC
    text("zone", null=True),
    # light | dark; NULL: as the system
    text("theme", null=True),
    # Argon2id with its parameters and salt
    text("password"),
    # True: the password was made by somebody else and must be replaced
    sa.Column("must_change", sa.Boolean, nullable=False),
    # made for a demonstration: such an account closes the door to other machines
    sa.Column("demo", sa.Boolean, nullable=False),
    moment("created_at"),
    text("created_by"),
    moment("disabled_at", null=True),
)

web_session = sa.Table(
    "web_session",
    metadata,
    tenant(),
    # SHA-256 of the secret in the cookie
    text("id", key=True),
    text("account"),
    moment("created_at"),
    moment("expires_at"),
)
sa.Index(None, web_session.c.tenant, web_session.c.account)

# what a person has typed into the form of a task and not sent yet
draft = sa.Table(
    "draft",
    metadata,
    tenant(),
    text("task_id", key=True),
    text("account", key=True),
    json("fields"),
    moment("saved_at"),
)

# attempts of one kind by one person or address: a bucket that empties at an even pace
bucket = sa.Table(
    "bucket",
    metadata,
    tenant(),
    text("name", key=True),
    # attempts in it, in thousandths, at `at`
    number("level"),
    moment("at"),
)
sa.Index(None, bucket.c.tenant, bucket.c.at)
