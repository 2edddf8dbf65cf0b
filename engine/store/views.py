"""What pages show: counts and lists over several tables; no verb that writes reads them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam

from engine.model import HistoryRow, Instance
from engine.store import history, instances
from engine.store.columns import among
from engine.store.connect import Connection
from engine.store.statement import Statement
from engine.store.tables import history as past
from engine.store.tables import incident, instance, subscription, user_task, work


class Passage(NamedTuple):
    """How often tokens of one instance came to an element, left it or were withdrawn."""

    instance_id: str
    element_id: str
    #: element.activated | element.completed | element.cancelled | element.migrated
    kind: str
    #: the sequence flow they came by; of migrated ones the element they were at; else None
    flow: str | None
    number: int
    first_at: datetime
    last_at: datetime


class Wait(NamedTuple):
    """An open obligation of a case: a handler, a timer, a message or a signal."""

    instance_id: str
    element_id: str
    token: int
    #: service | timer | continue | deliver | message | signal
    kind: str
    #: handler, message or signal; "" for timers
    name: str
    #: correlation key of a message
    key: str | None
    #: when it is due; for a catch, since when it waits
    at: datetime
    #: attempts so far
    attempt: int
    #: ready | dead (an incident stands for it) | waiting
    state: str


class OpenTask(NamedTuple):
    """The open tasks of one name in one case."""

    root_id: str
    process_id: str
    element_id: str
    name: str
    number: int
    due_at: datetime | None


class Trouble(NamedTuple):
    """Open incidents with one message at one element."""

    process_id: str
    element_id: str
    kind: str
    message: str
    number: int
    first_at: datetime
    last_at: datetime
    #: id of one of them
    sample_id: str


_p, _i, _w, _s, _t, _x = past.c, instance.c, work.c, subscription.c, user_task.c, incident.c
_tenant: sa.BindParameter[str] = bindparam("tenant")
_RUNNING: sa.ColumnElement[str] = sa.literal_column("'running'")
_OPEN: sa.ColumnElement[str] = sa.literal_column("'open'")
#: kinds of the history that say where tokens were
MOVES = ("element.activated", "element.completed", "element.cancelled", "element.migrated")
#: the kind that says how a decision was made
DECIDED = "decision.evaluated"
#: what a story leaves out: it follows from the rest, or stands elsewhere on the page
ASIDE = (
    "element.completed", "element.cancelled", "element.migrated", "variable.set", "history.erased",
)  # fmt: skip

_PASSAGES = Statement(
    sa.select(
        _p.instance_id, _p.element_id, _p.kind, _p.name,
        sa.func.count(), sa.func.min(_p.at), sa.func.max(_p.at),
    )
    .where(_p.tenant == _tenant, _p.root_id == bindparam("root_id"))
    .where(_p.kind.in_([sa.literal_column(f"'{kind}'") for kind in MOVES]))
    .group_by(_p.instance_id, _p.element_id, _p.kind, _p.name)
    .order_by(sa.func.min(_p.seq)),
    Passage,
)  # fmt: skip
_BACKWARDS = (
    history.READ.where(_p.tenant == _tenant, _p.root_id == bindparam("root_id"))
    .where(_p.seq < bindparam("before"))
    .order_by(_p.seq.desc())
    .limit(bindparam("limit"))
)
_ALL = Statement(_BACKWARDS, history.row_of)
_STORY = Statement(
    _BACKWARDS.where(_p.kind.not_in([sa.literal_column(f"'{kind}'") for kind in ASIDE])),
    history.row_of,
)
_DECIDED = Statement(_BACKWARDS.where(_p.kind == sa.literal_column(f"'{DECIDED}'")), history.row_of)
_CALLED = Statement(
    sa.select(*instances.COLUMNS)
    .where(_i.tenant == _tenant, _i.root_id == bindparam("root_id"), _i.parent_id.is_not(None))
    .order_by(_i.id),
    instances.instance_of,
)
_WORKS = Statement(
    sa.select(
        _w.instance_id, _w.element_id, _w.token, _w.kind, _w.topic,
        sa.null(), _w.due_at, _w.attempt, _w.state,
    )
    .where(_w.tenant == _tenant, _w.root_id == bindparam("root_id"))
    .order_by(_w.due_at, _w.id),
    Wait,
)  # fmt: skip
_CATCHES = Statement(
    sa.select(
        _s.instance_id, _s.element_id, _s.token, _s.kind, _s.name, _s.key, _s.created_at,
        sa.literal_column("0"), sa.literal_column("'waiting'"),
    )
    .where(_s.tenant == _tenant, _s.root_id == bindparam("root_id"))
    .order_by(_s.created_at, _s.id),
    Wait,
)  # fmt: skip
_OPEN_TASKS = Statement(
    sa.select(
        _t.root_id,
        _t.process_id,
        _t.element_id,
        _t.name,
        sa.func.count(),
        sa.func.min(_t.due_at),
    )
    .where(_t.tenant == _tenant, among(_t.root_id, "ids"), _t.state == _OPEN)
    .group_by(_t.root_id, _t.process_id, _t.element_id, _t.name)
    .order_by(_t.root_id, sa.func.min(_t.id)),
    OpenTask,
)
_STOPPED = Statement[tuple[str, int]](
    sa.select(_x.root_id, sa.func.count())
    .where(_x.tenant == _tenant, among(_x.root_id, "ids"), _x.resolved_at.is_(None))
    .group_by(_x.root_id)
)
_TROUBLES = Statement(
    sa.select(
        _x.process_id, _x.element_id, _x.kind, _x.message,
        sa.func.count(), sa.func.min(_x.created_at), sa.func.max(_x.created_at), sa.func.max(_x.id),
    )
    .where(_x.tenant == _tenant, _x.resolved_at.is_(None))
    .group_by(_x.process_id, _x.element_id, _x.kind, _x.message)
    .order_by(sa.func.max(_x.id).desc()),
    Trouble,
)  # fmt: skip
_IN_USE = Statement[tuple[str, int, int]](
    sa.select(
        _i.definition_id,
        sa.func.sum(sa.case((_i.parent_id.is_(None), 1), else_=0)),
        sa.func.sum(sa.case((_i.parent_id.is_(None), 0), else_=1)),
    )
    .where(_i.tenant == _tenant, _i.state == _RUNNING)
    .group_by(_i.definition_id)
)


def passages(connection: Connection, root_id: str) -> list[Passage]:
    """Return where the tokens of a case were, in the order of the first time."""
    return connection.all(_PASSAGES, root_id=root_id)


def backwards(
    connection: Connection, root_id: str, before: int, limit: int, *, story: bool
) -> list[HistoryRow]:
    """Return rows of a history with a number below `before`, the newest first."""
    statement = _STORY if story else _ALL
    return connection.all(statement, root_id=root_id, before=before, limit=limit)


def decided(connection: Connection, root_id: str, before: int, limit: int) -> list[HistoryRow]:
    """Return how the decisions of a case were made, below number `before`, the newest first."""
    return connection.all(_DECIDED, root_id=root_id, before=before, limit=limit)


def called(connection: Connection, root_id: str) -> list[Instance]:
    """Return the processes that a case has called, at any depth, oldest first."""
    return connection.all(_CALLED, root_id=root_id)


def waits(connection: Connection, root_id: str) -> list[Wait]:
    """Return what a case waits for beside people, by the time it is due."""
    return [*connection.all(_WORKS, root_id=root_id), *connection.all(_CATCHES, root_id=root_id)]


def open_tasks_of(connection: Connection, root_ids: Sequence[str]) -> list[OpenTask]:
    """Return the open tasks of some cases, counted by name."""
    return connection.all(_OPEN_TASKS, ids=list(root_ids)) if root_ids else []


def stopped(connection: Connection, root_ids: Sequence[str]) -> dict[str, int]:
    """Return how many open incidents each of some cases has."""
    if not root_ids:
        return {}
    return {row[0]: int(row[1]) for row in connection.all(_STOPPED, ids=list(root_ids))}


def troubles(connection: Connection) -> list[Trouble]:
    """Return the open incidents by place and message, the latest first."""
    return connection.all(_TROUBLES)


def in_use(connection: Connection) -> dict[str, tuple[int, int]]:
    """Return how many running cases, and called processes, stand on each definition."""
    return {row[0]: (int(row[1]), int(row[2])) for row in connection.all(_IN_USE)}
