"""Duties: what one node does for all, by a lease that is compared and set in one statement."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects import postgresql, sqlite

from engine.store.connect import Connection
from engine.store.statement import Statement
from engine.store.tables import duty

_c = duty.c
_row: dict[str, Any] = {column.name: bindparam(column.name) for column in _c}
_fresh: dict[str, Any] = {name: bindparam(name) for name in ("owner", "until")}
_ours = _c.tenant == bindparam("tenant")
#: a duty may be taken by who has it, and by anybody once its lease is over
_free = sa.or_(_c.owner == bindparam("owner"), _c.until <= bindparam("now"))


def _taking(insert: Any) -> Statement[Any]:
    return Statement(
        insert(duty)
        .values(_row)
        .on_conflict_do_update(index_elements=["tenant", "name"], set_=_fresh, where=_free)
    )


_TAKE = {"sqlite": _taking(sqlite.insert), "postgresql": _taking(postgresql.insert)}
_LEAVE = Statement[Any](sa.delete(duty).where(_ours, _c.owner == bindparam("owner")))


def take(connection: Connection, name: str, owner: str, now: datetime, until: datetime) -> bool:
    """Take a duty, or keep it; False while the lease of somebody else lasts."""
    given = {"name": name, "owner": owner, "until": until, "now": now}
    return connection.run(_TAKE[connection.dialect.name], **given) == 1


def leave(connection: Connection, owner: str) -> None:
    """Give up every duty of a node that stops."""
    connection.run(_LEAVE, owner=owner)
