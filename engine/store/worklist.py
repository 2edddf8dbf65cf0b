"""The work list of people: open tasks by due time, counts, and drafts of their forms.

Tasks with a due time come first, the most pressing one at the top, then those without, oldest
first; each half walks an index, so that a page costs the same however long the list is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam

from engine.model import UserTask
from engine.store.columns import among
from engine.store.connect import Connection
from engine.store.statement import Row, Statement, inserting
from engine.store.tables import candidate, draft, instance, user_task

#: counting stops here: what a person cannot do today need not be counted
COUNTED = 1000
#: before any moment that a task is due at
FIRST = datetime(1, 1, 2, tzinfo=UTC)


class Listed(NamedTuple):
    """A line of the work list."""

    task: UserTask
    #: the version of the process it belongs to
    definition_id: str


class Draft(NamedTuple):
    """What a person has typed into a form."""

    #: name of the field -> texts
    fields: dict[str, list[str]]
    saved_at: datetime


_c, _w, _i, _d = user_task.c, candidate.c, instance.c, draft.c
_VALUE = tuple(UserTask.__dataclass_fields__)
_ours = _c.tenant == bindparam("tenant")
_open = _c.state == sa.literal_column("'open'")


def _listed(*row: Any) -> Listed:
    made = dict(zip(_VALUE, row[:-1], strict=True))
    made["candidate_groups"] = tuple(made["candidate_groups"])
    made["candidate_users"] = tuple(made["candidate_users"])
    return Listed(UserTask(**made), row[-1])


_candidate_of = sa.exists().where(
    _w.tenant == _c.tenant, _w.task_id == _c.id, among(_w.name, "names")
)
_text: sa.BindParameter[Any] = bindparam("text")
#: name of a condition -> SQL; the parameters have the names of the conditions
CONDITIONS: dict[str, sa.ColumnElement[bool]] = {
    "assignee": _c.assignee == bindparam("assignee"),
    "names": _candidate_of,
    "ids": among(_c.id, "ids"),
    "process_id": _c.process_id == bindparam("process_id"),
    "group": sa.type_coerce(_c.candidate_groups, sa.Text).like(bindparam("group"), escape="\\"),
    "before": _c.due_at < bindparam("before"),
    "text": sa.or_(
        sa.func.lower(_c.name).like(_text, escape="\\"),
        sa.func.lower(_c.business_key).like(_text, escape="\\"),
    ),
}
_LISTS: dict[tuple[str, ...], Statement[Listed]] = {}
_CANDIDATES = Statement[Row](
    sa.select(_w.task_id)
    .where(_w.tenant == bindparam("tenant"), among(_w.name, "names"))
    .limit(COUNTED)
)
_MINE = Statement[Row](
    sa.select(_c.id)
    .where(_ours, _open, _c.assignee == bindparam("assignee"), _c.assignee.is_not(None))
    .limit(COUNTED)
)
_ALL = Statement[Row](sa.select(_c.id).where(_ours, _open).limit(COUNTED))
_this_draft = sa.and_(
    _d.tenant == bindparam("tenant"), _d.task_id == bindparam("b_task"),
    _d.account == bindparam("b_account"),
)  # fmt: skip
_DRAFT = Statement(sa.select(_d.fields, _d.saved_at).where(_this_draft), Draft)
_NEW_DRAFT = Statement[Any](inserting(draft))
_DROP = Statement[Any](sa.delete(draft).where(_this_draft))
_DROP_ALL = Statement[Any](
    sa.delete(draft).where(_d.tenant == bindparam("tenant"), _d.task_id == bindparam("b_task"))
)


def page(
    connection: Connection, conditions: Mapping[str, Any], after: tuple[datetime | None, str],
    limit: int,
) -> list[Listed]:  # fmt: skip
    """Return open tasks that fulfil all conditions, behind (due time, id) of the last one seen."""
    due, last = after
    found: list[Listed] = []
    if due is not None:
        found = _half(connection, "dated", conditions, limit, due=due, last=last)
        last = ""
    if len(found) < limit and "before" not in conditions:
        found += _half(connection, "undated", conditions, limit - len(found), last=last)
    return found


def _half(
    connection: Connection, half: str, conditions: Mapping[str, Any], limit: int, **after: Any
) -> list[Listed]:
    names = (half, *sorted(conditions))
    statement = _LISTS.get(names)
    if statement is None:
        statement = _LISTS[names] = Statement(_query(half, tuple(conditions)), _listed)
    return connection.all(statement, **conditions, **after, limit=limit)


def _query(half: str, conditions: Sequence[str]) -> sa.Select[Any]:
    joined = sa.and_(_i.tenant == _c.tenant, _i.id == _c.instance_id)
    query = sa.select(*[_c[name] for name in _VALUE], _i.definition_id).join(instance, joined)
    query = query.where(_ours, _open, *[CONDITIONS[name] for name in conditions])
    last = _c.id <= bindparam("last")
    if half == "dated":
        due: sa.BindParameter[Any] = bindparam("due")
        query = query.where(_c.due_at >= due, sa.not_(sa.and_(_c.due_at == due, last)))
        query = query.order_by(_c.due_at, _c.id)
    else:
        undated: sa.ColumnElement[bool] = _c.due_at.is_(None)
        if "assignee" in conditions:
            # a person's tasks are few, the undated ones may be all: keep SQLite from their index
            undated = sa.case((undated, 1), else_=0) == 1
        query = query.where(undated, sa.not_(last)).order_by(_c.id)
    return query.limit(bindparam("limit"))


def claimable(connection: Connection, names: Sequence[str]) -> list[str]:
    """Return ids of tasks that one of these candidates may claim, COUNTED at most."""
    rows = connection.all(_CANDIDATES, names=list(names))
    return list(dict.fromkeys(row[0] for row in rows))


def count(connection: Connection, assignee: str | None = None) -> int:
    """Return how many open tasks a person has, or there are; counted up to COUNTED."""
    found = connection.all(_MINE, assignee=assignee) if assignee else connection.all(_ALL)
    return len(found)


def get_draft(connection: Connection, task_id: str, account: str) -> Draft | None:
    """Return what a person has typed into the form of a task."""
    return connection.one(_DRAFT, b_task=task_id, b_account=account)


def keep_draft(
    connection: Connection, task_id: str, account: str, fields: dict[str, list[str]], now: datetime
) -> None:
    """Replace what a person has typed."""
    connection.run(_DROP, b_task=task_id, b_account=account)
    connection.run(_NEW_DRAFT, task_id=task_id, account=account, fields=fields, saved_at=now)


def drop_drafts(connection: Connection, task_id: str, account: str | None = None) -> None:
    """Forget a draft, or all of a task."""
    if account is None:
        connection.run(_DROP_ALL, b_task=task_id)
    else:
        connection.run(_DROP, b_task=task_id, b_account=account)
