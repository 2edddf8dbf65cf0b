"""Messages: the buffer, the reservations, and the ids that were seen before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects import postgresql, sqlite

from engine.store.connect import Connection
from engine.store.statement import Row, Statement
from engine.store.tables import message, subscription


class Message(NamedTuple):
    """A message as it is stored."""

    id: str
    name: str
    key: str | None
    payload: Any
    keys: Any
    state: str
    named: bool
    instance_id: str | None
    created_at: datetime
    expires_at: datetime


_c = message.c
_ours = _c.tenant == bindparam("tenant")
_columns = [_c[name] for name in Message._fields]
_given: dict[str, Any] = {column.name: bindparam(column.name) for column in _c}
_buffered = _c.state == sa.literal_column("'buffered'")
_fresh = sa.and_(_ours, _buffered, _c.name == bindparam("name"), _c.expires_at > bindparam("now"))
_oldest = (_c.created_at, _c.id)

_ADD = {
    "sqlite": Statement[Any](sqlite.insert(message).values(_given).on_conflict_do_nothing()),
    "postgresql": Statement[Any](
        postgresql.insert(message).values(_given).on_conflict_do_nothing()
    ),
}
_GET = Statement(
    sa.select(*_columns).where(_ours, _c.id == bindparam("b_id")).with_for_update(), Message
)
_ARRIVING = Statement(
    sa.select(*_columns, subscription.c.id)
    .select_from(
        message.outerjoin(
            subscription,
            sa.and_(
                subscription.c.tenant == _c.tenant,
                subscription.c.root_id == bindparam("root_id"),
                subscription.c.token == bindparam("token"),
                subscription.c.message_id == _c.id,
            ),
        )
    )
    .where(_ours, _c.id == bindparam("b_id"))
    .with_for_update(of=message),
    lambda *row: (Message(*row[:-1]), row[-1] is not None),
)
_ANY = Statement(
    sa.select(*_columns)
    .where(_fresh)
    .order_by(*_oldest)
    .limit(1)
    .with_for_update(skip_locked=True),
    Message,
)
_KEYED = Statement(
    sa.select(*_columns)
    .where(_fresh, _c.key == bindparam("key"))
    .order_by(*_oldest)
    .limit(1)
    .with_for_update(skip_locked=True),
    Message,
)
_STATE = Statement[Any](
    sa.update(message)
    .where(_ours, _c.id == bindparam("b_id"))
    .values(state=bindparam("state"), instance_id=bindparam("instance_id"))
)
_DELIVERED = Statement[Any](
    sa.update(message)
    .where(_ours, _c.id == bindparam("b_id"))
    # the id stays to know a repetition, the content has gone to the case
    .values(state="delivered", instance_id=bindparam("instance_id"), payload=None, keys={})
)
_DELETE = Statement[Any](sa.delete(message).where(_ours, _c.id == bindparam("b_id")))
_old = (
    sa.select(_c.id)
    .where(_ours, _buffered, _c.expires_at <= bindparam("now"))
    .order_by(_c.expires_at)
    .limit(bindparam("limit"))
)
_EXPIRED = Statement[Row](_old.with_for_update(skip_locked=True))
_EXPIRE = Statement[Any](
    sa.update(message)
    .where(_ours, _buffered, _c.id == bindparam("b_id"), _c.named)
    .values(state="expired", payload=None, keys={})
)
_DROP = Statement[Any](
    sa.delete(message).where(_ours, _buffered, _c.id == bindparam("b_id"), sa.not_(_c.named))
)
_COUNT = Statement[Row](sa.select(sa.func.count()).where(_ours, _buffered))


def add(connection: Connection, row: Mapping[str, Any]) -> bool:
    """Store a message; False if one with its id was there before."""
    statement = _ADD[connection.dialect.name]
    return connection.run(statement, **row) == 1


def get(connection: Connection, message_id: str) -> Message | None:
    """Return a message, locked until the transaction ends."""
    return connection.one(_GET, b_id=message_id)


def arriving(
    connection: Connection, message_id: str, root_id: str, token: int
) -> tuple[Message, bool] | None:
    """Return a message, locked, and whether the catch of the token still waits for just it."""
    return connection.one(_ARRIVING, b_id=message_id, root_id=root_id, token=token)


def oldest(
    connection: Connection, name: str, key: str | None, now: datetime
) -> Message | None:  # fmt: skip
    """Return the oldest buffered message for a catch; without a key the catch takes any."""
    if key is None:
        return connection.one(_ANY, name=name, now=now)
    return connection.one(_KEYED, name=name, key=key, now=now)


def reserved(connection: Connection, message_id: str) -> None:
    """Mark a message as being on its way."""
    connection.run(_STATE, b_id=message_id, state="reserved", instance_id=None)


def buffered(connection: Connection, message_id: str) -> None:
    """Put a message (back) into the buffer."""
    connection.run(_STATE, b_id=message_id, state="buffered", instance_id=None)


def delivered(connection: Connection, found: Message, instance_id: str) -> None:
    """Forget the content of a message; one whose id its sender gave stays as a mark."""
    if found.named:
        connection.run(_DELIVERED, b_id=found.id, instance_id=instance_id)
    else:
        connection.run(_DELETE, b_id=found.id)


def expire(connection: Connection, now: datetime, limit: int) -> int:
    """End messages that nobody has fetched in time; return how many."""
    ids = [row[0] for row in connection.all(_EXPIRED, now=now, limit=limit)]
    rows = [{"tenant": connection.tenant, "b_id": message_id} for message_id in ids]
    connection.many(_EXPIRE, rows)
    connection.many(_DROP, rows)
    return len(ids)


def waiting(connection: Connection) -> int:
    """Return how many messages are buffered."""
    found = connection.one(_COUNT)
    assert found is not None
    return int(found[0])
