"""The history: one row per event, numbered without a gap in each root instance, never changed.

Only `erase` takes something away, a value, never a row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from engine import codec
from engine.model import Event, HistoryRow
from engine.store import blobs
from engine.store.connect import Connection
from engine.store.statement import Statement, inserting
from engine.store.tables import blob, history

_c = history.c
_ours = _c.tenant == bindparam("tenant")
_root = _c.root_id == bindparam("root_id")


def row_of(*row: Any) -> HistoryRow:
    (root_id, seq, at, kind, instance_id, element_id, token, actor, name, value, large,
     erased) = row  # fmt: skip
    text = value if value is not None else large
    return HistoryRow(
        root_id=root_id, seq=seq, at=at, kind=kind, instance_id=instance_id, token=token,
        element_id=element_id, actor=actor, name=name, erased=bool(erased),
        value=None if text is None else codec.decode(text.encode()),
    )  # fmt: skip


_with_blob = history.outerjoin(
    blob,
    sa.and_(
        blob.c.tenant == _c.tenant, blob.c.root_id == _c.root_id, blob.c.hash == _c.blob
    ),
)  # fmt: skip
READ = sa.select(
    _c.root_id, _c.seq, _c.at, _c.kind, _c.instance_id, _c.element_id, _c.token, _c.actor,
    _c.name, _c.value, blob.c.value, _c.erased,
).select_from(_with_blob)  # fmt: skip

_INSERT = Statement[Any](inserting(history))
_PAGE = Statement(
    READ.where(_ours, _root, _c.seq > bindparam("after"))
    .order_by(_c.seq)
    .limit(bindparam("limit")),
    row_of,
)
_PAGE_OF_CALLED = Statement(
    READ.where(_ours, _root, _c.seq > bindparam("after"))
    .where(_c.instance_id == bindparam("instance_id"))
    .order_by(_c.seq)
    .limit(bindparam("limit")),
    row_of,
)
_COUNT = Statement[tuple[int]](sa.select(sa.func.count()).select_from(history).where(_ours))
_WRITE_VALUE = Statement[Any](
    sa.update(history)
    .where(_ours, _c.root_id == bindparam("b_root"), _c.seq == bindparam("b_seq"))
    .values(value=bindparam("value"), blob=None, erased=True)
)


#: place of the kind in a row
_KIND = 4


class Rows:
    """History rows of one transaction, gathered in the driver's form and written in one go."""

    __slots__ = ("_at", "_blobs", "_limit", "_rows", "_tenant")

    def __init__(self, connection: Connection, at: Any, limit: int) -> None:
        # in the form of the driver, since it is the same for all rows
        self._at = at
        self._tenant = connection.tenant
        self._limit = limit
        self._rows: list[tuple[Any, ...]] = []
        self._blobs: list[tuple[str, str, str, str]] = []

    def add(self, root_id: str, seq: int, actor: str | None, events: Iterable[Event]) -> int:
        """Number the events from `seq` + 1 on; return the last number."""
        tenant, at, limit, rows = self._tenant, self._at, self._limit, self._rows
        for kind, instance_id, element_id, token, name, value in events:
            seq += 1
            text: str | None = None
            large: str | None = None
            if value is not None:
                text = codec.encode(value).decode()
                if len(text) > limit:
                    large = self._keep(root_id, text)
                    text = None
            rows.append((tenant, root_id, seq, at, kind, instance_id, element_id, token, actor,
                         name, text, large, False))  # fmt: skip
        return seq

    def kinds(self) -> list[str]:
        """Return the kind of each row."""
        return [row[_KIND] for row in self._rows]

    def write(self, connection: Connection) -> None:
        """Insert all rows."""
        if self._blobs:
            blobs.keep(connection, self._blobs)
        connection.rows(_INSERT, self._rows)

    def keep(self, root_id: str, digest: str, text: str) -> None:
        """Store a large value of the case beside the rows, by its hash."""
        self._blobs.append((self._tenant, root_id, digest, text))

    def _keep(self, root_id: str, text: str) -> str:
        digest = hashlib.sha256(text.encode()).hexdigest()
        self.keep(root_id, digest, text)
        return digest


def page(
    connection: Connection, root_id: str, instance_id: str, after: int, limit: int
) -> list[HistoryRow]:
    """Return the rows behind number `after`, of a called instance only its own ones."""
    if instance_id == root_id:
        return connection.all(_PAGE, root_id=root_id, after=after, limit=limit)
    return connection.all(
        _PAGE_OF_CALLED, root_id=root_id, instance_id=instance_id, after=after, limit=limit
    )


def replace(connection: Connection, root_id: str, rows: Sequence[tuple[int, Any]]) -> None:
    """Overwrite values by number, for erasure; `blobs.drop` then removes the large ones."""
    tenant = connection.tenant
    connection.many(
        _WRITE_VALUE,
        [
            {
                "tenant": tenant,
                "b_root": root_id,
                "b_seq": seq,
                "value": None if value is None else codec.encode(value).decode(),
            }
            for seq, value in rows
        ],
    )


def count(connection: Connection) -> int:
    """Return how many rows there are; reads all of them."""
    found = connection.one(_COUNT)
    return 0 if found is None else int(found[0])
