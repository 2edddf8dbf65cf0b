"""Tasks under pressure: what is open past its time, and moving that time with its timers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from engine.model import Instance, UserTask
from engine.store import instances, tasks
from engine.store.connect import Connection
from engine.store.statement import Statement
from engine.store.tables import instance, user_task, work

_t, _w, _i = user_task.c, work.c, instance.c
_tenant: sa.BindParameter[str] = bindparam("tenant")
_OPEN: sa.ColumnElement[str] = sa.literal_column("'open'")
_TIMER: sa.ColumnElement[str] = sa.literal_column("'timer'")
_READY: sa.ColumnElement[str] = sa.literal_column("'ready'")

_open = sa.select(*tasks.COLUMNS).where(_t.tenant == _tenant, _t.state == _OPEN)
_LADDER = Statement(
    _open.where(_t.process_id == bindparam("ladder"))
    .order_by(_t.due_at.is_(None), _t.due_at, _t.id)
    .limit(bindparam("limit")),
    tasks.task_of,
)
_DUE = Statement(
    _open.where(_t.due_at <= bindparam("until"))
    .order_by(_t.due_at, _t.id)
    .limit(bindparam("limit")),
    tasks.task_of,
)
_running = (
    sa.select(*instances.COLUMNS)
    .where(_i.tenant == _tenant, _i.process_id == bindparam("process_id"))
    .where(_i.state == sa.literal_column("'running'"))
    .order_by(_i.id)
    .limit(bindparam("limit"))
)
_ROOTS = Statement(_running.where(_i.parent_id.is_(None)), instances.instance_of)
_CALLED = Statement(_running.where(_i.parent_id.is_not(None)), instances.instance_of)
_POSTPONE = Statement[Any](
    sa.update(user_task)
    .where(_t.tenant == _tenant, _t.id == bindparam("b_id"), _t.state == _OPEN)
    .values(due_at=bindparam("until"))
)
_TIMERS = Statement[tuple[str, int, datetime]](
    sa.select(_w.id, _w.token, _w.due_at).where(
        _w.tenant == _tenant, _w.root_id == bindparam("root_id"),
        _w.kind == _TIMER, _w.state == _READY,
    )
)  # fmt: skip
_SET_TIMER = Statement[Any](
    sa.update(work)
    .where(_w.tenant == _tenant, _w.id == bindparam("b_id"))
    .where(_w.kind == _TIMER, _w.state == _READY)
    .values(due_at=bindparam("due"), free_at=bindparam("due"))
)


def pressing(connection: Connection, ladder: str, until: datetime, limit: int) -> list[UserTask]:
    """Return open tasks of one process, and of all others what is due by then, by the due time."""
    # two walks: with OR, a database reads all that is open
    found = connection.all(_LADDER, ladder=ladder, limit=limit)
    found += connection.all(_DUE, until=until, limit=limit)
    return sorted({task.id: task for task in found}.values(), key=_place)[:limit]


def _place(task: UserTask) -> tuple[bool, datetime, str]:
    return task.due_at is None, task.due_at or task.created_at, task.id


def running(connection: Connection, process_id: str, limit: int) -> list[Instance]:
    """Return the running instances of a process, root or called, oldest first."""
    found = connection.all(_ROOTS, process_id=process_id, limit=limit)
    found += connection.all(_CALLED, process_id=process_id, limit=limit)
    return sorted(found, key=lambda one: one.id)[:limit]


def postpone(connection: Connection, task_id: str, until: datetime) -> bool:
    """Give an open task a new due time; False if it is over."""
    return connection.run(_POSTPONE, b_id=task_id, until=until) == 1


def timers(
    connection: Connection, root_id: str, tokens: Sequence[int]
) -> list[tuple[str, datetime]]:
    """Return id and due time of the timers of these tokens that have not fired, the next first."""
    found = [
        (work_id, due)
        for work_id, token, due in connection.all(_TIMERS, root_id=root_id)
        if token in tokens
    ]
    return sorted(found, key=lambda one: one[1])


def shift(
    connection: Connection, found: Sequence[tuple[str, datetime]], by: timedelta
) -> list[datetime]:
    """Move timers; return their new due times."""
    moved = [(work_id, due + by) for work_id, due in found]
    for work_id, due in moved:
        connection.run(_SET_TIMER, b_id=work_id, due=due)
    return [due for _, due in moved]
