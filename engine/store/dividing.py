"""The way from one table `history` to one by month, on PostgreSQL, while everybody goes on.

Three steps, each one transaction. `bound` says from which id on new rows go into a table of their
own, which everybody reads with the first one, since it inherits from it. `check` reads the whole
table under a lock that lets reads and writes go on. `switch` changes names. Wherever that is
interrupted, the catalogue says which step is next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from engine.store import month
from engine.store.month import BEFORE, KEY, PATIENT, REST, TABLE, first_id, lock, send

#: table, trigger and function for rows behind the bound
_AHEAD = "history_ahead"
#: begins the name of the constraint that says where the first partition ends
_BOUND = "history_until_"
#: so shortly before the end of a month the bound is that of the next one: what is written behind
#: the bound until the switch is copied there, and that should be little
_NEAR = timedelta(days=3)

Step = Callable[[sa.Connection], bool]


def heap(connection: sa.Connection) -> int:
    """Return how many bytes the rows of the table take, without those of partitions."""
    return int(connection.scalar(sa.text(f"SELECT pg_relation_size('{TABLE}')")) or 0)


def next_step(connection: sa.Connection) -> Step | None:
    """Return the step that comes next; None if the table is divided."""
    kind = connection.scalar(
        sa.text("SELECT relkind FROM pg_class WHERE oid = to_regclass(:name)"), {"name": TABLE}
    )
    if kind != "r":
        return None
    found = _bound_of(connection)
    if found is None:
        return bound
    return switch if found[1] else check


def bound(connection: sa.Connection) -> bool:
    """Send rows of later months into a table of their own; nobody sees a difference."""
    lock(connection, TABLE)
    if next_step(connection) is not bound:
        return True  # another node was faster
    end = _end(connection)
    first = first_id(end)
    send(
        connection,
        f"CREATE TABLE {_AHEAD} (CONSTRAINT pk_{_AHEAD} {KEY}) INHERITS ({TABLE})",
        f"CREATE FUNCTION {_AHEAD}() RETURNS trigger LANGUAGE plpgsql AS"  # noqa: S608
        f" $$ BEGIN INSERT INTO {_AHEAD} VALUES (NEW.*); RETURN NULL; END $$",
        f"CREATE TRIGGER {_AHEAD} BEFORE INSERT ON {TABLE} FOR EACH ROW"
        f" WHEN (NEW.root_id >= '{first}') EXECUTE FUNCTION {_AHEAD}()",
    )
    _move_what_is_behind(connection, first)
    send(
        connection,
        f"ALTER TABLE ONLY {TABLE} ADD CONSTRAINT {_BOUND}{end:%Y_%m}"
        f" CHECK (root_id < '{first}') NO INHERIT NOT VALID",
    )
    return True


def check(connection: sa.Connection) -> bool:
    """Let PostgreSQL see for itself that every row is before the bound; all others go on."""
    found = _bound_of(connection)
    if found is not None and not found[1]:
        send(
            connection,
            f"SET LOCAL lock_timeout = '{PATIENT}'",
            f"ALTER TABLE ONLY {TABLE} VALIDATE CONSTRAINT {found[0]}",
        )
    return True


def switch(connection: sa.Connection) -> bool:
    """Make the table the first partition of a new one of its name."""
    lock(connection, TABLE)
    found = _bound_of(connection)
    if found is None:
        return True  # another node was faster
    end = datetime.strptime(found[0].removeprefix(_BOUND), "%Y_%m").replace(tzinfo=UTC)
    grants = _grants(connection)
    send(
        connection,
        f"DROP TRIGGER {_AHEAD} ON {TABLE}",
        f"DROP FUNCTION {_AHEAD}()",
        f"ALTER TABLE {_AHEAD} NO INHERIT {TABLE}",
        f"ALTER TABLE {TABLE} RENAME CONSTRAINT pk_{TABLE} TO pk_{BEFORE}",
        f"ALTER TABLE {TABLE} RENAME TO {BEFORE}",
        f"{month.table(TABLE, of=BEFORE)} PARTITION BY RANGE (root_id)",
        # the checked constraint stands for the reading of all rows
        f"ALTER TABLE {TABLE} ATTACH PARTITION {BEFORE}"
        f" FOR VALUES FROM (MINVALUE) TO ('{first_id(end)}')",
        f"ALTER TABLE {BEFORE} DROP CONSTRAINT {found[0]}",
        month.table(REST),
        f"ALTER TABLE {TABLE} ATTACH PARTITION {REST} DEFAULT",
        *grants,
    )
    for one in month.coming(_now(connection)):
        if one >= end:
            month.make(connection, one)
    send(connection, f"INSERT INTO {TABLE} SELECT * FROM {_AHEAD}")  # noqa: S608
    send(connection, f"DROP TABLE {_AHEAD}")
    return True


# ------------------------------------------------------------------ inside


def _now(connection: sa.Connection) -> datetime:
    # of the server: each node has a clock of its own
    now: datetime = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return now


def _end(connection: sa.Connection) -> datetime:
    """Return where the first partition ends: behind all that is written for now."""
    now = _now(connection)
    if not connection.scalar(sa.text(f"SELECT EXISTS (SELECT 1 FROM {TABLE})")):  # noqa: S608
        return month.beginning(now)
    return month.later(month.beginning(now + _NEAR), 1)


def _bound_of(connection: sa.Connection) -> tuple[str, bool] | None:
    """Return the name of the constraint, and whether it was checked; None if there is none."""
    row = connection.execute(
        sa.text(
            "SELECT conname, convalidated FROM pg_constraint"
            " WHERE conrelid = to_regclass(:name) AND starts_with(conname, :begin)"
        ),
        {"name": TABLE, "begin": _BOUND},
    ).first()
    return None if row is None else (str(row[0]), bool(row[1]))


def _move_what_is_behind(connection: sa.Connection, first: str) -> None:
    """Move rows of cases that began, by some node's clock, behind the bound."""
    # by the index, tenant by tenant: nobody may wait for a look at the whole table
    send(connection, "SET LOCAL enable_seqscan = off")
    move = sa.text(
        f"WITH moved AS (DELETE FROM ONLY {TABLE} WHERE tenant = :tenant AND root_id >= :first"  # noqa: S608
        f" RETURNING *) INSERT INTO {_AHEAD} SELECT * FROM moved"
    )
    for tenant in _tenants(connection):
        connection.execute(move, {"tenant": tenant, "first": first})
    send(connection, "SET LOCAL enable_seqscan = on")


def _tenants(connection: sa.Connection) -> Iterator[str]:
    """Yield every tenant, each found by one look at the index."""
    following = sa.text(f"SELECT min(tenant) FROM ONLY {TABLE} WHERE tenant > :last")  # noqa: S608
    found = connection.scalar(sa.text(f"SELECT min(tenant) FROM ONLY {TABLE}"))  # noqa: S608
    while found is not None:
        yield found
        found = connection.scalar(following, {"last": found})


def _grants(connection: sa.Connection) -> list[str]:
    """Return the statements that give the new table the rights that others have on the old one."""
    query = sa.text(
        "SELECT format('GRANT %s ON %I TO %s', a.privilege_type, CAST(:name AS text),"
        " CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)"
        " FROM pg_class c, aclexplode(c.relacl) a"
        " WHERE c.oid = to_regclass(:name) AND a.grantee <> c.relowner"
    )
    return [str(row[0]) for row in connection.execute(query, {"name": TABLE})]
