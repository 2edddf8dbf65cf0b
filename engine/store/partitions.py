"""The months of the history: on PostgreSQL `history` is partitioned by ranges of `root_id`.

Ids begin with the time of the start, so a range of ids is a span of time and a whole case lies in
one partition: `history_2026_11` is a month, `history_before` is what is older than the first one,
`history_rest` takes whatever no month was made for, so that no insert ever fails for want of one.
Nobody leads: every step is one transaction that looks what there is, and is left to the node that
is at it already, or to the next round if somebody is in the way for longer than a moment.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa

from engine.store import dividing, month
from engine.store.month import BEFORE, REST, TABLE

if TYPE_CHECKING:
    from engine.store.connect import Database

log = logging.getLogger("caseway.history")
R = TypeVar("R")

#: a heap of so many bytes at most is read in a moment, under a lock as well
SMALL = 8 << 20
#: any number, the same for all nodes, and another one than those of the migrations and of the
#: business tables, which follow each other from 7_116_931_045 on
_LOCK = 7_116_931_048
#: SQLSTATE: a lock was not to be had in time, or only by a deadlock
_IN_THE_WAY = ("55P03", "40P01")
#: SQLSTATE: what a later round changes as little: the account may not, something else depends on
#: a table, or has its name
_REFUSED = ("42501", "2BP01", "42P07")
_BOUNDS = re.compile(r"FROM \((.+)\) TO \((.+)\)")
_PARTS = sa.text(
    "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid), pg_stat_get_live_tuples(c.oid),"
    " pg_total_relation_size(c.oid), pg_relation_size(c.oid), clock_timestamp()"
    " FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
    " JOIN pg_class p ON p.oid = i.inhparent"
    " WHERE p.oid = to_regclass(:name) AND p.relkind = 'p'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One partition of the history."""

    #: name of its table
    name: str
    #: begin and end of the starts in it; None where it has no bound, both for `history_rest`
    begins: datetime | None
    ends: datetime | None
    #: rows as PostgreSQL counts them by and by
    rows: int
    #: on the disk: all of it, and the heap alone
    bytes: int
    heap: int

    def covers(self, moment: datetime) -> bool:
        """Tell whether cases that begin at a moment go here; the rest covers nothing."""
        starts = self.begins is None or self.begins <= moment
        return self.ends is not None and starts and moment < self.ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What one round of upkeep has done."""

    #: tables made and dropped
    made: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    #: False: somebody was in the way, or another node is at it; the next round goes on
    done: bool = True
    #: why PostgreSQL refuses it, until somebody mends that; "" if it does not
    refused: str = ""


class _Refused(Exception):
    """PostgreSQL refuses a step."""


# ------------------------------------------------------------------ what callers want


def parts(database: Database) -> list[Part]:
    """Return the partitions in the order of time, the rest last; none where there are none."""
    return _look(database)[0] if _divides(database) else []


def ready(database: Database) -> Kept:
    """See at the start of a process that the coming months are there, if that takes no time.

    A history with few rows or none becomes one by month here, a large one by `keep`.
    """
    return _kept(database, longest=SMALL) if _divides(database) else Kept()


def keep(database: Database) -> Kept:
    """Do one round: divide a history that is one table, make coming months, drop empty old ones.

    May take as long as it takes to read the whole table once; nobody waits for it meanwhile.
    """
    if not _divides(database):
        return Kept()
    kept = _kept(database, longest=None)
    if not kept.done:
        return kept
    return replace(kept, dropped=tuple(_drop_empty(database)))


# ------------------------------------------------------------------ making


def _kept(database: Database, *, longest: int | None) -> Kept:
    """Divide the table unless its heap is longer than said; make the months that are missing."""
    try:
        there, now = _look(database)
        if now is not None:
            return _make(database, missing(there, now))
        while (step := _next_step(database, longest)) is not None:
            if not _in_short(database, step):
                return Kept(done=False)
    except _Refused as error:
        log.warning(
            "the months of the history are not made: %s Until that is mended, and `caseway migrate`"
            " run by the owner of the tables, new rows stand in %s or where they stood before, and "
            "nothing is lost", error, REST,
        )  # fmt: skip
        return Kept(refused=str(error))
    there, _ = _look(database)
    return Kept(made=tuple(part.name for part in there), done=bool(there))


def _next_step(database: Database, longest: int | None) -> dividing.Step | None:
    """Return what comes next on the way from one table to many; None at its end, or if too long."""
    with database.reading_db.connect() as connection:
        step = dividing.next_step(connection)
        is_long = longest is not None and dividing.heap(connection) > longest
        return None if is_long else step


def missing(there: Sequence[Part], now: datetime) -> list[datetime]:
    """Return the months, of the present one and those ahead, that have no partition."""
    return [one for one in month.coming(now) if not any(part.covers(one) for part in there)]


def _make(database: Database, months: Sequence[datetime]) -> Kept:
    """Make months, each in a moment of its own."""
    made: list[str] = []
    for one in months:
        name = _in_short(database, partial(_made, one=one))
        if name is None:
            return Kept(made=tuple(made), done=False)
        if name:
            log.info("made %s", name)
            made.append(name)
    return Kept(made=tuple(made))


def _made(connection: sa.Connection, one: datetime) -> str:
    """Make a month; "" if another node was faster."""
    there, _ = _read(connection)
    return "" if any(part.covers(one) for part in there) else month.make(connection, one)


# ------------------------------------------------------------------ dropping


def _drop_empty(database: Database) -> list[str]:
    """Drop the months that are over and have no row any more; return their names."""
    there, now = _look(database)
    return [
        part.name
        for part in there
        if now is not None and _is_over(part, now) and not _has_rows(database, part.name)
        if _gone(database, part)
    ]


def _is_over(part: Part, now: datetime) -> bool:
    """Tell whether nobody begins a case there, by a whole month; `history_before` stays if small.

    What a node far behind still writes, or an erasure notes of an archived case, takes the rest.
    """
    if part.ends is None or month.later(part.ends, 1) > now:
        return False
    return part.name != BEFORE or part.bytes > SMALL


def _has_rows(database: Database, name: str) -> bool:
    with database.reading_db.connect() as connection:
        return _any_row(connection, name)


def _any_row(connection: sa.Connection, name: str) -> bool:
    query = sa.text(f"SELECT EXISTS (SELECT 1 FROM {name})")  # noqa: S608 (a name of our own)
    return bool(connection.scalar(query))


def _gone(database: Database, part: Part) -> bool:
    try:
        if part.heap > SMALL:
            _vacuum(database, part.name)
        if not _in_short(database, partial(_emptied, part=part)):
            return False
    except _Refused as error:
        log.warning("%s has no row any more and stays: %s", part.name, error)
        return False
    log.info("%s has no row any more and is gone", part.name)
    return True


def _emptied(connection: sa.Connection, part: Part) -> bool:
    """Drop a partition, or the files behind `history_before`; False if it has a row after all."""
    is_month = part.name != BEFORE
    # a partition leaves its table only while nobody reads or writes that
    month.lock(connection, part.name, *([TABLE] if is_month else []))
    size = connection.scalar(sa.text("SELECT pg_relation_size(:name)"), {"name": part.name})
    if int(size or 0) > SMALL or _any_row(connection, part.name):
        return False
    month.send(connection, f"{'DROP TABLE' if is_month else 'TRUNCATE ONLY'} {part.name}")
    return True


def _vacuum(database: Database, name: str) -> None:
    """Give the room of deleted rows back, so that a look at the table is short."""
    pooled = database.db.raw_connection()
    driver: Any = pooled.driver_connection
    try:
        driver.autocommit = True
        driver.execute(f"VACUUM (SKIP_LOCKED) {name}")
        driver.autocommit = False
    except database.driver_error as error:
        pooled.invalidate()
        raise database.translate(error) from error
    finally:
        pooled.close()


# ------------------------------------------------------------------ inside


def _divides(database: Database) -> bool:
    return database.dialect.name == "postgresql"


def _look(database: Database) -> tuple[list[Part], datetime | None]:
    """Return the partitions, and the time of the server if there are any."""
    with database.reading_db.connect() as connection:
        return _read(connection)


def _read(connection: sa.Connection) -> tuple[list[Part], datetime | None]:
    found = connection.execute(_PARTS, {"name": TABLE}).all()
    now = found[0][-1].astimezone(UTC) if found else None
    last = datetime.max.replace(tzinfo=UTC)
    return sorted((_part(*row[:-1]) for row in found), key=lambda part: part.ends or last), now


def _part(name: str, bounds: str, rows: int, size: int, heap: int) -> Part:
    told = _BOUNDS.search(bounds)
    begins, ends = map(month.moment_of, told.groups()) if told else (None, None)
    return Part(name=name, begins=begins, ends=ends, rows=rows, bytes=size, heap=heap)


def _in_short(database: Database, act: Callable[[sa.Connection], R]) -> R | None:
    """Do one step as one transaction; None if another node is at it or somebody is in the way.

    Raises _Refused, and what the loss of the database means.
    """
    try:
        with database.db.begin() as connection:
            if not connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK))):
                return None
            return act(connection)
    except month.InUse as error:
        log.info("the months of the history are looked at later: %s", error)
        return None
    except sa.exc.DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state in _IN_THE_WAY:
            log.info("the months of the history are looked at later: it was in use")
            return None
        if state in _REFUSED:
            raise _Refused(" ".join(f"{error.orig}.".split())) from error
        raise database.translate(error.orig or error) from error
