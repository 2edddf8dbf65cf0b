"""The work list of people: open tasks by due time, counts, and drafts of their forms.

Tasks with a due time come first, the most pressing one at the top, then those without, oldest
first. A list of all or of many walks an index in that order; what is few (of one person, of some
cases) is found by an index of its own and sorted. So a page costs the same however much is open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam

from engine.model import UserTask
from engine.store import search
from engine.store.columns import Moment, among
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


# not EXISTS, which PostgreSQL may turn round: all that the candidates may claim, then sorted
_candidate_of = (
    sa.select(sa.literal_column("true", sa.Boolean))
    .where(_w.tenant == _c.tenant, _w.task_id == _c.id, among(_w.name, "names"))
    .limit(sa.literal_column("1"))
    .scalar_subquery()
)
#: name of a condition -> SQL; the parameters have the names of the conditions
CONDITIONS: dict[str, sa.ColumnElement[bool]] = {
    "assignee": _c.assignee == bindparam("assignee"),
    # only what nobody has has candidates, and an index of its own
    "names": sa.and_(_c.assignee.is_(None), _candidate_of),
    "ids": among(_c.id, "ids"),
    "process_id": _c.process_id == bindparam("process_id"),
    "group": sa.type_coerce(_c.candidate_groups, sa.Text).like(bindparam("group"), escape="\\"),
    "before": _c.due_at < bindparam("before"),
    "text": sa.or_(search.contains(_c.name), search.contains(_c.business_key)),
    # the ways to a text: tasks of one name, of some cases, of any name that no index knows
    "name": sa.and_(_c.name == bindparam("name"), search.IS_SHORT),
    "roots": among(_c.root_id, "roots"),
    "long": search.IS_LONG,
}
#: conditions that few tasks fulfil, each of them with an index of its own
_FEW = {"assignee", "ids", "roots", "long"}
_ONE: sa.ColumnElement[int] = sa.literal_column("1")
_NONE: sa.ColumnElement[int] = sa.literal_column("0")
_later = sa.tuple_(_c.due_at, _c.id) > sa.tuple_(
    bindparam("due", type_=Moment()), bindparam("last", type_=sa.Text())
)
#: part of a list -> SQL for what stands in it behind the last one seen
_BEHIND: dict[str, sa.ColumnElement[bool]] = {
    "dated": _later,
    "undated": sa.and_(_c.due_at.is_(None), _c.id > bindparam("last")),
    "both": sa.or_(_c.due_at.is_(None), _later),
}
_LISTS: dict[tuple[str, int, tuple[str, ...]], Statement[Listed]] = {}
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
_OF_PROCESS = Statement[Row](
    sa.select(_c.id)
    .where(_ours, _open, _c.process_id == bindparam("process_id"))
    .order_by(_c.id)
    .limit(COUNTED)
)
# in the order of an index, or PostgreSQL reads the whole table: it takes COUNTED for soon found
_ALL = Statement[Row](
    sa.select(_c.id).where(_ours, _open).order_by(_c.due_at, _c.id).limit(COUNTED)
)
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
    found = {
        row.task.id: row
        for way in _ways(connection, conditions)
        for row in _along(connection, way, after, limit)
    }
    return sorted(found.values(), key=_place)[:limit]


def _ways(connection: Connection, conditions: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return conditions whose lists, put together, are the list that is wanted.

    A text leads to the tasks of each name and of the cases that have it. Where it stands in too
    many of them, a walk along all open tasks soon meets enough.
    """
    if "text" not in conditions:
        return [_shortened(connection, conditions)]
    fitting = {**conditions, "pattern": search.pattern(conditions["text"])}
    places = None if conditions.keys() & _FEW else search.places(connection, conditions["text"])
    if places is None:
        return [fitting]
    named = {name: value for name, value in conditions.items() if name != "text"}
    ways: list[Mapping[str, Any]] = [{**named, "name": name} for name in places.names]
    ways += [{**fitting, "roots": places.cases}] if places.cases else []
    ways += [{**fitting, "long": True}] if places.long else []
    return ways


def _shortened(connection: Connection, conditions: Mapping[str, Any]) -> Mapping[str, Any]:
    """Name the tasks of a process that has few, which a walk along all others would look for."""
    if "process_id" not in conditions or conditions.keys() & _FEW:
        return conditions
    found = connection.all(_OF_PROCESS, process_id=conditions["process_id"])
    few = len(found) < COUNTED
    return {**conditions, "ids": [row[0] for row in found]} if few else conditions


def _place(row: Listed) -> tuple[bool, datetime, str]:
    due = row.task.due_at
    return due is None, due or FIRST, row.task.id


def _along(
    connection: Connection, conditions: Mapping[str, Any], after: tuple[datetime | None, str],
    limit: int,
) -> list[Listed]:  # fmt: skip
    due, last = after
    if conditions.keys() & _FEW:
        part = "undated" if due is None else "both"
        return _listing(connection, part, conditions, due=due, last=last, limit=limit)
    found: list[Listed] = []
    if due is not None:
        found = _listing(connection, "dated", conditions, due=due, last=last, limit=limit)
        last = ""
    if len(found) < limit and "before" not in conditions:
        rest = limit - len(found)
        found += _listing(connection, "undated", conditions, last=last, limit=rest)
    return found


def _listing(
    connection: Connection, part: str, conditions: Mapping[str, Any], **bounds: Any
) -> list[Listed]:
    """Return at least the first `limit` lines of a part; who asked cuts them off."""
    names = tuple(sorted(conditions.keys() & CONDITIONS.keys()))
    # some sizes only, each in the text of the statement: where PostgreSQL sees how few rows are
    # wanted it may keep its plan; of a parameter it supposes a tenth of all, and plans each time
    rows = 1 << (int(bounds.pop("limit")) - 1).bit_length()
    statement = _LISTS.get((part, rows, names))
    if statement is None:
        statement = _LISTS[part, rows, names] = Statement(_query(part, rows, names), _listed)
    return connection.all(statement, **conditions, **bounds)


def _query(part: str, rows: int, conditions: Sequence[str]) -> sa.Select[Any]:
    joined = sa.and_(_i.tenant == _c.tenant, _i.id == _c.instance_id)
    query = sa.select(*[_c[name] for name in _VALUE], _i.definition_id).join(instance, joined)
    query = query.where(_ours, _open, *[CONDITIONS[name] for name in conditions])
    order: list[sa.ColumnElement[Any]] = [_c.due_at, _c.id]
    behind = _BEHIND[part]
    if _FEW.intersection(conditions):
        # no database is to walk its index of due times for what it finds by another one
        behind = sa.case((behind, _ONE), else_=_NONE) == _ONE
        order.insert(0, sa.case((_c.due_at.is_(None), _ONE), else_=_NONE))
    return query.where(behind).order_by(*order).limit(sa.literal_column(str(rows)))


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
