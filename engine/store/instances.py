"""Process instances: root instances with snapshot and lock, called ones beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam

from engine.model import Instance, InstanceState
from engine.store.columns import among
from engine.store.connect import Connection
from engine.store.statement import Row, Statement, inserting
from engine.store.tables import instance

#: bits of `owns`: which other tables may hold rows of the case, so that its end need not look
WORK, TASKS, SUBSCRIPTIONS, INCIDENTS, CALLED, LANES, LARGE = (1, 2, 4, 8, 16, 32, 64)


class Case(NamedTuple):
    """A root instance as it is stored, locked for the transaction."""

    id: str
    definition_id: str
    process_id: str
    version: int
    business_key: str | None
    state: str
    started_at: datetime
    ended_at: datetime | None
    revision: int
    history_seq: int
    owns: int
    snapshot: bytes | None

    def value(self, *, created: bool = True) -> Instance:
        """Return the case as the verbs return it."""
        return Instance(
            id=self.id, root_id=self.id, parent_id=None, definition_id=self.definition_id,
            process_id=self.process_id, version=self.version, business_key=self.business_key,
            state=InstanceState(self.state), started_at=self.started_at, ended_at=self.ended_at,
            revision=self.revision, created=created,
        )  # fmt: skip


_c = instance.c
_ours = _c.tenant == bindparam("tenant")
_case = [_c[name] for name in Case._fields]
_VALUE = ("id", "root_id", "parent_id", "definition_id", "process_id", "version", "business_key",
          "state", "started_at", "ended_at", "revision")  # fmt: skip
COLUMNS = [_c[name] for name in _VALUE]


def instance_of(*row: Any) -> Instance:
    made = dict(zip(_VALUE, row, strict=True))
    made["state"] = InstanceState(made["state"])
    return Instance(**made)


_INSERT = Statement[Any](inserting(instance))
_root_of = (
    sa.select(_c.root_id).where(_ours, _c.id == bindparam("id")).correlate(None).scalar_subquery()
)
_LOCK = Statement(sa.select(*_case).where(_ours, _c.id == bindparam("id")).with_for_update(), Case)
_LOCK_ROOT = Statement(sa.select(*_case).where(_ours, _c.id == _root_of).with_for_update(), Case)
_LOCK_MANY = Statement(
    sa.select(*_case).where(_ours, among(_c.id, "ids")).order_by(_c.id).with_for_update(), Case
)
_STEPPED = ("revision", "history_seq", "owns", "snapshot")
_SAVE, _SAVE_STATE = (
    Statement[Any](
        sa.update(instance)
        .where(_ours, _c.id == bindparam("b_id"))
        .values({name: bindparam(name) for name in names})
    )
    for names in (_STEPPED, ("state", "ended_at", *_STEPPED))
)
_NUMBER = Statement[Row](
    sa.update(instance)
    .where(_ours, _c.id == bindparam("b_id"))
    .values(
        revision=_c.revision + 1,
        history_seq=_c.history_seq + bindparam("rows", type_=sa.BigInteger),
        owns=_c.owns.op("|")(bindparam("b_owns", type_=sa.BigInteger)),
    )
    .returning(_c.history_seq, _c.state, _c.process_id)
)
_END_CALLED = Statement[Any](
    sa.update(instance)
    .where(_ours, _c.id == bindparam("b_id"))
    .values(state=bindparam("state"), ended_at=bindparam("ended_at"))
)
_END_ALL_CALLED = Statement[Any](
    sa.update(instance)
    .where(_ours, _c.root_id == bindparam("b_root"), _c.parent_id.is_not(None))
    .where(_c.state == sa.literal_column("'running'"))
    .values(state=bindparam("state"), ended_at=bindparam("ended_at"))
)
_GET = Statement(sa.select(*COLUMNS).where(_ours, _c.id == bindparam("id")), instance_of)
_REVISED = Statement[Row](
    sa.select(_c.root_id, _c.snapshot).where(_ours, _c.id == _root_of),
)
_BY_KEY = Statement(
    sa.select(*COLUMNS).where(_ours, _c.start_key == bindparam("start_key")), instance_of
)
_COUNT = Statement[Row](
    sa.select(sa.func.count()).where(
        _ours, _c.parent_id.is_(None), _c.state == sa.literal_column("'running'")
    )
)


def insert(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Add instances; Duplicate if a start key is taken."""
    connection.many(_INSERT, [dict(row) for row in rows])


