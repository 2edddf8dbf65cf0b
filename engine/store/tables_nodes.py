"""What several nodes of one installation agree about."""

from __future__ import annotations

import sqlalchemy as sa

from engine.store.shape import metadata, moment, tenant, text

# what only one node does at a time: a lease that is handed over when its owner stops or dies
duty = sa.Table(
    "duty",
    metadata,
    tenant(),
    text("name", key=True),
    text("owner"),
    moment("until"),
)
