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
from engine.store import lanes
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


class Cell(NamedTuple):
    """Ready rows that a claim treats alike."""

    kind: str
    topic: str
    priority: int
    #: since when its first row may be claimed
    head: datetime
    #: how many of its rows may be claimed, counted up to the limit that was asked for
    due: int

    @property
    def key(self) -> tuple[str, str, int]:
        """What names the cell."""
        return self.kind, self.topic, self.priority


_c = work.c
_ours = _c.tenant == bindparam("tenant")
_mine = sa.and_(_ours, _c.id == bindparam("b_id"), _c.fence == bindparam("b_fence"))
_ready = _c.state == sa.literal_column("'ready'")
_columns = (
    _c.id, _c.root_id, _c.instance_id, _c.element_id, _c.token, _c.kind, _c.topic, _c.attempt,
    _c.retries, _c.fence, _c.due_at, _c.inputs, _c.headers, _c.owner, _c.lane, _c.priority,
)  # fmt: skip


def key_of(root_id: str, element_id: str, token: int) -> str:
    """Return the idempotency key: stable over all attempts of one activation."""
    return f"{root_id}/{element_id}/{token}"


def _work(*row: Any) -> Work:
    (id_, root_id, instance_id, element_id, token, kind, topic, attempt, retries, fence, due_at,
     inputs, headers, owner, lane, priority) = row  # fmt: skip
    return Work(
        id=id_, root_id=root_id, instance_id=instance_id, element_id=element_id, token=token,
        kind=kind, topic=topic, attempt=attempt, retries=retries, fence=fence, due_at=due_at,
        key=key_of(root_id, element_id, token), inputs=inputs, headers=headers,
        lane=lane, priority=priority,
        # a claim that nobody gave back, failed or settled: its process is gone
        lost=owner is not None,
    )  # fmt: skip


_INSERT = Statement[Any](inserting(work))


def _of_cell(name: str) -> sa.ColumnElement[Any]:
    return sa.literal_column(f"cells.{name}", _c[name].type)


def _walk() -> sa.CTE:
    """Return the walk from cell to cell, which comes to the first row of each.

    A few looks at one index, however many rows there are.

    Each part of the key is stepped by a look of its own, since SQLite uses only the first column
    of `(kind, topic, priority) > (...)`.
    """
    kind, topic, priority = _of_cell("kind"), _of_cell("topic"), _of_cell("priority")
    first = (
        sa.select(_c.id, _c.kind, _c.topic, _c.priority, _c.free_at)
        .where(_ours, _ready)
        .order_by(_c.kind, _c.topic, _c.priority, _c.free_at, _c.id)
        .limit(1)
        .subquery("top")
    )
    cells = sa.select(first).cte("cells", recursive=True)
    step = work.alias("step")
    n = step.c

    def look(*where: sa.ColumnElement[bool], behind: int) -> sa.ScalarSelect[Any]:
        order = (n.kind, n.topic, n.priority, n.free_at, n.id)[behind:]
        ready = (n.tenant == bindparam("tenant"), n.state == sa.literal_column("'ready'"))
        return sa.select(n.id).where(*ready, *where).order_by(*order).limit(1).scalar_subquery()

    following = sa.func.coalesce(
        look(n.kind == kind, n.topic == topic, n.priority > priority, behind=2),
        look(n.kind == kind, n.topic > topic, behind=1),
        look(n.kind > kind, behind=0),
    )
    head = work.alias("head")
    h = head.c
    return cells.union_all(
        sa.select(h.id, h.kind, h.topic, h.priority, h.free_at).select_from(
            cells.join(head, sa.and_(h.tenant == bindparam("tenant"), h.id == following))
        )
    )


def _cells() -> Statement[Cell]:
    """Return the cells with due rows."""
    cells = _walk()
    f = cells.c
    rows = work.alias("rows")
    r = rows.c
    due = (
        sa.select(sa.literal_column("1"))
        .where(
            r.tenant == bindparam("tenant"), r.state == sa.literal_column("'ready'"),
            r.kind == _of_cell("kind"), r.topic == _of_cell("topic"),
            r.priority == _of_cell("priority"),
            r.free_at <= bindparam("now"),
        )
        .limit(bindparam("limit"))
        .subquery("due")
    )  # fmt: skip
    counted = sa.select(sa.func.count()).select_from(due).scalar_subquery()
    return Statement(
        sa.select(f.kind, f.topic, f.priority, f.free_at, counted).where(
            f.free_at <= bindparam("now")
        ),
        Cell,
    )


def _picking(arms: int) -> Statement[Work]:
    """Return the statement that picks and locks due rows of so many cells."""
    parts = []
    for n in range(arms):
        part = (
            sa.select(*_columns)
            .where(_ours, _ready, _c.kind == bindparam(f"kind{n}"))
            .where(_c.topic == bindparam(f"topic{n}"), _c.priority == bindparam(f"priority{n}"))
            .where(_c.free_at <= bindparam("now"))
            .order_by(_c.free_at, _c.id)
            .limit(bindparam(f"limit{n}"))
            .with_for_update(skip_locked=True)
        )
        parts.append(part)
    if arms == 1:
        return Statement(parts[0], _work)
    wrapped = [sa.select(part.subquery(f"cell{n}")) for n, part in enumerate(parts)]
    return Statement(sa.union_all(*wrapped), _work)