def lock(connection: Connection, root_id: str) -> Case | None:
    """Return a root instance, locked until the transaction ends."""
    return connection.one(_LOCK, id=root_id)


def lock_root_of(connection: Connection, instance_id: str) -> Case | None:
    """Return the root of an instance, locked until the transaction ends."""
    return connection.one(_LOCK_ROOT, id=instance_id)


def lock_many(connection: Connection, root_ids: Sequence[str]) -> dict[str, Case]:
    """Lock several root instances in the order of their ids, so that two batches never block."""
    return {case.id: case for case in connection.all(_LOCK_MANY, ids=root_ids)}


def save(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Store what a step made of locked root instances, whose state before is `was`.

    A state that stays is not written: SQLite would write each index that has it anew.
    """
    same = [row for row in rows if row["state"] == row["was"]]
    connection.many(_SAVE, same)
    if len(same) < len(rows):
        connection.many(_SAVE_STATE, [row for row in rows if row["state"] != row["was"]])


class Numbers(NamedTuple):
    """A root instance that was locked to write history without a step."""

    #: the last number before the new rows
    before: int
    state: str
    process_id: str


def number(connection: Connection, root_id: str, rows: int, owns: int = 0) -> Numbers | None:
    """Lock a root instance and reserve numbers of its history; None if there is none."""
    found = connection.one(_NUMBER, b_id=root_id, rows=rows, b_owns=owns)
    return None if found is None else Numbers(found[0] - rows, found[1], found[2])


def end_called(
    connection: Connection, returned: Sequence[tuple[str, str]], ended_at: datetime
) -> None:
    """Store the final states of called instances."""
    tenant = connection.tenant
    connection.many(
        _END_CALLED,
        [{"tenant": tenant, "b_id": i, "state": s, "ended_at": ended_at} for i, s in returned],
    )


def end_all_called(connection: Connection, root_id: str, state: str, ended_at: datetime) -> None:
    """Give all called instances that still run the final state of their root."""
    connection.run(_END_ALL_CALLED, b_root=root_id, state=state, ended_at=ended_at)


def get(connection: Connection, instance_id: str) -> Instance | None:
    """Return an instance, root or called."""
    return connection.one(_GET, id=instance_id)


def snapshot_of(connection: Connection, instance_id: str) -> tuple[str, bytes | None] | None:
    """Return the id and the snapshot of the root of an instance."""
    found = connection.one(_REVISED, id=instance_id)
    return None if found is None else (found[0], found[1])


def by_start_key(connection: Connection, start_key: str) -> Instance | None:
    """Return the instance that a start with this key has made."""
    return connection.one(_BY_KEY, start_key=start_key)


def running(connection: Connection) -> int:
    """Return how many root instances run."""
    found = connection.one(_COUNT)
    assert found is not None
    return int(found[0])


def _page(*filters: str) -> Statement[Instance]:
    query = sa.select(*COLUMNS).where(_ours, _c.parent_id.is_(None))
    for name in filters:
        query = query.where(_c[name] == bindparam(name))
    return Statement(
        query.where(_c.id < bindparam("after")).order_by(_c.id.desc()).limit(bindparam("limit")),
        instance_of,
    )


_PAGES: dict[tuple[str, ...], Statement[Instance]] = {}
_LAST = "~"  # sorts behind every id


def page(
    connection: Connection, filters: Mapping[str, str], after: str | None, limit: int
) -> list[Instance]:
    """Return root instances, newest first, older than `after`; filters by column name."""
    names = tuple(sorted(filters))
    if "process_id" in filters and "state" not in filters:
        # the index leads with the state behind the process: one short walk for each
        found = [
            case
            for state in InstanceState
            for case in page(connection, {**filters, "state": state.value}, after, limit)
        ]
        return sorted(found, key=lambda case: case.id, reverse=True)[:limit]
    statement = _PAGES.get(names) or _PAGES.setdefault(names, _page(*names))
    return connection.all(statement, **filters, after=after or _LAST, limit=limit)
