"""User tasks: rows stay with a state; who may claim an open one stands in `candidate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam

from engine.model import UserTask
from engine.store.columns import among
from engine.store.connect import Connection
from engine.store.instances import Case
from engine.store.statement import Row, Statement, inserting
from engine.store.tables import candidate, instance, user_task

#: the candidate that everybody is
ANYBODY = "*"


class Ended(NamedTuple):
    """Who was faster: what a rival is told."""

    state: str
    assignee: str | None
    claimed_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None


_c = user_task.c
_VALUE = tuple(UserTask.__dataclass_fields__)
COLUMNS = [_c[name] for name in _VALUE]
_ours = _c.tenant == bindparam("tenant")
_this = sa.and_(_ours, _c.id == bindparam("b_id"))
_open = _c.state == sa.literal_column("'open'")
_who = candidate.c


def task_of(*row: Any) -> UserTask:
    made = dict(zip(_VALUE, row, strict=True))
    made["candidate_groups"] = tuple(made["candidate_groups"])
    made["candidate_users"] = tuple(made["candidate_users"])
    return UserTask(**made)


def _with_case(*row: Any) -> tuple[UserTask, Case]:
    return task_of(*row[: len(_VALUE)]), Case(*row[len(_VALUE) :])


_INSERT = Statement[Any](inserting(user_task))
_ADMIT = Statement[Any](inserting(candidate))
_DISMISS = Statement[Any](
    sa.delete(candidate).where(
        _who.tenant == bindparam("tenant"), _who.task_id == bindparam("task_id")
    )
)
_GET = Statement(sa.select(*COLUMNS).where(_this), task_of)
_LOCK = Statement(
    sa.select(*COLUMNS, *[instance.c[name] for name in Case._fields])
    .join(instance, sa.and_(instance.c.tenant == _c.tenant, instance.c.id == _c.root_id))
    .where(_this)
    .with_for_update(of=instance),
    _with_case,
)
_WHO = Statement(sa.select(*[_c[name] for name in Ended._fields]).where(_this), Ended)
_CLAIM = Statement[Any](
    sa.update(user_task)
    .where(_this, _open, _c.assignee.is_(None))
    .values(assignee=bindparam("by"), claimed_at=bindparam("now"))
)
_UNCLAIM = Statement[Any](
    sa.update(user_task).where(_this, _open).values(assignee=None, claimed_at=None)
)
_COMPLETE = Statement[Any](
    sa.update(user_task)
    .where(_this, _open)
    .values(state="completed", ended_at=bindparam("now"), ended_by=bindparam("by"))
)
_CANCEL = Statement[Row](
    sa.update(user_task)
    .where(_ours, _open, _c.root_id == bindparam("root_id"), _c.token == bindparam("token"))
    .values(state="cancelled", ended_at=bindparam("now"))
    .returning(_c.id)
)
_CANCEL_ALL = Statement[Row](
    sa.update(user_task)
    .where(_ours, _open, _c.root_id == bindparam("root_id"))
    .values(state="cancelled", ended_at=bindparam("now"))
    .returning(_c.id)
)
_COUNT = Statement[Row](sa.select(sa.func.count()).where(_ours, _open))


def insert(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Add open tasks and, for those that nobody has, who may claim them."""
    connection.many(_INSERT, rows)
    unassigned = [row for row in rows if row["assignee"] is None]
    connection.many(_ADMIT, [entry for row in unassigned for entry in _candidates(row)])