_CELLS = _cells()
#: by the number of cells
_PICKS: dict[int, Statement[Work]] = {}
_LEASED = Statement[Row](
    sa.select(sa.func.count()).where(
        _ours, _ready, _c.kind == sa.literal_column("'service'"), _c.topic == bindparam("topic"),
        _c.free_at > bindparam("now"), _c.owner.is_not(None),
    )
)  # fmt: skip
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
_REVIVE = Statement(
    sa.update(work)
    .where(_ours, _c.id == bindparam("b_id"), _c.state == sa.literal_column("'dead'"))
    .values(state="ready", attempt=0, due_at=bindparam("now"), free_at=bindparam("now"))
    .returning(_c.kind, _c.topic),
    lanes.Freed,
)
_EXTEND = Statement[Any](sa.update(work).where(_mine, _ready).values(free_at=bindparam("until")))
_RELEASE = Statement[Any](
    sa.update(work)
    # once: a second time its attempt would be taken back again
    .where(_mine, _ready, _c.owner.is_not(None))
    .values(owner=None, attempt=_c.attempt - 1, free_at=_c.due_at)
)
_DISOWN = Statement(
    sa.update(work)
    .where(_ours, _ready, _c.owner == bindparam("b_owner"), sa.not_(among(_c.id, "held")))
    .values(owner=None, attempt=_c.attempt - 1, free_at=_c.due_at)
    .returning(_c.kind, _c.topic),
    lanes.Freed,
)
_FREE = Statement(
    sa.update(work)
    # the owner stays: whoever claims the row sees that its last attempt was lost
    .where(_ours, _ready, among(_c.owner, "owners"), _c.free_at > bindparam("now"))
    .values(free_at=bindparam("now"))
    .returning(_c.kind, _c.topic),
    lanes.Freed,
)
_CLOSE = Statement[Any](
    sa.delete(work).where(_ours, _c.root_id == bindparam("root_id"), _c.token == bindparam("token"))
)
_CLEAR = Statement[Any](sa.delete(work).where(_ours, _c.root_id == bindparam("root_id")))
_FORGET_TRIGGERS = Statement[Any](
    sa.delete(work).where(_ours, among(_c.trigger_id, "triggers"), _c.trigger_id.is_not(None))
)
_NEXT = Statement[Row](sa.select(_walk().c.free_at))
_COUNT = Statement[Row](
    sa.select(sa.func.count()).where(_ours, _ready, _c.free_at <= bindparam("now"))
)  # fmt: skip


def insert(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Add rows, made by `row`; those of a lane get their places in it."""
    laned = [row for row in rows if row["lane"] is not None]
    if laned:
        lanes.enter(connection, laned)
    connection.many(_INSERT, rows)


def row(connection: Connection, **given: Any) -> dict[str, Any]:
    """Return a row for `insert`: what is not given is that of fresh, ready work."""
    due = given["due_at"]
    return {
        "tenant": connection.tenant, "state": "ready", "priority": 0, "free_at": due,
        "owner": None, "attempt": 0, "fence": 0, "retries": None, "inputs": {}, "headers": {},
        "message_id": None, "trigger_id": None, "topic": "", "token": 0,
        "lane": None, "place": None, **given,
    }  # fmt: skip


def cells(connection: Connection, now: datetime, limit: int) -> list[Cell]:
    """Return the cells that have due rows, in the order of their names."""
    return connection.all(_CELLS, now=now, limit=limit)


def pick(connection: Connection, now: datetime, shares: Sequence[tuple[Cell, int]]) -> list[Work]:
    """Return and lock due rows, of each cell so many as its share; in each the longest due first.

    Rows that somebody else is claiming at this moment are left out.
    """
    if not shares:
        return []
    given: dict[str, Any] = {"now": now}
    for n, (cell, share) in enumerate(shares):
        given |= {
            f"kind{n}": cell.kind, f"topic{n}": cell.topic, f"priority{n}": cell.priority,
            f"limit{n}": share,
        }  # fmt: skip
    arms = len(shares)
    return connection.all(_PICKS.get(arms) or _PICKS.setdefault(arms, _picking(arms)), **given)


def leased(connection: Connection, topic: str, now: datetime) -> int:
    """Return how many rows of a topic are in the hands of workers."""
    found = connection.one(_LEASED, topic=topic, now=now)
    assert found is not None
    return int(found[0])


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


def revive(connection: Connection, work_id: str, now: datetime) -> lanes.Freed | None:
    """Make a dead row ready again, its attempts counted anew; None if it is not dead."""
    return connection.one(_REVIVE, b_id=work_id, now=now)


def extend(connection: Connection, work_id: str, fence: int, until: datetime) -> bool:
    """Move the end of a lease."""
    return connection.run(_EXTEND, b_id=work_id, b_fence=fence, until=until) == 1


def release(connection: Connection, work_id: str, fence: int) -> bool:
    """Give an unstarted row back at once; its attempt does not count."""
    return connection.run(_RELEASE, b_id=work_id, b_fence=fence) == 1


def disown(connection: Connection, owner: str, held: Sequence[str]) -> list[lanes.Freed]:
    """Give back what an owner has without knowing it: all of its rows but these."""
    return connection.all(_DISOWN, b_owner=owner, held=held)


def free(connection: Connection, owners: Sequence[str], now: datetime) -> list[lanes.Freed]:
    """End the leases of owners that are no more; return what may be claimed by that."""
    return connection.all(_FREE, owners=owners, now=now)


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
    return min((row[0] for row in connection.all(_NEXT)), default=None)


def due_rows(connection: Connection, now: datetime) -> int:
    """Return how many rows may be claimed."""
    found = connection.one(_COUNT, now=now)
    assert found is not None
    return int(found[0])
