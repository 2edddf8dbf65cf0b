"""How much there is of everything that is open: one statement, whose cost has a bound."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from engine.store.connect import Connection
from engine.store.statement import Statement
from engine.store.tables import incident, instance, message, user_task, work

#: rows of each table that are looked at: beyond, the gauge stands still and says so by its value
MOST = 100_000

#: what it is of, up to three labels, how many
Gauge = tuple[str, str, str, str, int]

_w, _i, _t, _m, _n = work.c, instance.c, user_task.c, message.c, incident.c


def _text(value: str) -> sa.ColumnElement[str]:
    return sa.literal_column(f"'{value}'")


_NONE = _text("")
_STATE = sa.case(
    (_w.state != _text("ready"), _w.state),
    (sa.and_(_w.owner.is_not(None), _w.free_at > bindparam("now")), _text("leased")),
    (_w.free_at > bindparam("now"), _text("waiting")),
    else_=_text("due"),
)


def _counted(
    what: str, table: sa.Table, *labels: sa.ColumnElement[Any], where: tuple[Any, ...] = ()
) -> sa.Select[Any]:
    """Return a query of at most MOST rows of a table, counted by labels."""
    named = [label.label(f"label{n}") for n, label in enumerate((*labels, _NONE, _NONE, _NONE)[:3])]
    rows = (
        sa.select(*named)
        .where(table.c.tenant == bindparam("tenant"), *where)
        .limit(sa.literal_column(str(MOST)))
        .subquery(f"some_{what}")
    )
    return sa.select(_text(what).label("what"), *rows.c, sa.func.count().label("n")).group_by(
        *rows.c
    )


_GAUGES = Statement[Gauge](
    sa.union_all(
        _counted("cases", instance, _i.process_id, _i.state,
                 where=(_i.parent_id.is_(None), _i.state == _text("running"))),
        _counted("work", work, _w.kind, _w.topic, _STATE),
        _counted("open_tasks", user_task, _t.process_id, where=(_t.state == _text("open"),)),
        _counted("messages_waiting", message, where=(_m.state == _text("buffered"),)),
        _counted("open_incidents", incident, _n.process_id, where=(_n.resolved_at.is_(None),)),
    )
)  # fmt: skip


def read(connection: Connection, now: datetime) -> list[Gauge]:
    """Return how much is open at this moment; what there is none of is left out."""
    return connection.all(_GAUGES, now=now)
