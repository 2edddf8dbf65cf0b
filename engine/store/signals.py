"""Signals: one statement writes a work row for each who waits, however many there are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from engine.store.columns import fresh_id
from engine.store.connect import Connection
from engine.store.statement import Statement
from engine.store.tables import instance, subscription, trigger, work


def _text(value: str) -> sa.ColumnElement[Any]:
    return sa.literal_column(f"'{value}'", sa.Text())


def _deliveries() -> sa.Insert:
    """One `deliver` row for each armed signal subscription of another root instance."""
    s = subscription.c
    given: dict[str, sa.ColumnElement[Any]] = {
        "tenant": s.tenant, "id": fresh_id("stamp"), "root_id": s.root_id,
        "instance_id": s.instance_id, "element_id": s.element_id, "token": s.token,
        "kind": _text("deliver"), "topic": s.name,
        "inputs": bindparam("inputs", type_=work.c.inputs.type),
    }  # fmt: skip
    query = sa.select(*_fresh(given).values()).where(
        s.tenant == bindparam("tenant"), s.kind == _text("signal"), s.name == bindparam("name"),
        s.message_id.is_(None), s.root_id != bindparam("root_id"),
    )  # fmt: skip
    return sa.insert(work).from_select(list(_fresh(given)), query)


def _starts() -> sa.Insert:
    """One `start` row for each active signal start event."""
    t = trigger.c
    given: dict[str, sa.ColumnElement[Any]] = {
        "tenant": t.tenant, "id": fresh_id("stamp"), "root_id": fresh_id("stamp"),
        "instance_id": _text(""), "element_id": t.element_id, "token": sa.literal_column("0"),
        "kind": _text("start"), "topic": t.definition_id,
        "inputs": bindparam("inputs", type_=work.c.inputs.type),
    }  # fmt: skip
    query = sa.select(*_fresh(given).values()).where(
        t.tenant == bindparam("tenant"), t.kind == _text("signal"), t.name == bindparam("name"),
        ~_awaited(),
    )  # fmt: skip
    return sa.insert(work).from_select(list(_fresh(given)), query)


def _awaited() -> sa.Exists:
    """Tell of a start event whether a case that it has begun already waits there for the signal.

    Such a case needs several events (10.5.2, 10.6.6): this one is for it, and begins no other.
    """
    t, s, i = trigger.c, subscription.c, instance.c
    here = sa.or_(
        t.element_id == s.element_id,
        # a start event that needs several triggers has one row for each, `id/2`
        t.element_id.like(s.element_id.concat(sa.literal_column("'/%'"))),
    )
    return (
        sa.exists()
        .select_from(
            subscription.join(
                instance, sa.and_(i.tenant == s.tenant, i.id == s.instance_id)
            )
        )
        .where(
            s.tenant == t.tenant, s.kind == _text("signal"), s.name == t.name,
            s.message_id.is_(None), i.definition_id == t.definition_id, here,
        )
        .correlate(trigger)
    )  # fmt: skip


def _fresh(given: dict[str, sa.ColumnElement[Any]]) -> dict[str, sa.ColumnElement[Any]]:
    now = bindparam("now", type_=work.c.due_at.type)
    zero: sa.ColumnElement[Any] = sa.literal_column("0")
    return given | {
        "state": _text("ready"), "priority": zero, "due_at": now, "free_at": now,
        "attempt": zero, "fence": zero, "headers": _text("{}"),
    }  # fmt: skip


_DELIVERIES = Statement[Any](_deliveries())
_STARTS = Statement[Any](_starts())


def broadcast(
    connection: Connection, name: str, payload: Any, root_id: str, now: datetime, stamp: str
) -> int:
    """Write one row per receiver of a signal, without locking any; return how many there are.

    `root_id` is the case that has thrown it (it has had it already), "" for the outside.
    """
    given = {
        "name": name,
        "now": now,
        "stamp": stamp[:15],
        "inputs": {"name": name, "payload": payload},
    }
    waiting = connection.run(_DELIVERIES, **given, root_id=root_id)
    return waiting + connection.run(_STARTS, **given)
