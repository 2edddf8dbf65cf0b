"""The work ledger: obligations with a lease, a fence and a counted attempt.

A row may be claimed when `free_at` has come: its due time, or the end of the lease of who had it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam

from engine.model import Work
from engine.store.columns import among
from engine.store.connect import Connection
from engine.store.statement import Row, Statement, inserting
from engine.store.tables import work

#: what only the engine itself does; all other work is a handler's
INTERNAL = ("timer", "continue", "deliver", "start")
KINDS = ("service", *INTERNAL)


class Gone(NamedTuple):
    """What is still wanted of a row that was done and deleted."""

    #: attempts counted so far; the settling one is the last of them
    attempt: int
    message_id: str | None
    trigger_id: str | None


_c = work.c
_ours = _c.tenant == bindparam("tenant")
_mine = sa.and_(_ours, _c.id == bindparam("b_id"), _c.fence == bindparam("b_fence"))
_ready = _c.state == sa.literal_column("'ready'")
_columns = (
    _c.id, _c.root_id, _c.instance_id, _c.element_id, _c.token, _c.kind, _c.topic, _c.attempt,
    _c.retries, _c.fence, _c.due_at, _c.inputs, _c.headers, _c.owner,
)  # fmt: skip


def key_of(root_id: str, element_id: str, token: int) -> str:
    """Return the idempotency key: stable over all attempts of one activation."""
    return f"{root_id}/{element_id}/{token}"


def _work(*row: Any) -> Work:
    (id_, root_id, instance_id, element_id, token, kind, topic, attempt, retries, fence, due_at,
     inputs, headers, owner) = row  # fmt: skip
    return Work(
        id=id_, root_id=root_id, instance_id=instance_id, element_id=element_id, token=token,
        kind=kind, topic=topic, attempt=attempt, retries=retries, fence=fence, due_at=due_at,
        key=key_of(root_id, element_id, token), inputs=inputs, headers=headers,
        # a claim that nobody gave back, failed or settled: its process is gone
        lost=owner is not None,
    )  # fmt: skip


_INSERT = Statement[Any](inserting(work))
_TOP = Statement[Row](
    sa.select(_c.priority).where(_ours, _ready).order_by(_c.priority.desc()).limit(1),
)
_BELOW = Statement[Row](
    sa.select(_c.priority)
    .where(_ours, _ready, _c.priority < bindparam("below"))
    .order_by(_c.priority.desc())
    .limit(1),
)
_pick = (
    sa.select(*_columns)
    .where(_ours, _ready, _c.priority == bindparam("priority"))
    .where(_c.free_at <= bindparam("now"))
    .order_by(_c.free_at, _c.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_PICK = Statement(_pick, _work)
_PICK_SOME = Statement(
    _pick.where(among(_c.kind, "kinds")).where(
        sa.or_(_c.kind != sa.literal_column("'service'"), among(_c.topic, "topics"))
    ),
    _work,
)
_PICK_KINDS = Statement(_pick.where(among(_c.kind, "kinds")), _work)
_PICK_ONE = Statement(
    sa.select(*_columns)
    .where(_ours, _ready, _c.id == bindparam("b_id"), _c.free_at <= bindparam("now"))
    .with_for_update(skip_locked=True),
    _work,
)
_TAKE = Statement[Any](
    sa.update(work)
    .where(_ours, among(_c.id, "ids"))
    .values(
        owner=bindparam("owner"), free_at=bindparam("until"),
        attempt=_c.attempt + 1, fence=_c.fence + 1,
    )
)  # fmt: skip
_GET = Statement(sa.select(*_columns).where(_ours, _c.id == bindparam("b_id")), _work)
_FENCED = Statement[Row](
    sa.select(_c.id, _c.fence).where(_ours, _ready, among(_c.id, "ids")).with_for_update()
)
_gone = [_c[name] for name in Gone._fields]
_DONE = Statement(sa.delete(work).where(_mine, _ready).returning(*_gone), Gone)
_DONE_UNFENCED = Statement(
    sa.delete(work).where(_ours, _ready, _c.id == bindparam("b_id")).returning(*_gone), Gone
)
_DELETE = Statement[Any](sa.delete(work).where(_ours, among(_c.id, "ids")))
_LATER = Statement[Any](
    sa.update(work)
    .where(_mine, _ready)
    .values(owner=None, due_at=bindparam("free"), free_at=bindparam("free"))
)
_DEAD = Statement[Any](sa.update(work).where(_mine, _ready).values(owner=None, state="dead"))
_REVIVE = Statement[Any](
    sa.update(work)
    .where(_ours, _c.id == bindparam("b_id"), _c.state == sa.literal_column("'dead'"))
    .values(state="ready", attempt=0, due_at=bindparam("now"), free_at=bindparam("now"))
)
_EXTEND = Statement[Any](sa.update(work).where(_mine, _ready).values(free_at=bindparam("until")))
_RELEASE = Statement[Any](
    sa.update(work)
    .where(_mine, _ready)
    .values(owner=None, attempt=_c.attempt - 1, free_at=_c.due_at)
)
_CLOSE = Statement[Any](
    sa.delete(work).where(_ours, _c.root_id == bindparam("root_id"), _c.token == bindparam("token"))
)
_CLEAR = Statement[Any](sa.delete(work).where(_ours, _c.root_id == bindparam("root_id")))
_FORGET_TRIGGERS = Statement[Any](
    sa.delete(work).where(_ours, among(_c.trigger_id, "triggers"), _c.trigger_id.is_not(None))
)
_NEXT = Statement[Row](
    sa.select(_c.free_at).where(_ours, _ready).order_by(_c.free_at).limit(1),
)
_COUNT = Statement[Row](
    sa.select(sa.func.count()).where(_ours, _ready, _c.free_at <= bindparam("now"))
)  # fmt: skip


def insert(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Add rows, made by `row`."""
    connection.many(_INSERT, rows)


