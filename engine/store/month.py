"""A month of the history on PostgreSQL: from which id to which, its table, and how to get a lock.

Ids begin with the time of the start (RFC 9562), so a span of time is a range of ids.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import sqlalchemy as sa

TABLE, BEFORE, REST = "history", "history_before", "history_rest"
KEY = "PRIMARY KEY (tenant, root_id, seq)"
#: months that are made ahead of the present one
AHEAD = 3
#: how long a step waits for others that change or clean a table; nobody waits behind it
PATIENT = "10s"
#: how long it waits for a lock that lets nobody else in, since all others queue behind it
_BRIEF = "200ms"
#: who has been in a transaction for so long will not be gone in a moment
_LONG = "1s"
_BOUND = re.compile(r"'([0-9a-f]{8})-([0-9a-f]{4})'")
_IN_USE = sa.text(
    "SELECT EXISTS (SELECT 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
    " WHERE l.relation IN (SELECT to_regclass(name) FROM unnest(CAST(:tables AS text[])) name)"
    " AND l.granted AND pid <> pg_backend_pid()"
    " AND a.xact_start < clock_timestamp() - CAST(:long AS interval))"
)


class InUse(Exception):
    """Somebody reads or writes a table for longer than anybody should wait behind a lock."""


def first_id(moment: datetime) -> str:
    """Return what sorts before every id that is made at a moment or later."""
    text = f"{int(moment.timestamp() * 1000):012x}"
    return f"{text[:8]}-{text[8:]}"


def moment_of(bound: str) -> datetime | None:
    """Return the moment of a bound as PostgreSQL shows it; None for MINVALUE."""
    found = _BOUND.fullmatch(bound)
    if found is None:
        return None
    return datetime.fromtimestamp(int("".join(found.groups()), 16) / 1000, UTC)


def beginning(moment: datetime) -> datetime:
    """Return the beginning of a month, in UTC."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def later(month: datetime, count: int) -> datetime:
    """Return the beginning of the month so many months later."""
    years, index = divmod(month.month - 1 + count, 12)
    return month.replace(year=month.year + years, month=index + 1)


def coming(now: datetime) -> list[datetime]:
    """Return the present month and those that are made ahead of it."""
    return [later(beginning(now), count) for count in range(AHEAD + 1)]


def send(connection: sa.Connection, *statements: str) -> None:
    """Send statements as they stand."""
    for statement in statements:
        connection.exec_driver_sql(statement)


def lock(connection: sa.Connection, *tables: str) -> None:
    """Let nobody else read or write tables until the transaction ends. Raises InUse.

    First others that change or clean them are waited for, which holds nobody up and ends what
    vacuums by itself; then, for a moment at most, those that read and write, unless one of them
    has been at it for so long already that it would be in vain.
    """
    names = ", ".join(tables)
    send(
        connection,
        f"SET LOCAL lock_timeout = '{PATIENT}'",
        f"LOCK TABLE ONLY {names} IN SHARE UPDATE EXCLUSIVE MODE",
    )
    busy = connection.scalar(_IN_USE, {"tables": list(tables), "long": _LONG})
    if busy:
        raise InUse(f"{names} has been in use by the same transaction for over {_LONG}")
    send(
        connection,
        f"SET LOCAL lock_timeout = '{_BRIEF}'",
        f"LOCK TABLE ONLY {names} IN ACCESS EXCLUSIVE MODE",
    )


def make(connection: sa.Connection, month: datetime) -> str:
    """Make the partition of a month and move there what the rest holds of it; return its name.

    Who reads and writes other months does not wait.
    """
    name = f"{TABLE}_{month:%Y_%m}"
    first, last = first_id(month), first_id(later(month, 1))
    lock(connection, REST)
    send(
        connection,
        table(name),
        f"WITH moved AS (DELETE FROM {REST} WHERE root_id >= '{first}' AND root_id < '{last}'"  # noqa: S608
        f" RETURNING *) INSERT INTO {name} SELECT * FROM moved",
        f"ALTER TABLE {TABLE} ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{last}')",
    )
    return name


def table(name: str, of: str = TABLE) -> str:
    """Return the statement that makes a table like that of the history."""
    return (
        f"CREATE TABLE {name} (LIKE {of} INCLUDING DEFAULTS INCLUDING STORAGE,"
        f" CONSTRAINT pk_{name} {KEY})"
    )
