"""Lanes: work of one lane is done one row after another, in the order in which it was asked for.

The first row of a lane is `ready`, those behind it are `queued`, where no claim looks. A row of
`gate` is there as long as its lane has work; who locks it is the only one who changes that lane.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects import postgresql, sqlite

from engine.store.columns import among
from engine.store.connect import Connection
from engine.store.statement import Row, Statement
from engine.store.tables import gate, incident, work

#: gates of lanes, and those of topics that only so many workers may run at once
_LANE, _TOPIC = "lane/", "topic/"


@dataclass(frozen=True, slots=True)
class Blocked:
    """A lane whose first row is stopped by an incident."""

    lane: str
    incident_id: str
    #: the row that stopped
    work_id: str
    root_id: str
    element_id: str
    topic: str
    #: how many rows stand behind it
    waiting: int
    #: when the incident stopped it
    since: datetime


class Freed(NamedTuple):
    """A row that may be claimed from now on: by kind and topic others hear of it."""

    kind: str
    topic: str


_w, _g = work.c, gate.c
_ours = _w.tenant == bindparam("tenant")
_gates = _g.tenant == bindparam("tenant")
_lane = _w.lane == bindparam("lane")
_queued: sa.ColumnElement[str] = sa.literal_column("'queued'")
_dead: sa.ColumnElement[str] = sa.literal_column("'dead'")

_given: dict[str, sa.BindParameter[Any]] = {
    "tenant": bindparam("tenant"),
    "name": bindparam("name"),
    "last": bindparam("rows"),
}
_PASS = {
    name: Statement[Row](
        insert(gate)
        .values(_given)
        .on_conflict_do_update(
            index_elements=["tenant", "name"],
            set_={"last": _g.last + bindparam("rows", type_=sa.BigInteger)},
        )
        .returning(_g.last)
    )
    for name, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}
_LOCK = Statement[Row](
    sa.select(_g.name).where(_gates, among(_g.name, "names")).order_by(_g.name).with_for_update()
)
_OF_CASE = Statement[Row](
    sa.select(_w.lane, _w.token).where(
        _ours, _w.root_id == bindparam("root_id"), _w.lane.is_not(None)
    )
)
_first = work.alias("first")
_head = (
    sa.select(_first.c.id)
    .where(_first.c.tenant == bindparam("tenant"), _first.c.lane == bindparam("lane"))
    .order_by(_first.c.place)
    .limit(1)
    .scalar_subquery()
)
_PROMOTE = Statement(
    sa.update(work)
    .where(_ours, _w.id == _head, _w.state == _queued)
    # free from now on: its wait for its turn must not look like a backlog
    .values(state="ready", free_at=bindparam("now"))
    .returning(_w.kind, _w.topic),
    Freed,
)
_SHUT = Statement[Any](
    sa.delete(gate).where(
        _gates,
        _g.name == bindparam("name"),
        ~sa.exists().where(_w.tenant == bindparam("tenant"), _w.lane == bindparam("lane")),
    )
)
_LANE_OF = Statement[Row](
    sa.select(_w.lane).where(
        _ours, _w.id == bindparam("b_id"), _w.state == _dead, _w.lane.is_not(None)
    )
)
_STEP_ASIDE = Statement[Any](
    sa.update(work)
    .where(_ours, _w.id == bindparam("b_id"), _w.state == _dead)
    .values(lane=None, place=None)
)
_behind = work.alias("behind")


def _of_incident(column: sa.Column[Any]) -> sa.ScalarSelect[Any]:
    """Return a column of the open incident of a dead row."""
    return (
        sa.select(column)
        .where(incident.c.tenant == bindparam("tenant"), incident.c.root_id == _w.root_id)
        .where(incident.c.token == _w.token, incident.c.work_id == _w.id)
        .where(incident.c.resolved_at.is_(None))
        .order_by(incident.c.id)
        .limit(1)
        .scalar_subquery()
    )


_BLOCKED = Statement(
    sa.select(
        _w.lane, _of_incident(incident.c.id), _w.id, _w.root_id, _w.element_id, _w.topic,
        sa.select(sa.func.count())
        .where(
            _behind.c.tenant == bindparam("tenant"), _behind.c.lane == _w.lane,
            _behind.c.place > _w.place,
        )
        .scalar_subquery(),
        _of_incident(incident.c.created_at),
    )
    .where(_ours, _w.state == _dead, _w.lane > bindparam("after"))
    .order_by(_w.lane)
    .limit(bindparam("limit")),
    Blocked,
)  # fmt: skip
_NAMES = Statement[Row](
    sa.select(_g.name)
    .where(_gates, _g.name > bindparam("after"), _g.name < bindparam("end"))
    .order_by(_g.name)
    .limit(bindparam("limit"))
)
_HEADS = Statement[Row](
    sa.select(_w.state).where(_ours, _lane).order_by(_w.place).limit(1)
)  # fmt: skip


def enter(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Give fresh rows their places; all but the first of each lane wait for their turn."""
    by_lane: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["lane"] is not None:
            by_lane.setdefault(row["lane"], []).append(row)
    statement = _PASS[connection.dialect.name]
    # in the order of names, so that two transactions do not wait for each other
    for lane in sorted(by_lane):
        found = connection.one(statement, name=_LANE + lane, rows=len(by_lane[lane]))
        assert found is not None
        for place, row in enumerate(by_lane[lane], start=found[0] - len(by_lane[lane]) + 1):
            row["place"] = place
            # without work a lane has no gate: the first number is the first row
            row["state"] = "ready" if place == 1 else "queued"