def row(connection: Connection, **given: Any) -> dict[str, Any]:
    """Return a row for `insert`: what is not given is that of fresh, ready work."""
    due = given["due_at"]
    return {
        "tenant": connection.tenant, "state": "ready", "priority": 0, "free_at": due,
        "owner": None, "attempt": 0, "fence": 0, "retries": None, "inputs": {}, "headers": {},
        "message_id": None, "trigger_id": None, "topic": "", "token": 0, **given,
    }  # fmt: skip


def pick(
    connection: Connection,
    now: datetime,
    limit: int,
    kinds: Sequence[str] | None,
    topics: Sequence[str] | None,
) -> list[Work]:
    """Return and lock due rows, larger priority first, then the longest due.

    One look at the index for each priority in use, however many rows wait for their time.
    """
    found: list[Work] = []
    level = connection.one(_TOP)
    while level is not None and len(found) < limit:
        given = {"priority": level[0], "now": now, "limit": limit - len(found)}
        if topics is not None:
            found += connection.all(_PICK_SOME, **given, kinds=kinds or KINDS, topics=topics)
        elif kinds is not None:
            found += connection.all(_PICK_KINDS, **given, kinds=kinds)
        else:
            found += connection.all(_PICK, **given)
        if len(found) < limit:
            level = connection.one(_BELOW, below=level[0])
    return found


def pick_one(connection: Connection, work_id: str, now: datetime) -> Work | None:
    """Return and lock one row if it may be claimed."""
    return connection.one(_PICK_ONE, b_id=work_id, now=now)


def take(connection: Connection, ids: Sequence[str], owner: str, until: datetime) -> None:
    """Give locked rows to an owner: lease, fence and attempt."""
    connection.run(_TAKE, ids=ids, owner=owner, until=until)


def get(connection: Connection, work_id: str) -> Work | None:
    """Return a row as it is now."""
    return connection.one(_GET, b_id=work_id)


def done(connection: Connection, work_id: str, fence: int | None) -> Gone | None:
    """Delete a row if its fence is still this one; None (tests only) does not look at the fence."""
    if fence is None:
        return connection.one(_DONE_UNFENCED, b_id=work_id)
    return connection.one(_DONE, b_id=work_id, b_fence=fence)


def fences(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    """Return the present fences of rows that are there and ready, and lock them."""
    return {work_id: fence for work_id, fence in connection.all(_FENCED, ids=ids)}


def delete(connection: Connection, ids: Sequence[str]) -> None:
    """Delete rows by id."""
    connection.run(_DELETE, ids=ids)


def later(connection: Connection, work_id: str, fence: int, free_at: datetime) -> bool:
    """Give a failed row back, to be tried again at a later moment."""
    return connection.run(_LATER, b_id=work_id, b_fence=fence, free=free_at) == 1


def dead(connection: Connection, work_id: str, fence: int) -> bool:
    """Take a row out of the race: an incident stands for it."""
    return connection.run(_DEAD, b_id=work_id, b_fence=fence) == 1


def revive(connection: Connection, work_id: str, now: datetime) -> bool:
    """Make a dead row ready again, its attempts counted anew."""
    return connection.run(_REVIVE, b_id=work_id, now=now) == 1


def extend(connection: Connection, work_id: str, fence: int, until: datetime) -> bool:
    """Move the end of a lease."""
    return connection.run(_EXTEND, b_id=work_id, b_fence=fence, until=until) == 1


def release(connection: Connection, work_id: str, fence: int) -> bool:
    """Give an unstarted row back at once; its attempt does not count."""
    return connection.run(_RELEASE, b_id=work_id, b_fence=fence) == 1


def close(connection: Connection, root_id: str, tokens: Sequence[int]) -> None:
    """Delete the rows of tokens that are over."""
    connection.many(
        _CLOSE,
        [{"tenant": connection.tenant, "root_id": root_id, "token": token} for token in tokens],
    )


def clear(connection: Connection, root_id: str) -> None:
    """Delete all rows of a case that has ended."""
    connection.run(_CLEAR, root_id=root_id)


def forget_triggers(connection: Connection, trigger_ids: Sequence[str]) -> None:
    """Delete the waiting timers of start events that are active no more."""
    connection.run(_FORGET_TRIGGERS, triggers=trigger_ids)


def next_due(connection: Connection) -> datetime | None:
    """Return when the earliest row may be claimed; None if there is nothing to wait for."""
    found = connection.one(_NEXT)
    return None if found is None else found[0]


def due_rows(connection: Connection, now: datetime) -> int:
    """Return how many rows may be claimed."""
    found = connection.one(_COUNT, now=now)
    assert found is not None
    return int(found[0])
