"""Brings the schema up to date with Alembic; refuses a database that this program cannot work with.

Programs of two releases run beside each other while nodes are upgraded one by one: see CONTRACTS.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from engine.errors import SchemaTooNew
from engine.store import hints, numbers, statistics
from engine.store.tables import meta

if TYPE_CHECKING:
    from alembic.config import Config

    from engine.store.connect import Database

#: counts up with each file in migrations/versions; kept in the database under `meta.schema`
SCHEMA = 11
#: contract steps: revisions that take away or change what programs read -> the oldest schema whose
#: programs may run beside them. A release may only take away what the release before does not read
#: any more; everything else only adds (docs/operating.md, "Upgrading while it runs").
CONTRACTS: dict[str, int] = {}
#: any number, the same for all nodes: two of them never migrate a PostgreSQL database at once
_LOCK = 7_116_931_045
_NUMBER, _OLDEST, _FORMAT = "schema", "schema_oldest", "snapshot_format"


def migrate(database: Database, newest_format: int) -> int:
    """Bring an empty or older database up to date; return the format snapshots are written in.

    `newest_format` is the newest one that this program reads. An empty database begins with it, and
    so does SQLite, which has no older nodes; others keep theirs until `raise_format`. A database of
    a newer program is left as it is if this one may run beside it. Raises SchemaTooNew if not.
    """
    if found(database) < SCHEMA:
        with database.db.connect() as connection:
            _lock(connection, database)
            _upgrade(connection, database)
            connection.commit()
    _catch_up(database)
    written = _format(database)
    if written is None or (written < newest_format and database.dialect.name == "sqlite"):
        raise_format(database, newest_format)
        return newest_format
    if written > newest_format:
        raise SchemaTooNew(
            f"the cases of this database may be stored in format {written}, this Caseway reads up "
            f"to format {newest_format}: upgrade it"
        )
    return written


def _upgrade(connection: sa.Connection, database: Database) -> None:
    # Alembic takes 0.2 s to import, a start that has nothing to migrate does not pay it
    from alembic import command

    if sa.inspect(connection).has_table(meta.name):
        before = int(_read(connection, _NUMBER) or 0)
        if before >= SCHEMA:
            return  # another node was faster
        if before and _read(connection, _FORMAT) is None:
            _write(connection, _FORMAT, 1)
    else:
        before = 0
    command.upgrade(config(connection), "head")
    if database.dialect.name == "sqlite":
        statistics.describe(connection)
    oldest = max(CONTRACTS.values(), default=1)
    _write(connection, _NUMBER, SCHEMA)
    _write(connection, _OLDEST, oldest)


def _catch_up(database: Database) -> None:
    """Do for old rows what the schema now does for new ones, a thousand of them at a time.

    Whoever comes while it goes on joins in, so that a node that has started misses nothing.
    """
    with database.reading_db.connect() as connection:
        going = numbers.are_behind(connection)
    while going:
        with database.db.connect() as connection:
            _lock(connection, database)
            going = numbers.catch_up(connection)
            connection.commit()


def make_hints(database: Database) -> None:
    """Make the tables of announcements if they are not there. Raises SettingsError."""
    hints.require(database)
    with database.db.connect() as connection:
        if not hints.there(connection):
            _lock(connection, database)
            hints.create(connection)
            connection.commit()


def raise_format(database: Database, newest_format: int) -> None:
    """Write snapshots in this format from the next start of each node on.

    Only when no node runs any more that does not read it.
    """
    with database.db.connect() as connection:
        _lock(connection, database)
        if int(_read(connection, _FORMAT) or 0) < newest_format:
            _write(connection, _FORMAT, newest_format)
        connection.commit()


def found(database: Database) -> int:
    """Return the number of the schema in the database, 0 for none. Raises SchemaTooNew."""
    with database.reading_db.connect() as connection:
        if not sa.inspect(connection).has_table(meta.name):
            return 0
        number = int(_read(connection, _NUMBER) or 0)
        oldest = int(_read(connection, _OLDEST) or number)
    if number > SCHEMA and oldest > SCHEMA:
        raise SchemaTooNew(
            f"the database has schema {number}, whose programs know at least schema {oldest}; "
            f"this Caseway knows schema {SCHEMA}: upgrade it"
        )
    return number


def _format(database: Database) -> int | None:
    with database.reading_db.connect() as connection:
        stored = _read(connection, _FORMAT)
    return None if stored is None else int(stored)


def _lock(connection: sa.Connection, database: Database) -> None:
    """Let nobody else change the schema until the transaction ends."""
    if database.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _read(connection: sa.Connection, name: str) -> str | None:
    stored: str | None = connection.scalar(sa.select(meta.c.value).where(meta.c.name == name))
    return stored


def _write(connection: sa.Connection, name: str, value: int) -> None:
    connection.execute(sa.delete(meta).where(meta.c.name == name))
    connection.execute(sa.insert(meta).values(name=name, value=str(value)))


def config(connection: sa.Connection) -> Config:
    """Return the Alembic configuration: the migrations lie in this package, wheel or checkout."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    made.attributes["connection"] = connection
    return made
