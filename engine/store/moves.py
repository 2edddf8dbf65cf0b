"""A case that goes to another version: its row, and the rows of waits whose element has another id.

All of it happens under the lock of the case.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from engine.changes import Moved
from engine.model import Instance
from engine.store.connect import Connection
from engine.store.instances import COLUMNS, instance_of
from engine.store.statement import Row, Statement
from engine.store.tables import incident, instance, subscription, user_task, work

_i = instance.c
_PIN = Statement[Any](
    sa.update(instance)
    .where(_i.tenant == bindparam("tenant"), _i.id == bindparam("b_id"))
    .values(definition_id=bindparam("definition_id"), version=bindparam("version"))
)
_RUNNING = Statement(
    sa.select(*COLUMNS)
    .where(_i.tenant == bindparam("tenant"), _i.process_id == bindparam("process_id"))
    .where(_i.state == sa.literal_column("'running'"), _i.parent_id.is_(None))
    .where(_i.definition_id == bindparam("definition_id"), _i.id > bindparam("after"))
    .order_by(_i.id)
    .limit(bindparam("limit")),
    instance_of,
)


def _renaming(table: sa.Table, *only: Any, **more: Any) -> Statement[Any]:
    columns = table.c
    return Statement[Any](
        sa.update(table)
        .where(columns.tenant == bindparam("tenant"), columns.root_id == bindparam("b_root"))
        .where(columns.token == bindparam("b_token"), *only)
        .values(element_id=bindparam("element_id"), **more)
    )


# what a handler has begun is known outside by the id of its element: it keeps it. The fence tells:
# attempts count from nothing again when people retry, and are taken back when a worker stops
_begun = sa.and_(work.c.kind == sa.literal_column("'service'"), work.c.fence > 0)
_WORK = _renaming(work, sa.not_(_begun))
_TASK = _renaming(
    user_task, user_task.c.state == sa.literal_column("'open'"),
    name=sa.func.coalesce(bindparam("name", type_=sa.Text), user_task.c.name),
    form_key=sa.case(
        (bindparam("renamed", type_=sa.Boolean), bindparam("form_key", type_=sa.Text)),
        else_=user_task.c.form_key,
    ),
)  # fmt: skip
_CATCH = _renaming(subscription)
_INCIDENT = _renaming(incident, incident.c.resolved_at.is_(None))
_BEGUN = Statement[Row](
    sa.select(work.c.token)
    .where(work.c.tenant == bindparam("tenant"), work.c.root_id == bindparam("root_id"))
    .where(_begun)
)


def pin(connection: Connection, instance_id: str, definition_id: str, version: int) -> None:
    """Let an instance be one of another version."""
    connection.run(_PIN, b_id=instance_id, definition_id=definition_id, version=version)


def running(
    connection: Connection, process_id: str, definition_id: str, after: str, limit: int
) -> list[Instance]:
    """Return running cases of one version, oldest first, behind an id."""
    return connection.all(
        _RUNNING, process_id=process_id, definition_id=definition_id, after=after, limit=limit
    )


def begun(connection: Connection, root_id: str) -> frozenset[int]:
    """Return the tokens of a case whose work a handler has begun."""
    return frozenset(row[0] for row in connection.all(_BEGUN, root_id=root_id))


def rename(connection: Connection, root_id: str, moved: Sequence[Moved]) -> None:
    """Give the rows of waits the ids of their elements now, and open tasks their names and forms.

    Work that was begun keeps its id: ask `begun` afterwards.
    """
    renamed = [one for one in moved if one.before != one.element_id]
    catching = [one for one in renamed if one.waits == "subscription"]
    for statement, chosen in (
        # a delivery on its way to a catch is work
        (_WORK, [*catching, *(one for one in renamed if one.waits == "work")]),
        (_CATCH, catching),
        (_TASK, [one for one in moved if one.waits == "task"]),
        (_INCIDENT, renamed),
    ):
        if chosen:
            connection.many(statement, [_row(root_id, one) for one in chosen])


def _row(root_id: str, one: Moved) -> dict[str, Any]:
    return {
        "b_root": root_id, "b_token": one.token, "element_id": one.element_id, "name": one.name,
        "renamed": one.name is not None, "form_key": one.form_key,
    }  # fmt: skip
