"""The tables behind the archive: which files there are, and which cases have a part in one.

A row in state `writing` is there before its file, so that no file is ever unknown; it becomes
`kept` in the transaction that deletes the rows from `history`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam

from engine.model import InstanceState
from engine.store import history as past
from engine.store.columns import among
from engine.store.connect import Connection
from engine.store.parquet import Line, Written
from engine.store.statement import Row, Statement, inserting
from engine.store.tables import archive, archived, blob, history, instance

WRITING, KEPT, DROPPED = "writing", "kept", "dropped"


class Ended(NamedTuple):
    """A case whose history may leave the database."""

    id: str
    started_at: datetime
    #: number of the last row of its history
    history_seq: int
    #: changes with everything that is done to the case
    revision: int


class Part(NamedTuple):
    """Where the archived rows of a case stand."""

    root_id: str
    archive_id: str
    first: int
    rows: int
    month: str
    sha256: str


class Leftover(NamedTuple):
    """A file that is to be deleted."""

    id: str
    month: str


class InFiles(NamedTuple):
    """What the files of one month hold."""

    month: str
    files: int
    rows: int
    bytes: int


_a, _p, _i, _h = archive.c, archived.c, instance.c, history.c
_OVER = tuple(state.value for state in InstanceState if state is not InstanceState.RUNNING)
_tenant: sa.BindParameter[str] = bindparam("tenant")
_this = sa.and_(_a.tenant == _tenant, _a.id == bindparam("b_id"))

#: ids begin with the time of the start, so that the walk along the index is the way through time
_ENDED = Statement(
    sa.select(_i.id, _i.started_at, _i.history_seq, _i.revision)
    .where(_i.tenant == _tenant, _i.parent_id.is_(None), _i.state == bindparam("state"))
    .where(_i.id > bindparam("after"), _i.ended_at < bindparam("before"))
    .where(~sa.exists().where(_p.tenant == _i.tenant, _p.root_id == _i.id))
    .order_by(_i.id)
    .limit(bindparam("limit")),
    Ended,
)
_LINES = Statement[Row](
    past.READ.where(_h.tenant == _tenant, among(_h.root_id, "ids")).order_by(_h.root_id, _h.seq)
)
_BEGIN = Statement[Any](inserting(archive))
_KEEP = Statement[Any](
    sa.update(archive)
    .where(_this, _a.state == sa.literal_column(f"'{WRITING}'"))
    .values(
        state=KEPT, cases=bindparam("b_cases"), rows=bindparam("b_rows"),
        bytes=bindparam("b_bytes"), sha256=bindparam("b_sha256"),
    )
)  # fmt: skip
_DROP = Statement[Any](
    sa.update(archive)
    .where(_this, _a.state == bindparam("b_state"))
    .values(state=sa.literal_column(f"'{DROPPED}'"))
)
_ADD_PARTS = Statement[Any](inserting(archived))
_DELETES = tuple(
    Statement[Any](sa.delete(table).where(table.c.tenant == _tenant, among(table.c.root_id, "ids")))
    for table in (history, blob)
)
_PARTS = Statement(
    sa.select(_p.root_id, _p.archive_id, _p.first, _p.rows, _a.month, _a.sha256)
    .join(archive, sa.and_(_a.tenant == _p.tenant, _a.id == _p.archive_id))
    .where(_p.tenant == _tenant, among(_p.root_id, "ids")),
    Part,
)
_IN_FILE = Statement(
    sa.select(_p.root_id, _p.archive_id, _p.first, _p.rows, _a.month, _a.sha256)
    .join(archive, sa.and_(_a.tenant == _p.tenant, _a.id == _p.archive_id))
    .where(_p.tenant == _tenant, _p.archive_id == bindparam("b_id"))
    .order_by(_p.first),
    Part,
)
_MOVE = Statement[Any](
    sa.update(archived)
    .where(_p.tenant == _tenant, _p.root_id == bindparam("b_root"))
    .values(archive_id=bindparam("archive_id"), first=bindparam("first"))
)
_STALE = Statement[Any](
    sa.update(archive)
    .where(_a.tenant == _tenant, _a.state == sa.literal_column(f"'{WRITING}'"))
    .where(_a.made_at < bindparam("b_before"))
    .values(state=sa.literal_column(f"'{DROPPED}'"))
)
#: files whose cases have all been deleted since
_EMPTY = Statement[Any](
    sa.update(archive)
    .where(_a.tenant == _tenant, _a.state == sa.literal_column(f"'{KEPT}'"))
    .where(~sa.exists().where(_p.tenant == _a.tenant, _p.archive_id == _a.id))
    .values(state=sa.literal_column(f"'{DROPPED}'"))
)
_LEFTOVERS = Statement(
    sa.select(_a.id, _a.month).where(
        _a.tenant == _tenant, _a.state == sa.literal_column(f"'{DROPPED}'")
    ),
    Leftover,
)
_MONTHS = Statement(
    sa.select(
        _a.month, sa.func.count(), sa.cast(sa.func.sum(_a.rows), sa.BigInteger),
        sa.cast(sa.func.sum(_a.bytes), sa.BigInteger),
    )
    .where(_a.tenant == _tenant, _a.state == sa.literal_column(f"'{KEPT}'"))
    .group_by(_a.month)
    .order_by(_a.month),
    InFiles,
)  # fmt: skip
_FORGET = Statement[Any](
    sa.delete(archive).where(_this, _a.state == sa.literal_column(f"'{DROPPED}'"))
)


def ended(connection: Connection, before: datetime, after: str, limit: int) -> list[Ended]:
    """Return cases that ended before a moment and are wholly in the database, by id."""
    found = [
        case
        for state in _OVER
        for case in connection.all(_ENDED, state=state, before=before, after=after, limit=limit)
    ]
    return sorted(found)[:limit]


def lines(connection: Connection, root_ids: Sequence[str]) -> list[Line]:
    """Return the history of some cases, large values in place, by case and number."""
    return [_line(row) for row in connection.all(_LINES, ids=list(root_ids))]


def _line(row: Row) -> Line:
    (root_id, seq, at, kind, instance_id, element_id, token, actor, name, value, large,
     erased) = row  # fmt: skip
    return Line(root_id, seq, at, kind, instance_id, element_id, token, actor, name,
                value if value is not None else large, bool(erased))  # fmt: skip


def begin(connection: Connection, archive_id: str, month: str, now: datetime) -> None:
    """Announce a file that is going to be written."""
    connection.run(
        _BEGIN, id=archive_id, state=WRITING, month=month, cases=0, rows=0, bytes=0, sha256="",
        made_at=now,
    )  # fmt: skip


def keep(connection: Connection, archive_id: str, written: Written, cases: int, rows: int) -> bool:
    """Make an announced file one that counts; False if it was given up meanwhile."""
    return connection.run(
        _KEEP, b_id=archive_id, b_cases=cases, b_rows=rows, b_bytes=written.bytes,
        b_sha256=written.sha256,
    ) == 1  # fmt: skip


def add_parts(
    connection: Connection, archive_id: str, parts: Sequence[tuple[str, int, int]]
) -> None:
    """Say where in the file cases stand: id, first row, rows. Duplicate if one has left before."""
    connection.many(
        _ADD_PARTS,
        [
            {"root_id": root_id, "archive_id": archive_id, "first": first, "rows": rows}
            for root_id, first, rows in parts
        ],
    )


def empty(connection: Connection, root_ids: Sequence[str]) -> None:
    """Delete the history of cases from the database, and their large values."""
    for statement in _DELETES:
        connection.run(statement, ids=list(root_ids))


def parts(connection: Connection, root_ids: Sequence[str]) -> list[Part]:
    """Return where the archived rows of some cases stand; nothing for cases without any."""
    return connection.all(_PARTS, ids=list(root_ids))


def in_file(connection: Connection, archive_id: str) -> list[Part]:
    """Return all parts in a file, in their order there."""
    return connection.all(_IN_FILE, b_id=archive_id)


def move(connection: Connection, archive_id: str, kept: Sequence[Part]) -> None:
    """Let parts of one file stand in another."""
    tenant = connection.tenant
    connection.many(
        _MOVE,
        [
            {"tenant": tenant, "b_root": part.root_id, "archive_id": archive_id,
             "first": part.first}
            for part in kept
        ],
    )  # fmt: skip


def drop(connection: Connection, archive_id: str, state: str) -> bool:
    """Give a file up that is in this state; False if it is no more."""
    return connection.run(_DROP, b_id=archive_id, b_state=state) == 1


def drop_idle(connection: Connection, before: datetime) -> None:
    """Give up files nobody has finished since a moment, and those whose cases are all deleted."""
    connection.run(_STALE, b_before=before)
    connection.run(_EMPTY)


def leftovers(connection: Connection) -> list[Leftover]:
    """Return the files that are to be deleted."""
    return connection.all(_LEFTOVERS)


def forget(connection: Connection, archive_id: str) -> None:
    """Delete the row of a file that has been deleted."""
    connection.run(_FORGET, b_id=archive_id)


def months(connection: Connection) -> list[InFiles]:
    """Return what the files of each month hold."""
    return connection.all(_MONTHS)
