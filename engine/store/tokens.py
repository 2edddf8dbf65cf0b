"""API tokens (only the hash of a secret is stored) and the recorded acts of admins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam

from engine.store.columns import among
from engine.store.connect import Connection
from engine.store.statement import Statement, inserting
from engine.store.tables import act, api_token


class Token(NamedTuple):
    """A stored API token."""

    id: str
    name: str
    role: str
    hash: str
    created_at: datetime
    created_by: str
    revoked_at: datetime | None
    revoked_by: str | None


class Act(NamedTuple):
    """What somebody did to definitions or cases, and why."""

    id: str
    at: datetime
    by: str
    verb: str
    subject: str
    why: str


_c = api_token.c
_columns = [_c[name] for name in Token._fields]
_ours = _c.tenant == bindparam("tenant")
_INSERT = Statement[Any](inserting(api_token))
_GET = Statement(sa.select(*_columns).where(_ours, _c.id == bindparam("b_id")), Token)
_LIST = Statement(sa.select(*_columns).where(_ours).order_by(_c.id), Token)
_REVOKE = Statement[Any](
    sa.update(api_token)
    .where(_ours, _c.id == bindparam("b_id"), _c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"), revoked_by=bindparam("by"))
)
_RECORD = Statement[Any](inserting(act))
_ACTS = Statement(
    sa.select(*[act.c[name] for name in Act._fields])
    .where(act.c.tenant == bindparam("tenant"), act.c.id < bindparam("after"))
    .order_by(act.c.id.desc())
    .limit(bindparam("limit")),
    Act,
)
_ACTS_ON = Statement(
    sa.select(*[act.c[name] for name in Act._fields])
    .where(act.c.tenant == bindparam("tenant"), among(act.c.subject, "subjects"))
    .order_by(act.c.id.desc()),
    Act,
)


def insert(connection: Connection, **row: Any) -> None:
    """Add a token."""
    connection.run(_INSERT, **row, revoked_at=None, revoked_by=None)


def get(connection: Connection, token_id: str) -> Token | None:
    """Return a token, revoked or not."""
    return connection.one(_GET, b_id=token_id)


def all_tokens(connection: Connection) -> list[Token]:
    """Return every token."""
    return connection.all(_LIST)


def revoke(connection: Connection, token_id: str, by: str, now: datetime) -> bool:
    """End a token; False if there is none that lives."""
    return connection.run(_REVOKE, b_id=token_id, by=by, now=now) == 1


def record(connection: Connection, **row: Any) -> None:
    """Write down an act."""
    connection.run(_RECORD, **row)


def acts(connection: Connection, after: str | None, limit: int) -> list[Act]:
    """Return recorded acts, newest first."""
    return connection.all(_ACTS, after=after or "~", limit=limit)


def acts_on(connection: Connection, subjects: Sequence[str]) -> list[Act]:
    """Return the recorded acts on these subjects, newest first."""
    return connection.all(_ACTS_ON, subjects=list(subjects)) if subjects else []
