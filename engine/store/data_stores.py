"""Data stores: values that outlive cases and are shared by all that name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects import postgresql, sqlite

from engine.store.connect import Connection
from engine.store.statement import Row, Statement
from engine.store.tables import data_store


class DataStore(NamedTuple):
    """One data store as it stands."""

    name: str
    value: Any
    changed_at: datetime
    #: the case, or the person, that wrote it last
    changed_by: str


_c = data_store.c
_columns = [_c[name] for name in DataStore._fields]
_ours = _c.tenant == bindparam("tenant")
_GET = Statement(sa.select(*_columns).where(_ours, _c.name == bindparam("b_name")), DataStore)
_LOCK = Statement(
    sa.select(*_columns).where(_ours, _c.name == bindparam("b_name")).with_for_update(), DataStore
)
_LIST = Statement(sa.select(*_columns).where(_ours).order_by(_c.name), DataStore)
_row: dict[str, Any] = {column.name: bindparam(column.name) for column in data_store.columns}
_fresh: dict[str, Any] = {name: bindparam(name) for name in ("value", "changed_at", "changed_by")}
_KEY = ["tenant", "name"]
_ADD = {
    "sqlite": Statement[Row](sqlite.insert(data_store).values(_row).on_conflict_do_nothing()),
    "postgresql": Statement[Row](
        postgresql.insert(data_store).values(_row).on_conflict_do_nothing()
    ),
}
_PUT = {
    "sqlite": Statement[Row](
        sqlite.insert(data_store)
        .values(_row)
        .on_conflict_do_update(index_elements=_KEY, set_=_fresh)
    ),
    "postgresql": Statement[Row](
        postgresql.insert(data_store)
        .values(_row)
        .on_conflict_do_update(index_elements=_KEY, set_=_fresh)
    ),
}


def read(connection: Connection, names: Sequence[str], now: datetime) -> dict[str, Any]:
    """Return the values of some stores, and keep them so until the transaction ends.

    A store that nobody has written yet is null, and is locked as well.
    """
    found: dict[str, Any] = {}
    for name in sorted(names):
        stored = connection.one(_LOCK, b_name=name)
        if stored is None:
            new = {"name": name, "value": None, "changed_at": now, "changed_by": ""}
            connection.run(_ADD[connection.dialect.name], **new)
            stored = connection.one(_LOCK, b_name=name)
        found[name] = None if stored is None else stored.value
    return found


def write(connection: Connection, values: Mapping[str, Any], by: str, now: datetime) -> None:
    """Store new values."""
    rows = [
        {"name": name, "value": value, "changed_at": now, "changed_by": by}
        for name, value in sorted(values.items())
    ]
    connection.many(_PUT[connection.dialect.name], rows)


def get(connection: Connection, name: str) -> DataStore | None:
    """Return a store, None if nobody has named it yet."""
    return connection.one(_GET, b_name=name)


def every(connection: Connection) -> list[DataStore]:
    """Return all stores by name."""
    return connection.all(_LIST)
