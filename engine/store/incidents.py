"""Incidents: what needs a person, open or resolved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from engine.model import Incident
from engine.store.connect import Connection
from engine.store.statement import Row, Statement, inserting
from engine.store.tables import incident

_c = incident.c
_VALUE = tuple(Incident.__dataclass_fields__)
_columns = [_c[name] for name in _VALUE]
_ours = _c.tenant == bindparam("tenant")
_open = _c.resolved_at.is_(None)


def _incident(*row: Any) -> Incident:
    return Incident(**dict(zip(_VALUE, row, strict=True)))


_INSERT = Statement[Any](inserting(incident))
_GET = Statement(sa.select(*_columns).where(_ours, _c.id == bindparam("b_id")), _incident)
_resolve = sa.update(incident).values(resolved_at=bindparam("now"), resolved_by=bindparam("by"))
_RESOLVE = Statement[Any](_resolve.where(_ours, _open, _c.id == bindparam("b_id")))
_RESOLVE_TOKEN = Statement[Any](
    _resolve.where(_ours, _open, _c.root_id == bindparam("root_id"), _c.token == bindparam("token"))
)
_RESOLVE_ALL = Statement[Any](_resolve.where(_ours, _open, _c.root_id == bindparam("root_id")))
_COUNT = Statement[Row](sa.select(sa.func.count()).where(_ours, _open))
_FILTERS = {
    "root_id": _c.root_id == bindparam("root_id"),
    "instance_id": _c.instance_id == bindparam("instance_id"),
    "process_id": _c.process_id == bindparam("process_id"),
    "element_id": _c.element_id == bindparam("element_id"),
    "kind": _c.kind == bindparam("kind"),
}
_LISTS: dict[tuple[bool | None, tuple[str, ...]], Statement[Incident]] = {}


def insert(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Add open incidents."""
    connection.many(_INSERT, rows)


def row(connection: Connection, **given: Any) -> dict[str, Any]:
    """Return a row for `insert`."""
    return {
        "tenant": connection.tenant, "trace": "", "work_id": None, "resolved_at": None,
        "resolved_by": None, **given,
    }  # fmt: skip


def get(connection: Connection, incident_id: str) -> Incident | None:
    """Return an incident."""
    return connection.one(_GET, b_id=incident_id)


def resolve(connection: Connection, incident_id: str, by: str | None, now: datetime) -> bool:
    """Mark an open incident as resolved; False if it was already."""
    return connection.run(_RESOLVE, b_id=incident_id, by=by, now=now) == 1


def resolve_tokens(
    connection: Connection, root_id: str, tokens: Sequence[int], by: str | None, now: datetime
) -> None:
    """Resolve the open incidents of tokens that go on or are over."""
    connection.many(
        _RESOLVE_TOKEN,
        [{"root_id": root_id, "token": token, "by": by, "now": now} for token in tokens],
    )


def resolve_all(connection: Connection, root_id: str, by: str | None, now: datetime) -> None:
    """Resolve all open incidents of a case that has ended."""
    connection.run(_RESOLVE_ALL, root_id=root_id, by=by, now=now)


def page(
    connection: Connection,
    filters: Mapping[str, str],
    still_open: bool | None,
    after: str,
    limit: int,
) -> list[Incident]:
    """Return incidents that pass all filters, oldest first; `still_open` None means both."""
    names = tuple(sorted(filters))
    statement = _LISTS.get((still_open, names))
    if statement is None:
        query = sa.select(*_columns).where(_ours, _c.id > bindparam("after"))
        query = query.where(*(_FILTERS[name] for name in names))
        if still_open is not None:
            query = query.where(_open if still_open else _c.resolved_at.is_not(None))
        query = query.order_by(_c.id).limit(bindparam("limit"))
        statement = _LISTS[still_open, names] = Statement(query, _incident)
    return connection.all(statement, **filters, after=after, limit=limit)


def open_incidents(connection: Connection) -> int:
    """Return how many incidents are open."""
    found = connection.one(_COUNT)
    assert found is not None
    return int(found[0])