def _candidates(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    names = [f"group:{name}" for name in row["candidate_groups"]]
    names += [f"user:{name}" for name in row["candidate_users"]]
    return [{"name": name, "task_id": row["id"]} for name in dict.fromkeys(names or [ANYBODY])]


def get(connection: Connection, task_id: str) -> UserTask | None:
    """Return a task, open or over."""
    return connection.one(_GET, b_id=task_id)


def lock(connection: Connection, task_id: str) -> tuple[UserTask, Case] | None:
    """Return a task with its case, the case locked until the transaction ends."""
    return connection.one(_LOCK, b_id=task_id)


def ended(connection: Connection, task_id: str) -> Ended | None:
    """Return who has a task, or ended it, and when."""
    return connection.one(_WHO, b_id=task_id)


def claim(connection: Connection, task_id: str, by: str, now: datetime) -> bool:
    """Assign an open task that nobody has; False if a rival was faster."""
    if connection.run(_CLAIM, b_id=task_id, by=by, now=now) == 0:
        return False
    connection.run(_DISMISS, task_id=task_id)
    return True


def unclaim(connection: Connection, task: UserTask) -> bool:
    """Take an open task from its assignee, so that its candidates see it again."""
    if connection.run(_UNCLAIM, b_id=task.id) == 0:
        return False
    row = {"id": task.id, "candidate_groups": task.candidate_groups,
           "candidate_users": task.candidate_users}  # fmt: skip
    connection.many(_ADMIT, _candidates(row))
    return True


def complete(connection: Connection, task: UserTask, by: str, now: datetime) -> bool:
    """End an open task; False if a rival was faster."""
    if connection.run(_COMPLETE, b_id=task.id, by=by, now=now) == 0:
        return False
    if task.assignee is None:
        connection.run(_DISMISS, task_id=task.id)
    return True


def cancel(
    connection: Connection, root_id: str, tokens: Sequence[int] | None, now: datetime
) -> None:
    """Cancel the open tasks of tokens that are over, or (None) of the whole case."""
    if tokens is None:
        gone = connection.all(_CANCEL_ALL, root_id=root_id, now=now)
    else:
        gone = [
            row
            for token in tokens
            for row in connection.all(_CANCEL, root_id=root_id, token=token, now=now)
        ]
    connection.many(_DISMISS, [{"task_id": row[0]} for row in gone])


def open_tasks(connection: Connection) -> int:
    """Return how many tasks are open."""
    found = connection.one(_COUNT)
    assert found is not None
    return int(found[0])


# ------------------------------------------------------------------ lists

_after = _c.id > bindparam("after")
_FILTERS = {
    "state": _c.state == bindparam("state"),
    "open": _open,
    "process_id": _c.process_id == bindparam("process_id"),
    "root_id": _c.root_id == bindparam("root_id"),
    "instance_id": _c.instance_id == bindparam("instance_id"),
    "assignee": _c.assignee == bindparam("assignee"),
}
_LISTS: dict[tuple[str, ...], Statement[UserTask]] = {}
_PROCESSES = Statement[Row](
    sa.select(sa.func.min(_c.process_id)).where(_ours, _open, _c.process_id > bindparam("after"))
)
_CANDIDATE_FOR = Statement[Row](
    sa.select(_who.task_id)
    .where(_who.tenant == bindparam("tenant"), _who.name == bindparam("name"))
    .where(_who.task_id > bindparam("after"))
    .order_by(_who.task_id)
    .limit(bindparam("limit"))
)
_THESE = Statement(
    sa.select(*COLUMNS).where(_ours, among(_c.id, "ids")).order_by(_c.id), task_of
)  # fmt: skip


def page(
    connection: Connection, filters: Mapping[str, str], after: str, limit: int
) -> list[UserTask]:
    """Return tasks that pass all filters, oldest first, behind id `after`."""
    given = dict(filters)
    if given.get("state") == "open":
        # a constant in the text, so that the index on open tasks is seen to fit
        given["open"] = given.pop("state")
    if given.keys() == {"open"}:
        return _open_of_all(connection, after, limit)
    names = tuple(sorted(given))
    statement = _LISTS.get(names)
    if statement is None:
        query = sa.select(*COLUMNS).where(_ours, _after, *(_FILTERS[name] for name in names))
        query = query.order_by(_c.id).limit(bindparam("limit"))
        statement = _LISTS[names] = Statement(query, task_of)
    return connection.all(statement, **given, after=after, limit=limit)


def _open_of_all(connection: Connection, after: str, limit: int) -> list[UserTask]:
    """Walk the index of open tasks process by process; there are few processes."""
    found: list[UserTask] = []
    process = connection.one(_PROCESSES, after="")
    while process is not None and process[0] is not None:
        given = {"process_id": process[0], "state": "open"}
        found += page(connection, given, after, limit)
        process = connection.one(_PROCESSES, after=process[0])
    return sorted(found, key=lambda task: task.id)[:limit]


def claimable(
    connection: Connection, names: Sequence[str], after: str, limit: int
) -> list[UserTask]:
    """Return open tasks without assignee that one of the candidates may claim, oldest first."""
    ids = {
        row[0]
        for name in names
        for row in connection.all(_CANDIDATE_FOR, name=name, after=after, limit=limit)
    }
    return connection.all(_THESE, ids=sorted(ids)[:limit])
