"""Accounts of people, their sessions, and counted attempts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam

from engine.store.connect import Connection
from engine.store.statement import Statement, inserting
from engine.store.tables import account, bucket, web_session


class Account(NamedTuple):
    """A stored account."""

    name: str
    display: str
    role: str
    groups: list[str]
    email: str | None
    language: str | None
    zone: str | None
    theme: str | None
    password: str
    must_change: bool
    demo: bool
    created_at: datetime
    created_by: str
    disabled_at: datetime | None


class Level(NamedTuple):
    """How full a bucket was, and when."""

    level: int
    at: datetime


_c, _s, _b = account.c, web_session.c, bucket.c
_columns = [_c[name] for name in Account._fields]
_ours = _c.tenant == bindparam("tenant")
_this = sa.and_(_ours, _c.name == bindparam("b_name"))
_this_session = sa.and_(_s.tenant == bindparam("tenant"), _s.id == bindparam("b_id"))
_this_bucket = sa.and_(_b.tenant == bindparam("tenant"), _b.name == bindparam("b_name"))

_INSERT = Statement[Any](inserting(account))
_GET = Statement(sa.select(*_columns).where(_this), Account)
_LIST = Statement(sa.select(*_columns).where(_ours).order_by(_c.name), Account)
_CHANGES = {
    name: Statement[Any](sa.update(account).where(_this).values({name: bindparam("value")}))
    for name in Account._fields
    if name not in ("name", "created_at", "created_by")
}
_OPEN = Statement[Any](inserting(web_session))
_VISITOR = Statement(
    sa.select(*_columns)
    .join(web_session, sa.and_(_s.tenant == _c.tenant, _s.account == _c.name))
    .where(_this_session, _s.expires_at > bindparam("now"), _c.disabled_at.is_(None)),
    Account,
)
_CLOSE = Statement[Any](sa.delete(web_session).where(_this_session))
_CLOSE_ALL = Statement[Any](
    sa.delete(web_session).where(
        _s.tenant == bindparam("tenant"), _s.account == bindparam("b_name"),
        _s.id != bindparam("kept"),
    )
)  # fmt: skip
_CLOSE_OLD = Statement[Any](
    sa.delete(web_session).where(
        _s.tenant == bindparam("tenant"), _s.account == bindparam("b_name"),
        _s.expires_at <= bindparam("now"),
    )
)  # fmt: skip
_LEVEL = Statement(
    sa.select(*[_b[name] for name in Level._fields]).where(_this_bucket).with_for_update(), Level
)
_NEW_BUCKET = Statement[Any](inserting(bucket))
_FILL = Statement[Any](
    sa.update(bucket).where(_this_bucket).values(level=bindparam("level"), at=bindparam("now"))
)
_FORGET = Statement[Any](
    sa.delete(bucket).where(_b.tenant == bindparam("tenant"), _b.at < bindparam("before"))
)
#: a bucket nobody has touched for so long is empty, whatever it counts
_FORGOTTEN_AFTER = timedelta(days=2)


def insert(connection: Connection, **row: Any) -> None:
    """Add an account."""
    connection.run(_INSERT, **row)


def get(connection: Connection, name: str) -> Account | None:
    """Return an account, disabled or not."""
    return connection.one(_GET, b_name=name)


def everybody(connection: Connection) -> list[Account]:
    """Return every account."""
    return connection.all(_LIST)


def change(connection: Connection, name: str, changes: dict[str, Any]) -> None:
    """Set columns of an account."""
    for column, value in changes.items():
        connection.run(_CHANGES[column], b_name=name, value=value)


def open_session(connection: Connection, **row: Any) -> None:
    """Add a session; those of the same person that are over go."""
    connection.run(_CLOSE_OLD, b_name=row["account"], now=row["created_at"])
    connection.run(_OPEN, **row)


def visitor(connection: Connection, session_id: str, now: datetime) -> Account | None:
    """Return whose session this is, None if it is over or the account is disabled."""
    return connection.one(_VISITOR, b_id=session_id, now=now)


def close_session(connection: Connection, session_id: str) -> None:
    """End a session."""
    connection.run(_CLOSE, b_id=session_id)


def close_sessions(connection: Connection, name: str, *, kept: str = "") -> None:
    """End all sessions of a person but one."""
    connection.run(_CLOSE_ALL, b_name=name, kept=kept)


def level(connection: Connection, name: str) -> Level | None:
    """Return how full a bucket was when it was last filled; locked until the commit."""
    return connection.one(_LEVEL, b_name=name)


def fill(connection: Connection, name: str, level: int, now: datetime, *, new: bool) -> None:
    """Set how full a bucket is; with a new one those go that nobody needs any more."""
    if new:
        connection.run(_FORGET, before=now - _FORGOTTEN_AFTER)
        connection.run(_NEW_BUCKET, name=name, level=level, at=now)
    else:
        connection.run(_FILL, b_name=name, level=level, now=now)
