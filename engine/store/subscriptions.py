"""Catches that wait for a message or a signal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam

from engine.store.connect import Connection
from engine.store.statement import Row, Statement, inserting
from engine.store.tables import message, subscription


class Waiting(NamedTuple):
    """A catch, and the message that is on its way to it, if there is one."""

    id: str
    root_id: str
    instance_id: str
    element_id: str
    token: int
    kind: str
    name: str
    key: str | None
    message_id: str | None


_c = subscription.c
_ours = _c.tenant == bindparam("tenant")
_columns = [_c[name] for name in Waiting._fields]
_free = sa.and_(_ours, _c.kind == sa.literal_column("'message'"), _c.message_id.is_(None))

_INSERT = Statement[Any](inserting(subscription))
_of_name = sa.select(*_columns).where(_free, _c.name == bindparam("name"))
_longest = (_c.created_at, _c.id)
_FIND = Statement(
    _of_name.where(sa.or_(_c.key.is_(None), _c.key == bindparam("key")))
    .order_by(*_longest)
    .limit(bindparam("limit")),
    Waiting,
)
_FIND_LOCKED = Statement(
    _of_name.where(sa.or_(_c.key.is_(None), _c.key == bindparam("key")))
    .order_by(*_longest)
    .limit(1)
    # a row that another transaction holds is being taken or deleted
    .with_for_update(skip_locked=True),
    Waiting,
)
_RESERVE = Statement[Any](
    sa.update(subscription)
    .where(_ours, _c.id == bindparam("b_id"), _c.message_id.is_(None))
    .values(message_id=bindparam("message_id"))
)
_FREE = Statement(
    sa.update(subscription)
    .where(_ours, _c.root_id == bindparam("root_id"), _c.token == bindparam("token"))
    .where(_c.message_id == bindparam("b_message_id"))
    .values(message_id=None)
    .returning(*_columns),
    Waiting,
)
_AT = Statement(
    sa.select(*_columns).where(
        _ours, _c.root_id == bindparam("root_id"), _c.token == bindparam("token")
    ),
    Waiting,
)
_CLOSE = Statement[Row](
    sa.delete(subscription)
    .where(_ours, _c.root_id == bindparam("root_id"), _c.token == bindparam("token"))
    .returning(_c.message_id)
)
_CLEAR = Statement[Row](
    sa.delete(subscription)
    .where(_ours, _c.root_id == bindparam("root_id"))
    .returning(_c.message_id)
)
_MATCHES = Statement[Row](
    sa.select(message.c.id)
    .where(
        message.c.tenant == bindparam("tenant"),
        message.c.state == sa.literal_column("'buffered'"),
        message.c.created_at > bindparam("since"),
        sa.exists().where(
            _c.tenant == message.c.tenant,
            _c.kind == sa.literal_column("'message'"),
            _c.message_id.is_(None),
            _c.name == message.c.name,
            sa.or_(_c.key.is_(None), _c.key == message.c.key),
        ),
    )
    .order_by(message.c.created_at, message.c.id)
    .limit(bindparam("limit"))
)


def insert(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Add catches."""
    connection.many(_INSERT, rows)


def find(connection: Connection, name: str, key: str | None, limit: int) -> list[Waiting]:
    """Return the free catches that a message fits, the longest waiting first."""
    return connection.all(_FIND, name=name, key=key, limit=limit)


def reserve(
    connection: Connection, name: str, key: str | None, message_id: str
) -> Waiting | None:  # fmt: skip
    """Reserve the longest waiting catch that a message fits; None if nobody waits."""
    found = connection.one(_FIND_LOCKED, name=name, key=key)
    if found is not None:
        connection.run(_RESERVE, b_id=found.id, message_id=message_id)
    return found


def reserve_this(connection: Connection, subscription_id: str, message_id: str) -> bool:
    """Reserve one catch; False if it is gone or reserved meanwhile."""
    return connection.run(_RESERVE, b_id=subscription_id, message_id=message_id) == 1


def free(connection: Connection, root_id: str, token: int, message_id: str) -> Waiting | None:
    """Make a catch that goes on waiting after a delivery free for the next message."""
    return connection.one(_FREE, root_id=root_id, token=token, b_message_id=message_id)


def at(connection: Connection, root_id: str, token: int) -> Waiting | None:
    """Return the catch of a token."""
    return connection.one(_AT, root_id=root_id, token=token)


def close(connection: Connection, root_id: str, tokens: Sequence[int]) -> list[str]:
    """Delete the catches of tokens that are over; return the messages reserved for them."""
    rows = [
        row
        for token in tokens
        for row in connection.all(_CLOSE, root_id=root_id, token=token)
    ]  # fmt: skip
    return [row[0] for row in rows if row[0] is not None]


def clear(connection: Connection, root_id: str) -> list[str]:
    """Delete all catches of a case that has ended; return the messages reserved for them."""
    return [row[0] for row in connection.all(_CLEAR, root_id=root_id) if row[0] is not None]


def missed(connection: Connection, since: Any, limit: int) -> list[str]:
    """Return buffered messages, not older than `since`, that a free catch waits for.

    On PostgreSQL a message and its catch may be committed at the same moment, unseen by each other.
    """
    return [row[0] for row in connection.all(_MATCHES, since=since, limit=limit)]