def lock(connection: Connection, lanes: Sequence[str]) -> None:
    """Be the only one who changes these lanes until the transaction ends; before their rows are."""
    if lanes and connection.dialect.name != "sqlite":  # which has one writer anyway
        connection.all(_LOCK, names=[_LANE + lane for lane in lanes])


def leave(connection: Connection, lanes: Sequence[str], now: datetime) -> list[Freed]:
    """Let the next rows of lanes go that have lost one; return them."""
    freed = []
    for lane in sorted(set(lanes)):
        row = connection.one(_PROMOTE, lane=lane, now=now)
        if row is None:
            connection.run(_SHUT, name=_LANE + lane, lane=lane)
        else:
            freed.append(row)
    return freed


def of_case(connection: Connection, root_id: str, tokens: Sequence[int] | None) -> list[str]:
    """Return the lanes in which a case, or some tokens of it, have work, sorted."""
    rows = connection.all(_OF_CASE, root_id=root_id)
    return sorted({lane for lane, token in rows if tokens is None or token in tokens})


def step_aside(connection: Connection, work_id: str, now: datetime) -> list[Freed] | None:
    """Take a dead row out of its lane; return the row that goes on there, None without a lane."""
    found = connection.one(_LANE_OF, b_id=work_id)
    if found is None:
        return None
    lane = str(found[0])
    lock(connection, [lane])
    connection.run(_STEP_ASIDE, b_id=work_id)
    return leave(connection, [lane], now)


def blocked(connection: Connection, after: str, limit: int) -> list[Blocked]:
    """Return lanes that an incident has stopped, by name."""
    return connection.all(_BLOCKED, after=after, limit=limit)


def heal(
    connection: Connection, after: str, limit: int, now: datetime
) -> tuple[int, list[Freed], str]:
    """Let lanes go on that wait although nothing is in front.

    Return how many, their rows whose turn it is, and where to go on. That happens only if a program
    that knows no lanes has ended the row in front.
    """
    end = _LANE[:-1] + chr(ord(_LANE[-1]) + 1)
    names = connection.all(_NAMES, after=_LANE + after, end=end, limit=limit)
    found = [str(name)[len(_LANE) :] for (name,) in names]
    stuck = []
    for lane in found:
        head = connection.one(_HEADS, lane=lane)
        if head is None or head[0] == "queued":
            stuck.append(lane)
    lock(connection, stuck)
    freed = leave(connection, stuck, now)
    return len(stuck), freed, found[-1] if len(found) == limit else ""


def one_at_a_time(connection: Connection, topic: str) -> None:
    """Be the only one who claims work of a topic until the transaction ends."""
    connection.one(_PASS[connection.dialect.name], name=_TOPIC + topic, rows=0)
