"""Large values by the hash of their JSON, which history, snapshots and work refer to.

A case has its own, each once, so that erasing never asks what other cases hold.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects import postgresql, sqlite

from engine import codec
from engine.codec import Reference
from engine.model import Work
from engine.store.columns import among
from engine.store.connect import Connection
from engine.store.statement import Row, Statement
from engine.store.tables import blob, history, work

#: bytes of JSON that one process remembers, since the next step of a case needs the same values
_REMEMBERED = 32 * 1024 * 1024

_c = blob.c
_ours = _c.tenant == bindparam("tenant")
_root = _c.root_id == bindparam("root_id")
_columns: dict[str, sa.BindParameter[Any]] = {
    column.name: bindparam(column.name) for column in blob.c
}
_KEEP = {
    # an equal value of the case is there already
    "sqlite": Statement[Any](sqlite.insert(blob).values(_columns).on_conflict_do_nothing()),
    "postgresql": Statement[Any](
        postgresql.insert(blob).values(_columns).on_conflict_do_nothing()
    ),
}  # fmt: skip
_READ = Statement[Row](sa.select(_c.hash, _c.value).where(_ours, _root, among(_c.hash, "hashes")))
_DROP = Statement[Any](
    sa.delete(blob)
    .where(_ours, _root, sa.not_(among(_c.hash, "needed")))
    .where(
        ~sa.exists().where(
            history.c.tenant == _c.tenant, history.c.root_id == _c.root_id,
            history.c.blob == _c.hash,
        )
    )
)  # fmt: skip
_INPUTS = Statement[Row](
    sa.select(work.c.inputs).where(
        work.c.tenant == bindparam("tenant"), work.c.root_id == bindparam("root_id")
    )
)


class Memory:
    """What was read or written lately; by its hash a value is always the same."""

    def __init__(self, most: int = _REMEMBERED) -> None:
        self._most = most
        self._held = 0
        self._texts: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, digest: str) -> bytes | None:
        """Return a value's JSON if it is remembered."""
        with self._lock:
            found = self._texts.get(digest)
            if found is not None:
                self._texts.move_to_end(digest)
            return found

    def put(self, digest: str, text: bytes) -> None:
        """Remember a value; what was not asked for the longest is forgotten."""
        with self._lock:
            if digest not in self._texts and len(text) <= self._most // 4:
                self._texts[digest] = text
                self._held += len(text)
            while self._held > self._most:
                self._held -= len(self._texts.popitem(last=False)[1])


def keep(connection: Connection, rows: Sequence[tuple[str, str, str, str]]) -> None:
    """Store values that are not there yet: tenant, case, hash, JSON."""
    connection.rows(_KEEP[connection.dialect.name], rows)


def read(
    connection: Connection, memory: Memory, root_id: str, hashes: Sequence[str]
) -> Mapping[str, bytes]:
    """Return the JSON of values of a case by hash; what is remembered is not read again."""
    found = {digest: text for digest in hashes if (text := memory.get(digest)) is not None}
    missing = [digest for digest in hashes if digest not in found]
    if missing:
        for digest, text in connection.all(_READ, root_id=root_id, hashes=missing):
            found[digest] = text.encode()
            memory.put(digest, found[digest])
    return found


def fill(connection: Connection, memory: Memory, items: Sequence[Work]) -> list[Work]:
    """Return work with the values in place of the references among its inputs.

    A value that is not there any more stays a reference (`lacking` names it): one spoilt row must
    not stop the claims of all others.
    """
    return [
        replace(item, inputs=_whole(connection, memory, item)) if _hashes([item.inputs]) else item
        for item in items
    ]


def drop(connection: Connection, root_id: str, needed: Sequence[str]) -> None:
    """Delete the values of a case that neither its history nor its present state needs."""
    waiting = [row[0] for row in connection.all(_INPUTS, root_id=root_id)]
    connection.run(_DROP, root_id=root_id, needed=[*needed, *_hashes(waiting)])


def _whole(connection: Connection, memory: Memory, item: Work) -> dict[str, Any]:
    texts = read(connection, memory, item.root_id, _hashes([item.inputs]))
    return {
        name: codec.decode(texts[value.hash])
        if type(value) is Reference and value.hash in texts
        else value
        for name, value in item.inputs.items()
    }


def lacking(item: Work) -> list[str]:
    """Return the names of the inputs whose value is not in the database any more."""
    return [name for name, value in item.inputs.items() if type(value) is Reference]


def _hashes(inputs: Iterable[Any]) -> list[str]:
    return [
        value.hash
        for given in inputs
        if isinstance(given, dict)
        for value in given.values()
        if type(value) is Reference
    ]
