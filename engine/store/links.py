"""When signed links were ended before their time: recorded acts, found by their subject."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam

from engine.store.connect import Connection
from engine.store.statement import Statement
from engine.store.tables import act

#: the verb of such an act
END = "end_links"


class Ended(NamedTuple):
    """An end of one or more links."""

    at: datetime


_c = act.c
_ENDED: Statement[Any] = Statement(
    sa.select(_c.at).where(
        _c.tenant == bindparam("tenant"), _c.subject == bindparam("subject"), _c.verb == END
    ),
    Ended,
)


def ended_at(connection: Connection, subject: str) -> datetime | None:
    """Return when the links of a subject were ended last, None if they never were."""
    return max((row.at for row in connection.all(_ENDED, subject=subject)), default=None)
