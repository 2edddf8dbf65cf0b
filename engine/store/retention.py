"""What has been kept long enough: cases that ended, and ids of messages that were delivered.

A few at a time, so that nobody waits; what another node is removing is left to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from engine.model import InstanceState
from engine.store.columns import among
from engine.store.connect import Connection
from engine.store.month import first_id
from engine.store.statement import Row, Statement
from engine.store.tables import archived, blob, history, incident, instance, message, user_task

_i, _m = instance.c, message.c
_OVER = tuple(state.value for state in InstanceState if state is not InstanceState.RUNNING)

#: the index leads with the state, so one look for each; ids begin with the time of their start
_ENDED = Statement[Row](
    sa.select(_i.id)
    .where(_i.tenant == bindparam("tenant"), _i.parent_id.is_(None), _i.state == bindparam("state"))
    .where(_i.id < bindparam("before_id"), _i.ended_at < bindparam("before"))
    .order_by(_i.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
#: called instances before their root, which is what is looked for
_DELETES = tuple(
    Statement[Any](
        sa.delete(table).where(table.c.tenant == bindparam("tenant"), among(table.c.root_id, "ids"))
    )
    for table in (history, archived, blob, user_task, incident)
)
_CALLED = Statement[Any](
    sa.delete(instance).where(
        _i.tenant == bindparam("tenant"), among(_i.root_id, "ids"), _i.parent_id.is_not(None)
    )
)
_ROOTS = Statement[Any](
    sa.delete(instance).where(_i.tenant == bindparam("tenant"), among(_i.id, "ids"))
)
_old = (
    sa.select(_m.id)
    .where(_m.tenant == bindparam("tenant"), _m.created_at < bindparam("before"))
    .where(_m.state.in_([sa.literal_column("'delivered'"), sa.literal_column("'expired'")]))
    .order_by(_m.created_at)
    .limit(bindparam("limit"))
)
_OLD_IDS = Statement[Row](_old.with_for_update(skip_locked=True))
_FORGET = Statement[Any](
    sa.delete(message).where(_m.tenant == bindparam("tenant"), among(_m.id, "ids"))
)


def drop_cases(connection: Connection, before: datetime, limit: int) -> int:
    """Delete cases that ended before a moment, with all they have left; return how many."""
    found: list[str] = []
    for state in _OVER:
        if len(found) < limit:
            rows = connection.all(
                _ENDED, state=state, before=before, before_id=first_id(before),
                limit=limit - len(found),
            )  # fmt: skip
            found += [str(row[0]) for row in rows]
    if found:
        for statement in (*_DELETES, _CALLED, _ROOTS):
            connection.run(statement, ids=found)
    return len(found)


def forget_messages(connection: Connection, before: datetime, limit: int) -> int:
    """Forget ids of messages that came before a moment and are over; return how many."""
    ids: Sequence[str] = [
        str(row[0]) for row in connection.all(_OLD_IDS, before=before, limit=limit)
    ]
    if ids:
        connection.run(_FORGET, ids=ids)
    return len(ids)
